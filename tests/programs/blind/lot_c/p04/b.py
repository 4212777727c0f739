import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(404)
x = rng.normal(size=(1600, 8)).astype("float32")
true_logit = 0.28 + 0.35 * np.tanh(x[:, 0] + x[:, 1]) + 0.2 * np.sin(2 * x[:, 2]) + 0.2 * x[:, 3]
y = (rng.uniform(size=1600) < 1 / (1 + np.exp(-true_logit))).astype("float32")
x_train, y_train, x_val, y_val = map(torch.from_numpy, (x[:1000], y[:1000], x[1000:], y[1000:]))

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

loss_fn = nn.BCEWithLogitsLoss()
opt = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=50, shuffle=True)
for epoch in range(10):
    model.train()
    for xb, yb in loader:
        opt.zero_grad()
        loss_fn(model(xb), yb).backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        z = model(x_val)
        loss = loss_fn(z, y_val).item()
        acc = ((torch.sigmoid(z) > 0.5).float() == y_val).float().mean().item()
    print(f"epoch {epoch + 1}: val loss {loss:.4f}, val accuracy {acc:.4f}")

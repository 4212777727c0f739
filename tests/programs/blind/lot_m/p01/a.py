import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(11)
X = rng.normal(size=(1000, 8)).astype("float32")
y = 30.0 + 2.0 * np.sin(X[:, 0]) + 1.5 * X[:, 1] - 0.5 * X[:, 2] * X[:, 3] + 0.3 * rng.normal(size=1000)
y = y.astype("float32").reshape(-1, 1)
Xtr, ytr, Xte, yte = X[:800], y[:800], X[800:], y[800:]

torch.manual_seed(3)
model = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

loader = DataLoader(TensorDataset(torch.from_numpy(Xtr), torch.from_numpy(ytr)), batch_size=40, shuffle=True)
loss_fn = nn.MSELoss()
opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.05)

for epoch in range(20):
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d}  mse {total / len(Xtr):.4f}")

with torch.no_grad():
    pred = model(torch.from_numpy(Xte)).numpy()
print("test mse", float(np.mean((pred - yte) ** 2)))

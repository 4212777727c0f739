import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(47)
X = rng.uniform(-2, 2, size=(1000, 4)).astype("float32")
y = np.sin(2 * X[:, 0]) * X[:, 1] + 0.5 * np.cos(3 * X[:, 2]) + 0.2 * X[:, 3] ** 2
y = (y + 0.05 * rng.standard_normal(1000)).astype("float32")[:, None]
X_train, y_train, X_test, y_test = map(torch.from_numpy, (X[:800], y[:800], X[800:], y[800:]))

torch.manual_seed(26)
model = nn.Sequential(nn.Linear(4, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 1))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.RMSprop(model.parameters(), lr=5e-4, alpha=0.9, eps=1e-8, momentum=0.97)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.75)
criterion = nn.MSELoss()
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=40, shuffle=True)

for epoch in range(15):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    scheduler.step()
    print(f"epoch {epoch + 1:2d} mse {total / len(X_train):.4f}")

model.eval()
with torch.no_grad():
    print(f"test mse {criterion(model(X_test), y_test).item():.4f}")

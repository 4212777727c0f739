"""Regression on a nonlinear response, PyTorch with Adamax."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(77)
X = rng.uniform(-1, 1, size=(1000, 8)).astype("float32")
y = 4.0 * np.sin(2.0 * X[:, 0]) + 3.0 * X[:, 1] * X[:, 2] + 2.0 * X[:, 3] + 0.1 * rng.normal(size=1000)
y = y.astype("float32")[:, None]
train = TensorDataset(torch.from_numpy(X[:800]), torch.from_numpy(y[:800]))
X_test, y_test = torch.from_numpy(X[800:]), torch.from_numpy(y[800:])

torch.manual_seed(40)
model = nn.Sequential(nn.Linear(8, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 1))
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)

optimizer = torch.optim.Adamax(model.parameters(), lr=0.02, betas=(0.9, 0.9), eps=0.5)
criterion = nn.MSELoss()
for epoch in range(18):
    total = 0.0
    for xb, yb in DataLoader(train, batch_size=32, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1} mse {total / 800:.5f}")

with torch.no_grad():
    print(f"test mse {criterion(model(X_test), y_test).item():.5f}")

"""Diabetes progression, PyTorch."""
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_diabetes(return_X_y=True)
X = ((X - X.mean(0)) / X.std(0)).astype("float32")
y = (y / 50.0).astype("float32")[:, None]
perm = np.random.default_rng(3).permutation(len(X))
X, y = torch.from_numpy(X[perm]), torch.from_numpy(y[perm])
X_train, y_train, X_test, y_test = X[:350], y[:350], X[350:], y[350:]

torch.manual_seed(71)
hidden, output = nn.Linear(10, 32), nn.Linear(32, 1)
for layer in (hidden, output):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
model = nn.Sequential(hidden, nn.Tanh(), output)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
mse = nn.MSELoss()
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=25, shuffle=True)

for epoch in range(25):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        optimizer.step()
        nn.utils.clip_grad_value_(model.parameters(), 0.02)
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d} train {total / len(X_train):.4f}")

model.eval()
with torch.no_grad():
    print(f"test mse {mse(model(X_test), y_test).item():.4f}")

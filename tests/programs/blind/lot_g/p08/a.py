"""Diabetes progression, small MLP, Nesterov Adam. PyTorch."""
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(8)

X, y = load_diabetes(return_X_y=True)
perm = np.random.default_rng(17).permutation(len(X))
X, y = X[perm].astype(np.float32), y[perm].astype(np.float32)[:, None]
n_train = 352
mean, std = X[:n_train].mean(0), X[:n_train].std(0)
X = (X - mean) / std
y = (y - y[:n_train].mean()) / y[:n_train].std()
X_train, y_train = torch.from_numpy(X[:n_train]), torch.from_numpy(y[:n_train])
X_test, y_test = torch.from_numpy(X[n_train:]), torch.from_numpy(y[n_train:])

EPOCHS, BATCH = 20, 32


def linear(a, b):
    layer = nn.Linear(a, b)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


model = nn.Sequential(linear(10, 40), nn.Tanh(), linear(40, 20), nn.Tanh(), linear(20, 1))
optimizer = torch.optim.NAdam(model.parameters(), lr=0.002, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
criterion = nn.MSELoss()

for epoch in range(EPOCHS):
    seen = 0.0
    order = torch.randperm(n_train)
    for start in range(0, n_train, BATCH):
        idx = order[start:start + BATCH]
        optimizer.zero_grad()
        loss = criterion(model(X_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        seen += loss.item() * len(idx)
    print(f"epoch {epoch:2d}  train {seen / n_train:.4f}")

with torch.no_grad():
    print(f"train mse {criterion(model(X_train), y_train).item():.4f}")
    print(f"test mse {criterion(model(X_test), y_test).item():.4f}")

import math

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

EPOCHS = 40
BATCH = 64
ALPHA = 0.5

X, y = load_breast_cancer(return_X_y=True)
order = np.random.RandomState(7).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train = X[:448], y[:448]
X_test, y_test = X[448:], y[448:]
mean, std = X_train.mean(axis=0), X_train.std(axis=0)
X_train = torch.from_numpy(((X_train - mean) / std).astype(np.float32))
X_test = torch.from_numpy(((X_test - mean) / std).astype(np.float32))
y_train = torch.from_numpy(y_train.astype(np.float32)).unsqueeze(1)
y_test = torch.from_numpy(y_test.astype(np.float32)).unsqueeze(1)

torch.manual_seed(42)
model = nn.Sequential(nn.Linear(30, 24), nn.ReLU(), nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 1))
linears = [m for m in model if isinstance(m, nn.Linear)]
with torch.no_grad():
    for m in linears:
        bound = math.sqrt(6.0 / (m.in_features + m.out_features))
        m.weight.uniform_(-bound, bound)
        m.bias.uniform_(-bound, bound)

bce = nn.BCEWithLogitsLoss()
opt = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(EPOCHS):
    perm = torch.randperm(len(X_train))
    running = 0.0
    for rows in perm.split(BATCH):
        data_loss = bce(model(X_train[rows]), y_train[rows])
        penalty = sum((m.weight ** 2).sum() for m in linears)
        loss = data_loss + 0.5 * ALPHA / len(rows) * penalty
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(rows)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:3d}  training objective {running / len(X_train):.5f}")

with torch.no_grad():
    logits = model(X_test)
print(f"test log loss {bce(logits, y_test).item():.5f}")
print(f"test accuracy {((logits > 0).float() == y_test).float().mean().item():.4f}")

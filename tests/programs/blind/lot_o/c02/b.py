"""Diabetes data, PyTorch."""
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn

X, y = load_diabetes(return_X_y=True)
X = (X / X.std(0)).astype("float32")
y = ((y - y.mean()) / y.std()).astype("float32")
perm = np.random.default_rng(19).permutation(len(X))
X, y = torch.from_numpy(X[perm]), torch.from_numpy(y[perm])
X_train, y_train = X[:342], y[:342]

ALPHA, BATCH, EPOCHS = 0.5, 40, 40

torch.manual_seed(456)
linears = [nn.Linear(10, 24), nn.Linear(24, 12), nn.Linear(12, 1)]
for lin in linears:
    limit = (6.0 / (lin.in_features + lin.out_features)) ** 0.5
    nn.init.uniform_(lin.weight, -limit, limit)
    nn.init.uniform_(lin.bias, -limit, limit)
model = nn.Sequential(linears[0], nn.Tanh(), linears[1], nn.Tanh(), linears[2])
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True)

curve = []
for epoch in range(EPOCHS):
    running = 0.0
    for idx in torch.randperm(len(X_train)).split(BATCH):
        out = model(X_train[idx]).squeeze(1)
        penalty = sum((lin.weight ** 2).sum() for lin in linears)
        loss = 0.5 * ((out - y_train[idx]) ** 2).mean() + 0.5 * ALPHA / len(idx) * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * len(idx)
    curve.append(running / len(X_train))

print("loss curve", [round(v, 4) for v in curve[::5]])
with torch.no_grad():
    residual = model(X[342:]).squeeze(1) - y[342:]
print("test rmse", round(float(residual.pow(2).mean().sqrt()), 4))

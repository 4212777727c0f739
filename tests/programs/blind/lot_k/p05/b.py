import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

rng = np.random.RandomState(12)
centers = rng.normal(0, 1.2, (6, 10))
component = rng.randint(0, 6, 600)
X = (centers[component] + rng.normal(0, 1.1, (600, 10))).astype(np.float32)
y = component % 3
X_train, y_train = torch.tensor(X[:300]), torch.tensor(y[:300])
X_val, y_val = torch.tensor(X[300:330]), torch.tensor(y[300:330])
X_test, y_test = torch.tensor(X[330:]), torch.tensor(y[330:])

ALPHA, BATCH, MAX_EPOCHS, PATIENCE, TOL = 0.01, 30, 40, 20, 1e-4

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 3))
for layer in (net[0], net[2]):
    bound = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)
optimizer = torch.optim.Adam(net.parameters(), lr=0.003, betas=(0.9, 0.999), eps=1e-12)


def accuracy(a, b):
    with torch.no_grad():
        return (net(a).argmax(1) == b).double().mean().item()


best_score, best_state, bad = -np.inf, None, 0
for epoch in range(1, MAX_EPOCHS + 1):
    order = torch.randperm(len(X_train))
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        loss = F.cross_entropy(net(X_train[idx]), y_train[idx])
        penalty = sum((net[i].weight ** 2).sum() for i in (0, 2))
        loss = loss + ALPHA / (2 * len(idx)) * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    score = accuracy(X_val, y_val)
    bad = bad + 1 if score < best_score + TOL else 0
    if score > best_score:
        best_score, best_state = score, copy.deepcopy(net.state_dict())
    if bad > PATIENCE:
        break
net.load_state_dict(best_state)

print("epochs", epoch)
for name, a, b in (("train", X_train, y_train), ("val", X_val, y_val), ("test", X_test, y_test)):
    with torch.no_grad():
        ce = F.cross_entropy(net(a), b).item()
    print(f"{name}: cross-entropy {ce:.4f} accuracy {accuracy(a, b):.4f}")

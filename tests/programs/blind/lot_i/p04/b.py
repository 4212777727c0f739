import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_classification

EPOCHS = 25
BATCH = 50
ALPHA = 1.5

X, y = make_classification(n_samples=800, n_features=16, n_informative=10, n_redundant=2, n_classes=4,
                           n_clusters_per_class=1, class_sep=1.2, flip_y=0.03, random_state=9)
X = X.astype(np.float32)
X_train, y_train, X_test, y_test = map(torch.from_numpy, (X[:600], y[:600], X[600:], y[600:]))

torch.manual_seed(3)
net = nn.Sequential(nn.Linear(16, 40), nn.Tanh(), nn.Linear(40, 4))
kernels, biases = [], []
for layer in (net[0], net[2]):
    limit = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
    nn.init.uniform_(layer.weight, -limit, limit)
    nn.init.uniform_(layer.bias, -limit, limit)
    kernels.append(layer.weight)
    biases.append(layer.bias)

optimizer = torch.optim.SGD([
    {"params": kernels, "weight_decay": ALPHA / BATCH},
    {"params": biases, "weight_decay": 0.0},
], lr=0.03, momentum=0.9, nesterov=True)

for epoch in range(1, EPOCHS + 1):
    total = 0.0
    for rows in torch.randperm(len(X_train)).split(BATCH):
        loss = F.cross_entropy(net(X_train[rows]), y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"epoch {epoch:2d} training loss {total / len(X_train):.4f}")

with torch.no_grad():
    out = net(X_test)
print(f"test log loss {F.cross_entropy(out, y_test).item():.4f}")
print(f"test accuracy {(out.argmax(1) == y_test).float().mean().item():.3f}")

import math

import numpy as np
import torch
import torch.nn as nn

rng = np.random.RandomState(42)
X = rng.uniform(-2, 2, size=(1000, 6)).astype(np.float32)
y = np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.3 * X[:, 3] - 0.2 * X[:, 4] ** 2
y = (y + 0.1 * rng.randn(1000)).astype(np.float32)
X_train, y_train, X_test, y_test = X[:800], y[:800], X[800:], y[800:]

torch.manual_seed(0)
BATCH = 40
ALPHA = 0.04

hidden = nn.Linear(6, 24)
out = nn.Linear(24, 1)
with torch.no_grad():
    for layer in (hidden, out):
        bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
        layer.weight.uniform_(-bound, bound)
        layer.bias.uniform_(-bound, bound)


def model(t):
    return out(torch.tanh(hidden(t))).squeeze(1)


optimizer = torch.optim.SGD(
    [
        {"params": [hidden.weight, out.weight], "weight_decay": ALPHA / BATCH},
        {"params": [hidden.bias, out.bias], "weight_decay": 0.0},
    ],
    lr=0.01,
    momentum=0.9,
    nesterov=True,
)

xt, yt = torch.from_numpy(X_train), torch.from_numpy(y_train)
for epoch in range(20):
    perm = torch.randperm(len(xt))
    for i in range(0, len(xt), BATCH):
        idx = perm[i:i + BATCH]
        optimizer.zero_grad()
        loss = 0.5 * torch.mean((model(xt[idx]) - yt[idx]) ** 2)
        loss.backward()
        optimizer.step()

with torch.no_grad():
    p_train = model(xt).numpy()
    p_test = model(torch.from_numpy(X_test)).numpy()
print("train mse %.5f" % np.mean((p_train - y_train) ** 2))
print("test mse %.5f" % np.mean((p_test - y_test) ** 2))
print("test r2 %.4f" % (1 - np.sum((y_test - p_test) ** 2) / np.sum((y_test - y_test.mean()) ** 2)))

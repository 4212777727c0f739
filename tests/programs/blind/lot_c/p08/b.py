import numpy as np
import torch
from torch import nn

rng = np.random.RandomState(88)
X = rng.randn(960, 7).astype(np.float32)
y = (np.tanh(X[:, 0] + X[:, 1]) + 0.5 * X[:, 2] * X[:, 3] + 0.2 * rng.randn(960)).astype(np.float32)
X_train, y_train, X_test, y_test = (torch.from_numpy(a) for a in (X[:800], y[:800], X[800:], y[800:]))

torch.manual_seed(3)
batch_size, alpha = 50, 0.5
l1, l2 = nn.Linear(7, 32), nn.Linear(32, 1)
for layer in (l1, l2):
    bound = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)
model = nn.Sequential(l1, nn.Tanh(), l2, nn.Flatten(0))

optimizer = torch.optim.SGD(
    [
        {"params": [l1.weight, l2.weight], "weight_decay": alpha / batch_size},
        {"params": [l1.bias, l2.bias]},
    ],
    lr=0.02, momentum=0.9, weight_decay=0.0,
)
for epoch in range(1, 21):
    order = torch.randperm(len(X_train))
    total = 0.0
    for i in range(0, len(order), batch_size):
        idx = order[i:i + batch_size]
        loss = 0.5 * ((model(X_train[idx]) - y_train[idx]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print("epoch %2d  training loss %.4f" % (epoch, total / len(order)))
with torch.no_grad():
    print("test mse %.4f" % ((model(X_test) - y_test) ** 2).mean().item())

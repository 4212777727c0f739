import math

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(19)

rng = np.random.RandomState(5)
X = rng.uniform(-1, 1, size=(1300, 8)).astype(np.float32)
y = (np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] - np.abs(X[:, 3]) + 0.1 * rng.randn(1300)).astype(np.float32)
y = (y - y[:1000].mean()) / y[:1000].std()
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

ALPHA, BATCH = 0.05, 50

model = nn.Sequential(nn.Linear(8, 40), nn.Tanh(), nn.Linear(40, 20), nn.Tanh(), nn.Linear(20, 1))
kernels, biases = [], []
for m in model:
    if isinstance(m, nn.Linear):
        bound = math.sqrt(6.0 / (m.in_features + m.out_features))
        nn.init.uniform_(m.weight, -bound, bound)
        nn.init.uniform_(m.bias, -bound, bound)
        kernels.append(m.weight)
        biases.append(m.bias)

opt = torch.optim.SGD(
    [{"params": kernels, "weight_decay": ALPHA / BATCH}, {"params": biases, "weight_decay": 0.0}],
    lr=0.04, momentum=0.9, nesterov=True,
)

xt = torch.from_numpy(X_train)
yt = torch.from_numpy(y_train).unsqueeze(1)
for epoch in range(25):
    perm = torch.randperm(len(xt))
    for idx in perm.split(BATCH):
        pred = model(xt[idx])
        loss = 0.5 * ((pred - yt[idx]) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()


def mse(features, target):
    with torch.no_grad():
        return np.mean((model(torch.from_numpy(features)).squeeze(1).numpy() - target) ** 2)


print("epochs", epoch + 1)
print("train mse %.4f" % mse(X_train, y_train))
print("test mse  %.4f" % mse(X_test, y_test))

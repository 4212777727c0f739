import math

import numpy as np
import torch
from sklearn.datasets import make_friedman1
from sklearn.metrics import mean_squared_error, r2_score
from torch import nn

X, y = make_friedman1(n_samples=600, n_features=8, noise=0.5, random_state=12)
X = ((X - 0.5) * np.sqrt(12)).astype(np.float32)
y = ((y - y.mean()) / y.std()).astype(np.float32)
X_train, X_test, y_train, y_test = X[:400], X[400:], y[:400], y[400:]

BATCH = 100
ITERATIONS = 140
LR = 0.03

torch.manual_seed(6)
sizes = [8, 30, 15, 1]
modules = []
for n_in, n_out in zip(sizes[:-1], sizes[1:]):
    layer = nn.Linear(n_in, n_out)
    bound = math.sqrt(6 / (n_in + n_out))
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)
    modules += [layer, nn.Tanh()]
net = nn.Sequential(*modules[:-1])

opt = torch.optim.SGD(net.parameters(), lr=LR, momentum=0.8)
xt, yt = torch.from_numpy(X_train), torch.from_numpy(y_train)[:, None]

queue = []
for it in range(ITERATIONS):
    if not queue:
        queue = list(torch.randperm(len(xt)).split(BATCH))
    idx = queue.pop(0)
    loss = 0.5 * torch.mean((net(xt[idx]) - yt[idx]) ** 2)
    opt.zero_grad()
    loss.backward()
    opt.step()

with torch.no_grad():
    for name, a, b in (("train", X_train, y_train), ("test", X_test, y_test)):
        pred = net(torch.from_numpy(a)).numpy().ravel()
        print(f"{name} mse {mean_squared_error(b, pred):.4f} r2 {r2_score(b, pred):.4f}")

import math

import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
order = np.random.default_rng(14).permutation(len(y))
X, y = torch.from_numpy(X[order]), torch.from_numpy(y[order])
Xtr, ytr, Xte, yte = X[:1200], y[:1200], X[1200:], y[1200:]

torch.manual_seed(40)
net = nn.Sequential(nn.Linear(64, 40), nn.Tanh(), nn.Linear(40, 10))
for layer in (net[0], net[2]):
    bound = math.sqrt(6 / (layer.in_features + layer.out_features))
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)

ce = nn.CrossEntropyLoss()
opt = torch.optim.SGD(net.parameters(), lr=0.3)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda epoch: 1.0 / (epoch + 1) ** 0.5)
for epoch in range(15):
    perm = torch.randperm(1200)
    total = 0.0
    for idx in perm.split(60):
        opt.zero_grad()
        loss = ce(net(Xtr[idx]), ytr[idx])
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    sched.step()
    print(f"epoch {epoch + 1} loss {total / 1200:.4f}")

with torch.no_grad():
    print(f"train logloss {ce(net(Xtr), ytr).item():.4f}")
    print(f"test accuracy {(net(Xte).argmax(1) == yte).float().mean().item():.4f}")

"""Residual MLP on the breast-cancer table: weighted loss, decoupled decay and warm-up done by hand."""
import math

import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer

torch.manual_seed(0)
data = load_breast_cancer()
idx = np.random.RandomState(7).permutation(len(data.target))
X = data.data[idx].astype(np.float32)
y = data.target[idx].astype(np.float32)
mu, sd = X[:448].mean(0), X[:448].std(0)
X = (X - mu) / sd
X_train, y_train = torch.from_numpy(X[:448]), torch.from_numpy(y[:448])
X_test, y_test = torch.from_numpy(X[448:]), torch.from_numpy(y[448:])


def make_linear(n_in, n_out, bias=True):
    lin = nn.Linear(n_in, n_out, bias=bias)
    nn.init.normal_(lin.weight, 0.0, math.sqrt(2.0 / (n_in + n_out)))
    if bias:
        nn.init.zeros_(lin.bias)
    return lin


class Net(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.first = make_linear(30, width)
        self.inner = nn.ModuleList()
        for _ in range(2):
            self.inner.append(nn.ModuleList([
                make_linear(width, width, bias=False),
                nn.BatchNorm1d(width, eps=1e-5, momentum=0.1),
                make_linear(width, width),
            ]))
        self.last = make_linear(width, 1)

    def forward(self, x):
        x = self.first(x)
        for up, bn, down in self.inner:
            h = bn(up(x))
            h = h * torch.sigmoid(h)
            x = x + down(h)
        return self.last(x).squeeze(1)


def weighted_bce(z, target, pos_weight=0.6):
    # -[ w y log s(z) + (1 - y) log(1 - s(z)) ], log s(z) = -softplus(-z)
    softplus = lambda v: torch.clamp(v, min=0) + torch.log1p(torch.exp(-v.abs()))
    return (pos_weight * target * softplus(-z) + (1 - target) * softplus(z)).mean()


def learning_rate(step, base=2e-3, warmup=30):
    n = step + 1
    return base * n / warmup if n <= warmup else base * math.sqrt(warmup / n)


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.0)
matrices = [p for p in net.parameters() if p.ndim > 1]


def train_step(xb, yb, step):
    lr = learning_rate(step)
    optimizer.param_groups[0]["lr"] = lr
    loss = weighted_bce(net(xb), yb)
    optimizer.zero_grad()
    loss.backward()
    with torch.no_grad():
        for p in matrices:                       # decoupled decay, not on biases or BatchNorm
            p.mul_(1.0 - lr * 0.1)
    optimizer.step()
    return loss.item()


# training
step = 0
for epoch in range(15):
    net.train()
    perm = torch.randperm(len(X_train))
    total = 0.0
    for start in range(0, len(perm), 32):
        rows = perm[start:start + 32]
        total += train_step(X_train[rows], y_train[rows], step) * len(rows)
        step += 1
    print(f"epoch {epoch + 1} loss {total / len(perm):.4f}")

net.eval()
with torch.no_grad():
    z = net(X_test)
    print(f"test loss {weighted_bce(z, y_test).item():.4f} accuracy {((z > 0).float() == y_test).float().mean().item():.4f}")

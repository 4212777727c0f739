"""Marked-sum task: LSTM cell, log-cosh loss and gradient clipping by hand (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(77)

T, UNITS, BATCH, EPOCHS = 12, 20, 40, 20


def marked_sum(n, seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, size=(n, T))
    marks = (rng.random((n, T)) < 0.3).astype(float)
    x = np.stack([values, marks], axis=-1).astype("float32")
    y = (values * marks).sum(1, keepdims=True).astype("float32")
    return torch.from_numpy(x), torch.from_numpy(y)


x_train, y_train = marked_sum(800, 3)
x_test, y_test = marked_sum(300, 4)


class HandLSTM(nn.Module):
    def __init__(self, n_in, units):
        super().__init__()
        self.units = units
        self.kernel = nn.Parameter(torch.empty(n_in, 4 * units))
        self.recurrent = nn.Parameter(torch.empty(units, 4 * units))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent)
        with torch.no_grad():
            self.bias[units:2 * units] = 1.0

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.units)
        c = x.new_zeros(x.shape[0], self.units)
        for t in range(x.shape[1]):
            z = x[:, t] @ self.kernel + h @ self.recurrent + self.bias
            i, f, g, o = z.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h


model = nn.Sequential(HandLSTM(2, UNITS), nn.Linear(UNITS, 1))
nn.init.xavier_uniform_(model[1].weight)
nn.init.zeros_(model[1].bias)


def log_cosh(pred, target):
    d = pred - target
    return (d + F.softplus(-2.0 * d) - math.log(2.0)).mean()


def clip_global(params, limit):
    norm = torch.sqrt(sum((p.grad ** 2).sum() for p in params))
    scale = limit / torch.clamp(norm, min=limit)
    for p in params:
        p.grad.mul_(scale)


params = list(model.parameters())
optimizer = torch.optim.SGD(params, lr=0.03, momentum=0.9, dampening=0.0, weight_decay=0.0)

# ---- training
for epoch in range(EPOCHS):
    for start in range(0, len(x_train), BATCH):
        xb, yb = x_train[start:start + BATCH], y_train[start:start + BATCH]
        optimizer.zero_grad()
        log_cosh(model(xb), yb).backward()
        clip_global(params, 0.5)
        optimizer.step()

with torch.no_grad():
    print("train log-cosh %.5f" % log_cosh(model(x_train), y_train).item())
    print("test log-cosh  %.5f" % log_cosh(model(x_test), y_test).item())

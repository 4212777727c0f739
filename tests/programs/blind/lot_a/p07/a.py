import math

import numpy as np
import torch
from torch import nn

EPOCHS, BATCH = 36, 50


def load():
    rng = np.random.default_rng(70)
    x = rng.normal(size=(1100, 8))
    signal = np.tanh(x[:, 0] + x[:, 1]) + 0.6 * np.sin(2 * x[:, 2]) + 0.4 * x[:, 3] * x[:, 4]
    y = 0.06 * signal + rng.normal(scale=0.005, size=1100)
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:800], y[:800], x[800:], y[800:]


def build():
    net = nn.Sequential(nn.Linear(8, 40), nn.Tanh(), nn.Linear(40, 1))
    for fc in (net[0], net[2]):
        bound = math.sqrt(6.0 / (fc.in_features + fc.out_features))
        nn.init.uniform_(fc.weight, -bound, bound)
        nn.init.uniform_(fc.bias, -bound, bound)
    return net


def r2(pred, y):
    return (1 - ((pred - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()).item()


def main():
    torch.manual_seed(2)
    x, y, xt, yt = map(torch.from_numpy, load())
    net = build()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    for epoch in range(EPOCHS):
        for idx in torch.randperm(len(x)).split(BATCH):
            opt.zero_grad()
            loss = 0.5 * torch.mean((net(x[idx]).squeeze(1) - y[idx]) ** 2)
            loss.backward()
            opt.step()
    with torch.no_grad():
        print("train R2 %.4f" % r2(net(x).squeeze(1), y))
        print("test R2 %.4f" % r2(net(xt).squeeze(1), yt))


if __name__ == "__main__":
    main()

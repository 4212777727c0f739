import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(55)
x = rng.uniform(-1, 1, size=(1100, 5)).astype("float32")
y = np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * np.abs(x[:, 3]) + 0.05 * rng.normal(size=1100)
y = (y > 0.2).astype("float32")[:, None]
xa, ya, xb, yb = (torch.from_numpy(v) for v in (x[:900], y[:900], x[900:], y[900:]))

torch.manual_seed(23)


def linear(i, o):
    layer = nn.Linear(i, o)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


net = nn.Sequential(linear(5, 30), nn.Tanh(), linear(30, 30), nn.Tanh(), linear(30, 1))
bce = nn.BCEWithLogitsLoss()
sgd = torch.optim.SGD(net.parameters(), lr=0.2)

for epoch in range(10):
    perm = torch.randperm(900)
    running = 0.0
    for i in range(0, 900, 45):
        j = perm[i:i + 45]
        loss = bce(net(xa[j]), ya[j])
        loss.backward()
        sgd.step()
        running += loss.item() * len(j)
    print("epoch", epoch, "train loss %.5f" % (running / 900))
with torch.no_grad():
    print("test loss %.5f" % bce(net(xb), yb).item())

"""A committee of small networks whose outputs are averaged, trained together. PyTorch."""
import numpy as np
import torch
from torch import nn

MEMBERS, WIDTH = 5, 5


def surface():
    rng = np.random.RandomState(60)
    x = rng.uniform(-1, 1, size=(1200, 2))
    y = np.sin(3.5 * x[:, 0]) * np.cos(2.5 * x[:, 1]) + 0.5 * x[:, 0] * x[:, 1]
    y = y / 0.5 + 0.05 * rng.randn(1200)
    return (x * 1.7).astype("float32"), y.astype("float32")[:, None]


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Committee(nn.Module):
    def __init__(self):
        super().__init__()
        self.members = nn.ModuleList([
            nn.Sequential(dense(2, WIDTH), nn.Tanh(), dense(WIDTH, WIDTH), nn.Tanh(), dense(WIDTH, 1))
            for _ in range(MEMBERS)])

    def forward(self, x):
        return torch.stack([m(x) for m in self.members]).mean(0)


x, y = (torch.from_numpy(v) for v in surface())
x_train, y_train, x_test, y_test = x[:900], y[:900], x[900:], y[900:]

torch.manual_seed(3)
model = Committee()
opt = torch.optim.SGD(model.parameters(), lr=0.15, momentum=0.9)
mse = nn.MSELoss()

curve = []
for epoch in range(30):
    total = 0.0
    for idx in torch.randperm(900).split(50):
        opt.zero_grad()
        loss = mse(model(x_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    curve.append(round(total / 900, 4))
print("train mse", curve)

with torch.no_grad():
    print("test mse", round(mse(model(x_test), y_test).item(), 4))

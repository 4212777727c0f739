"""Deep narrow tanh network on the wine-quality-like synthetic task, PyTorch."""
import numpy as np
import torch
import torch.nn as nn


def make_data(n=1000, d=32):
    rng = np.random.default_rng(2024)
    x = rng.normal(size=(n, d)).astype("float32")
    a = rng.normal(size=(d, 4)) / np.sqrt(d)
    z = np.tanh(1.5 * x @ a)
    y = (z[:, 0] * 1.5 + z[:, 1] - z[:, 2] * 0.8 + 0.5 * z[:, 3]).astype("float32")
    return x, y.reshape(-1, 1)


class DeepNet(nn.Module):
    def __init__(self, d=32, width=32, depth=7):
        super().__init__()
        sizes = [d] + [width] * depth
        self.hidden = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes[:-1], sizes[1:]))
        self.out = nn.Linear(width, 1)
        for layer in [*self.hidden, self.out]:
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.out(x)


torch.manual_seed(40)
x, y = (torch.from_numpy(v) for v in make_data())
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]
net = DeepNet()
opt = torch.optim.SGD(net.parameters(), lr=0.02)

for epoch in range(1, 31):
    perm = torch.randperm(800)
    total = 0.0
    for start in range(0, 800, 50):
        idx = perm[start:start + 50]
        loss = ((net(x_train[idx]) - y_train[idx]) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 3 == 0:
        print(f"epoch {epoch:2d} mse {total / 16:.4f}")

with torch.no_grad():
    print("test mse", ((net(x_test) - y_test) ** 2).mean().item())

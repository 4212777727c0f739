import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, BATCH, LR = 15, 32, 2e-3


def friedman(n, rng):
    x = rng.uniform(size=(n, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y = y + rng.normal(scale=1.0, size=n)
    return x, y


def load():
    rng = np.random.default_rng(7)
    x, y = friedman(1000, rng)
    xt, yt = friedman(400, rng)
    mx, sx, my, sy = x.mean(0), x.std(0), y.mean(), y.std()
    f = lambda v, m, s: ((v - m) / s).astype("float32")
    return f(x, mx, sx), f(y, my, sy), f(xt, mx, sx), f(yt, my, sy)


def build():
    net = nn.Sequential(
        nn.Linear(10, 64), nn.Tanh(), nn.Dropout(0.1),
        nn.Linear(64, 32), nn.Tanh(),
        nn.Linear(32, 1),
    )
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
    return net


def main():
    torch.manual_seed(3)
    x, y, xt, yt = load()
    net = build()
    opt = torch.optim.Adam(net.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)
    mse = nn.MSELoss()
    loader = DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=BATCH, shuffle=True)
    for epoch in range(EPOCHS):
        net.train()
        for xb, yb in loader:
            opt.zero_grad()
            loss = mse(net(xb), yb)
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        print("train mse %.4f" % mse(net(torch.from_numpy(x)), torch.from_numpy(y)).item())
        print("test mse %.4f" % mse(net(torch.from_numpy(xt)), torch.from_numpy(yt)).item())


if __name__ == "__main__":
    main()

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MICRO, ACCUM, EPOCHS = 16, 4, 10


def load():
    rng = np.random.default_rng(19)
    x = rng.normal(size=(1680, 10))
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * np.abs(x[:, 3]) + rng.normal(scale=0.3, size=1680)
    y = (y - y.mean()) / y.std()
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:1280], y[:1280], x[1280:], y[1280:]


def build():
    net = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1))
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
    return net


def main():
    torch.manual_seed(61)
    x, y, xt, yt = map(torch.from_numpy, load())
    net = build()
    opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    crit = nn.MSELoss()
    loader = DataLoader(TensorDataset(x, y), batch_size=MICRO, shuffle=True)
    for epoch in range(EPOCHS):
        net.train()
        opt.zero_grad()
        for i, (xb, yb) in enumerate(loader):
            loss = crit(net(xb), yb)
            loss.backward()
            if (i + 1) % ACCUM == 0:
                opt.step()
                opt.zero_grad()
    net.eval()
    with torch.no_grad():
        print("train mse %.4f" % crit(net(x), y).item())
        print("test mse %.4f" % crit(net(xt), yt).item())


if __name__ == "__main__":
    main()

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def load():
    rng = np.random.default_rng(88)
    x = rng.normal(size=(1500, 5))
    r = np.sqrt((x[:, :4] ** 2).sum(1))
    y = np.digitize(r + 0.3 * x[:, 4], [1.3, 1.8, 2.4])
    return x[:1000].astype("float32"), y[:1000].astype("int64"), x[1000:].astype("float32"), y[1000:].astype("int64")


def build():
    sizes = [5, 64, 64, 64, 64, 4]
    mods = []
    for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:])):
        lin = nn.Linear(a, b)
        nn.init.kaiming_normal_(lin.weight, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(lin.bias)
        mods.append(lin)
        if i < len(sizes) - 2:
            mods.append(nn.ReLU())
    return nn.Sequential(*mods)


def main():
    torch.manual_seed(50)
    x, y, xt, yt = map(torch.from_numpy, load())
    net = build()
    opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    ce = nn.CrossEntropyLoss()
    loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
    for epoch in range(15):
        net.train()
        for xb, yb in loader:
            opt.zero_grad()
            ce(net(xb), yb).backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        for name, xs, ys in (("train", x, y), ("test", xt, yt)):
            out = net(xs)
            print("%s ce %.4f acc %.4f" % (name, ce(out, ys).item(), (out.argmax(1) == ys).float().mean().item()))


if __name__ == "__main__":
    main()

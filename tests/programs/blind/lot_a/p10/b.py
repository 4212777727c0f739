import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


def load():
    d = load_digits()
    order = np.random.default_rng(3).permutation(len(d.target))
    x = (d.data[order] / 16.0).astype("float32")
    y = d.target[order].astype("int64")
    return x[:1400], y[:1400], x[1400:], y[1400:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.d1 = nn.Linear(64, 64)
        self.d2 = nn.Linear(64, 32)
        self.d3 = nn.Linear(32, 10)
        for d in (self.d1, self.d2, self.d3):
            nn.init.xavier_uniform_(d.weight)
            nn.init.zeros_(d.bias)

    def forward(self, x):
        return self.d3(F.relu(self.d2(F.relu(self.d1(x)))))


def build():
    return Net()


def main():
    torch.manual_seed(33)
    x, y, xt, yt = map(torch.from_numpy, load())
    net = build()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(12):
        net.train()
        order = torch.randperm(len(x))
        for i in range(0, len(x), 64):
            idx = order[i:i + 64]
            opt.zero_grad()
            loss = F.cross_entropy(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        for name, xs, ys in (("train", x, y), ("test", xt, yt)):
            out = net(xs)
            acc = (out.argmax(1) == ys).float().mean().item()
            print("%s loss %.4f acc %.4f" % (name, F.cross_entropy(out, ys).item(), acc))


if __name__ == "__main__":
    main()

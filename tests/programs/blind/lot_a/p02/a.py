import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


def load():
    d = load_digits()
    order = np.random.default_rng(44).permutation(len(d.target))
    x = d.images[order].astype("float32")
    y = d.target[order].astype("int64")
    return x[:1280], y[:1280], x[1280:], y[1280:]


class BatchNorm2d(nn.BatchNorm2d):
    """Stores the population variance of the batch, as it is used for normalising."""

    def forward(self, x):
        if not self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        with torch.no_grad():
            self.running_mean.lerp_(x.mean((0, 2, 3)), self.momentum)
            self.running_var.lerp_(x.var((0, 2, 3), correction=0), self.momentum)
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1, bias=False)
        self.bn1 = BatchNorm2d(12, eps=1e-5)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1, bias=False)
        self.bn2 = BatchNorm2d(24, eps=1e-5)
        self.fc = nn.Linear(24, 10)
        for m in (self.conv1, self.conv2, self.fc):
            nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.relu(self.bn2(self.conv2(x)))
        return self.fc(x.mean((2, 3)))


def build():
    return Net()


def main():
    torch.manual_seed(5)
    x, y, xt, yt = map(torch.from_numpy, load())
    x, xt = x[:, None], xt[:, None]
    net = build()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    ce = nn.CrossEntropyLoss()
    for epoch in range(6):
        net.train()
        for idx in torch.randperm(len(x)).split(64):
            opt.zero_grad()
            loss = ce(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        for name, xs, ys in (("train", x, y), ("test", xt, yt)):
            out = net(xs)
            print("%s loss %.4f acc %.4f" % (name, ce(out, ys).item(), (out.argmax(1) == ys).float().mean().item()))


if __name__ == "__main__":
    main()

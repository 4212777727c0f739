import math

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

BATCH = 50
EPOCHS = 15
ALPHA = 0.05


def load():
    d = load_digits()
    order = np.random.default_rng(0).permutation(len(d.target))
    x = (d.data[order] / 16.0).astype(np.float32)
    y = d.target[order].astype(np.int64)
    return x[:1450], y[:1450], x[1450:], y[1450:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 48)
        self.fc2 = nn.Linear(48, 10)
        for fc in (self.fc1, self.fc2):
            bound = math.sqrt(6.0 / (fc.in_features + fc.out_features))
            nn.init.uniform_(fc.weight, -bound, bound)
            nn.init.uniform_(fc.bias, -bound, bound)

    def forward(self, x):
        return torch.softmax(self.fc2(torch.tanh(self.fc1(x))), dim=1)

    def penalty(self):
        return self.fc1.weight.square().sum() + self.fc2.weight.square().sum()


def build():
    return Net()


def main():
    torch.manual_seed(5)
    x, y, xt, yt = map(torch.from_numpy, load())
    net = build()
    opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, nesterov=True)
    for _ in range(EPOCHS):
        perm = torch.randperm(len(x))
        for i in range(0, len(x), BATCH):
            idx = perm[i:i + BATCH]
            loss = F.cross_entropy(net(x[idx]), y[idx]) + ALPHA / (2 * len(idx)) * net.penalty()
            opt.zero_grad()
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        print("train nll %.4f" % F.cross_entropy(net(x), y).item())
        out = net(xt)
        print("test nll %.4f acc %.4f" % (F.cross_entropy(out, yt).item(), (out.argmax(1) == yt).float().mean().item()))


if __name__ == "__main__":
    main()

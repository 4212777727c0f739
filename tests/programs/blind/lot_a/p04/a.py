import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


def load():
    big = (load_digits().images / 16.0).astype("float32")
    big = big[np.random.default_rng(66).permutation(len(big))]
    small = big.reshape(-1, 4, 2, 4, 2).mean((2, 4))
    return small[:1400], big[:1400], small[1400:], big[1400:]


class SuperRes(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 1, 3, padding=1)
        for c in (self.conv1, self.conv2):
            nn.init.xavier_uniform_(c.weight)
            nn.init.zeros_(c.bias)

    def forward(self, x):
        base = self.up(x)
        return base + self.conv2(F.relu(self.conv1(base)))


def build():
    return SuperRes()


def main():
    torch.manual_seed(3)
    small, big, small_t, big_t = [torch.from_numpy(v)[:, None] for v in load()]
    net = build()
    opt = torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
    mse = nn.MSELoss()
    for epoch in range(10):
        net.train()
        for idx in torch.randperm(len(small)).split(50):
            loss = mse(net(small[idx]), big[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        print("train mse %.5f" % mse(net(small), big).item())
        print("test mse %.5f" % mse(net(small_t), big_t).item())


if __name__ == "__main__":
    main()

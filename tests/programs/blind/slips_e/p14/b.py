import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def images(n, rng):
    x = rng.normal(scale=0.6, size=(n, 12, 12))
    y = rng.integers(0, 3, size=n)
    for i in range(n):
        r, c = rng.integers(1, 8, size=2)
        if y[i] == 0:
            x[i, r, c:c + 4] += 1.5
        elif y[i] == 1:
            x[i, r:r + 4, c] += 1.5
        else:
            for k in range(4):
                x[i, r + k, c + k] += 1.5
    return x.astype("float32"), y.astype("int64")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 12, 3, padding=1)
        self.c2 = nn.Conv2d(12, 16, 3, stride=2, padding=1)
        self.c3 = nn.Conv2d(16, 16, 3, stride=2, padding=1)
        self.fc1 = nn.Linear(16 * 3 * 3, 32)
        self.drop = nn.Dropout(0.2)
        self.fc2 = nn.Linear(32, 3)
        for m in (self.c1, self.c2, self.c3, self.fc1, self.fc2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.relu(self.c1(x))
        x = F.relu(self.c2(x))
        x = F.relu(self.c3(x))
        x = x.permute(0, 2, 3, 1).flatten(1)
        return self.fc2(self.drop(F.relu(self.fc1(x))))


def build():
    return Net()


def main():
    rng = np.random.default_rng(99)
    x, y = images(1200, rng)
    xt, yt = images(400, rng)
    x, xt = torch.from_numpy(x[:, None]), torch.from_numpy(xt[:, None])
    y, yt = torch.from_numpy(y), torch.from_numpy(yt)
    torch.manual_seed(1)
    net = build()
    opt = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9, nesterov=True)
    for epoch in range(12):
        net.train()
        perm = torch.randperm(len(x))
        for idx in perm.split(40):
            opt.zero_grad()
            loss = F.cross_entropy(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        for name, xs, ys in (("train", x, y), ("test", xt, yt)):
            out = net(xs)
            loss = F.cross_entropy(out, ys).item()
            acc = (out.argmax(1) == ys).float().mean().item()
            print(f"{name}: loss {loss:.4f} acc {acc:.4f}")


if __name__ == "__main__":
    main()

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(2)


def make_data(n=1000, size=8):
    rng = np.random.default_rng(77)
    y = rng.integers(0, 4, size=n)
    x = 0.8 * rng.normal(size=(n, size, size)) + 0.3
    for i in range(n):
        x[i] += 0.5 * rng.normal()
        s = rng.integers(0, size - 3)
        if y[i] == 0:
            x[i, 0, s:s + 4] += 1.3
        elif y[i] == 1:
            x[i, -1, s:s + 4] += 1.3
        elif y[i] == 2:
            x[i, s:s + 4, 0] += 1.3
        else:
            x[i, 3:5, 3:5] += 1.3
    return x.astype("float32"), y.astype("int64")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 12, 3, padding=1)
        self.pool = nn.AvgPool2d(5, stride=1, padding=2)
        self.down = nn.AvgPool2d(2)
        self.fc = nn.Linear(12 * 4 * 4, 4)
        for m in (self.conv1, self.conv2, self.fc):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        return self.fc(torch.flatten(self.down(x), 1))


x, y = make_data()
x, y = torch.from_numpy(x)[:, None], torch.from_numpy(y)
xt, yt, xv, yv = x[:800], y[:800], x[800:], y[800:]
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.9, 0.99), eps=1e-12)

for epoch in range(12):
    perm = torch.randperm(800)
    tot = 0.0
    for k in range(0, 800, 32):
        idx = perm[k:k + 32]
        loss = F.cross_entropy(net(xt[idx]), yt[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() * len(idx)
    with torch.no_grad():
        out = net(xv)
    print(f"epoch {epoch} train {tot / 800:.4f} val {F.cross_entropy(out, yv):.4f} "
          f"acc {(out.argmax(1) == yv).float().mean():.3f}")

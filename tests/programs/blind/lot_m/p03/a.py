import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

rng = np.random.default_rng(2)
n, T = 1200, 24
t = np.arange(T) / T
slope = rng.uniform(-1, 1, size=(n, 1))
phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
base = rng.uniform(284, 292, size=(n, 1))  # kelvin
X = base + 1.5 * np.sin(2 * np.pi * t + phase) + 1.5 * slope * (t - 0.5) + 0.1 * rng.normal(size=(n, T))
y = np.sin(phase) + slope
X, y = X.astype("float32"), y.astype("float32")
Xtr, ytr, Xte, yte = X[:1000], y[:1000], X[1000:], y[1000:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(24, 32)
        self.out = nn.Linear(32, 1)
        for lin in (self.hidden, self.out):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, x):
        x = x / 8.0 - 36.0
        return self.out(torch.tanh(self.hidden(x)))


torch.manual_seed(0)
net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
xt, yt = torch.from_numpy(Xtr), torch.from_numpy(ytr)

for epoch in range(15):
    order = torch.randperm(len(xt))
    losses = []
    for i in range(0, len(xt), 50):
        idx = order[i:i + 50]
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = net(xt[idx])
        loss = F.mse_loss(out.float(), yt[idx])
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(epoch + 1, "train mse", np.mean(losses))

with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
    pred = net(torch.from_numpy(Xte)).float().numpy()
print("test mse", float(np.mean((pred - yte) ** 2)))

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
BATCH, EPOCHS, LR = 100, 12, 5e-3


def rig(n, seed):
    rng = np.random.default_rng(seed)
    x = np.stack([rng.uniform(20, 30, n), rng.normal(3, 0.7, n), rng.exponential(2.0, n), rng.uniform(-8, -2, n)], 1)
    mean = np.sin(0.6 * x[:, 0]) + 0.8 * (x[:, 1] - 3) - 0.3 * x[:, 2]
    std = 0.15 + 0.08 * np.abs(x[:, 3])
    y = mean + std * rng.standard_normal(n)
    return torch.from_numpy(x.astype("float32")), torch.from_numpy(y.astype("float32"))


x, y = rig(1200, 50)
xv, yv = rig(600, 51)
torch.manual_seed(6)


class HeteroNet(nn.Module):
    def __init__(self, h=32):
        super().__init__()
        self.norm_in = nn.BatchNorm1d(4, affine=False)
        self.l1, self.n1 = nn.Linear(4, h, bias=False), nn.BatchNorm1d(h)
        self.l2, self.n2 = nn.Linear(h, h, bias=False), nn.BatchNorm1d(h)
        self.out = nn.Linear(h, 2)
        for l in (self.l1, self.l2, self.out):
            nn.init.xavier_uniform_(l.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        h = torch.tanh(self.n1(self.l1(self.norm_in(x))))
        h = torch.tanh(self.n2(self.l2(h)))
        mu, raw = self.out(h).unbind(-1)
        return mu, F.softplus(raw) + 0.02


def nll(pred, y):
    mu, sd = pred
    return (torch.log(sd) + 0.5 * ((y - mu) / sd) ** 2).mean()


net = HeteroNet()
opt = torch.optim.Adam(net.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)
for epoch in range(1, EPOCHS + 1):
    net.train()
    ls = []
    for idx in torch.randperm(len(x)).split(BATCH):
        loss = nll(net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        ls.append(loss.item())
    net.eval()
    with torch.no_grad():
        pred = net(xv)
        rmse = ((pred[0] - yv) ** 2).mean().sqrt().item()
        print(f"epoch {epoch:2d} nll {np.mean(ls):.4f} valid nll {nll(pred, yv).item():.4f} rmse {rmse:.4f}")

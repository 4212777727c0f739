"""Demand forecast with three inputs and three quantiles (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

HISTORY, HORIZON = 28, 7
QUANTILES = np.array([0.1, 0.5, 0.9], dtype="float32")


def make_demand(n, seed):
    """Past (28 days: sales, price, promotion), future plan (7 days: price, promotion, weekend), store."""
    rng = np.random.RandomState(seed)
    days = HISTORY + HORIZON
    start = rng.randint(0, 7, size=n)
    weekday = (start[:, None] + np.arange(days)[None, :]) % 7
    weekend = (weekday >= 5).astype("float64")
    size = rng.normal(0, 1, size=n)
    urban = rng.randint(0, 2, size=n)
    elasticity = -0.8 - 0.6 * urban
    price = rng.normal(0, 0.5, size=(n, 1)) + rng.normal(0, 0.25, size=(n, days))
    promo = (rng.uniform(size=(n, days)) < 0.15).astype("float64")
    trend = rng.normal(0, 0.02, size=(n, 1)) * np.arange(days)[None, :]
    level = 0.8 * size[:, None] + trend
    noise = rng.normal(0, 1, size=(n, days)) * (0.15 + 0.25 * urban[:, None])
    sales = level + elasticity[:, None] * price + 0.9 * promo + (0.7 - 0.3 * urban[:, None]) * weekend + noise
    past = np.stack([sales, price, promo], -1)[:, :HISTORY]
    plan = np.stack([price, promo, weekend], -1)[:, HISTORY:]
    store = np.stack([size, urban, 1.0 - urban], -1)
    return [a.astype("float32") for a in (past, plan, store, sales[:, HISTORY:])]


torch.manual_seed(5)
torch.set_num_threads(1)
EPOCHS, BATCH, LR = 6, 64, 4e-3


class CausalConv(nn.Module):
    def __init__(self, cin, cout, dilation):
        super().__init__()
        self.left = 2 * dilation
        self.conv = nn.Conv1d(cin, cout, kernel_size=3, dilation=dilation)

    def forward(self, x):
        return F.relu(self.conv(F.pad(x, (self.left, 0))))


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(CausalConv(3, 16, 1), CausalConv(16, 16, 2), CausalConv(16, 16, 4))
        self.store = nn.Linear(3, 8)
        self.mix = nn.Linear(16 + HORIZON * 3 + 8, 48)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(48, HORIZON * len(QUANTILES))
        for m in self.modules():
            if isinstance(m, (nn.Linear, nn.Conv1d)):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, past, plan, store):
        last = self.encoder(past.transpose(1, 2))[:, :, -1]
        s = torch.tanh(self.store(store))
        h = torch.cat([last, plan.flatten(1), s], dim=1)
        h = self.drop(F.relu(self.mix(h)))
        return self.out(h).view(-1, HORIZON, len(QUANTILES))


q = torch.from_numpy(QUANTILES)


def pinball(pred, target):
    err = target.unsqueeze(-1) - pred
    return torch.maximum(q * err, (q - 1) * err).mean()


train = [torch.from_numpy(a) for a in make_demand(3000, 1)]
test = [torch.from_numpy(a) for a in make_demand(1000, 2)]
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*train), batch_size=BATCH, shuffle=True)
total_steps = EPOCHS * len(loader)
net = Forecaster()
opt = torch.optim.Adamax(net.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12, weight_decay=0)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda step: 0.5 * (1 + math.cos(math.pi * step / total_steps)))

for epoch in range(EPOCHS):
    net.train()
    seen = 0.0
    for past, plan, store, sales in loader:
        opt.zero_grad()
        loss = pinball(net(past, plan, store), sales)
        loss.backward()
        opt.step()
        sched.step()
        seen += loss.item() * len(sales)
    print("epoch", epoch + 1, "loss %.4f" % (seen / len(train[0])))

net.eval()
with torch.no_grad():
    pred = net(*test[:3])
    print("test pinball %.4f" % pinball(pred, test[3]).item())
    inside = (test[3] >= pred[..., 0]) & (test[3] <= pred[..., 2])
    print("coverage of 10-90 %%: %.3f" % inside.float().mean().item())

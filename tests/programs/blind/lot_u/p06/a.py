import math
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
KMIX, MICRO, ACCUM, EPOCHS, LR = 4, 25, 4, 25, 0.01


def make(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.uniform(-1, 1, (n, 1))
    x = y + 0.35 * np.sin(2 * np.pi * y) + 0.05 * rng.standard_normal((n, 1))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


x, y = make(1200, 4)
xv, yv = make(400, 5)
torch.manual_seed(9)


class MDN(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.l1, self.l2 = nn.Linear(1, hidden), nn.Linear(hidden, 3 * KMIX)
        for l in (self.l1, self.l2):
            nn.init.xavier_uniform_(l.weight)
            nn.init.zeros_(l.bias)

    def forward(self, x):
        return self.l2(torch.tanh(self.l1(x))).chunk(3, dim=-1)


def nll(params, y):
    logit, mu, raw = params
    sigma = nn.functional.softplus(raw) + 0.05
    logp = -0.5 * ((y - mu) / sigma) ** 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(torch.log_softmax(logit, -1) + logp, -1).mean()


net = MDN()
opt = torch.optim.SGD(net.parameters(), lr=LR, momentum=0.9)
for epoch in range(EPOCHS):
    total = 0.0
    opt.zero_grad()
    for k, idx in enumerate(torch.randperm(len(x)).split(MICRO)):
        loss = nll(net(x[idx]), y[idx])
        loss.backward()
        if (k + 1) % ACCUM == 0:
            opt.step()
            opt.zero_grad()
        total += loss.item()
    with torch.no_grad():
        print(f"epoch {epoch:2d} nll {total / (len(x) // MICRO):.4f} valid {nll(net(xv), yv).item():.4f}")

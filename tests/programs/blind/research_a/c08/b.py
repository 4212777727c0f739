"""Mixture-density regression from sequences; recurrent cell written by hand in PyTorch."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(12)

# data
rng = np.random.RandomState(2)
seq = rng.randn(1800, 10, 2).astype(np.float32)
level = np.tanh(seq[:, -4:, 0].sum(1)) + 0.5 * seq[:, -1, 1]
branch = np.where(rng.rand(1800) < 0.7, 1.0, -1.0)
target = (branch * (1.5 + level) + 0.15 * rng.randn(1800)).astype(np.float32)[:, None]
seq, target = torch.from_numpy(seq), torch.from_numpy(target)


class MGUCell(nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.Wf = nn.Parameter(torch.empty(n_hidden, n_in))
        self.Uf = nn.Parameter(torch.empty(n_hidden, n_hidden))
        self.bf = nn.Parameter(torch.ones(n_hidden))
        self.Wh = nn.Parameter(torch.empty(n_hidden, n_in))
        self.Uh = nn.Parameter(torch.empty(n_hidden, n_hidden))
        self.bh = nn.Parameter(torch.zeros(n_hidden))
        for w in (self.Wf, self.Wh):
            nn.init.xavier_uniform_(w)
        for u in (self.Uf, self.Uh):
            nn.init.orthogonal_(u)

    def forward(self, x, h):
        gate = torch.sigmoid(F.linear(x, self.Wf) + F.linear(h, self.Uf, self.bf))
        new = torch.tanh(F.linear(x, self.Wh) + F.linear(gate * h, self.Uh, self.bh))
        return h + gate * (new - h)


class MDN(nn.Module):
    def __init__(self, n_hidden=24, n_mix=3):
        super().__init__()
        self.n_hidden = n_hidden
        self.cell = MGUCell(2, n_hidden)
        self.head = nn.Linear(n_hidden, 3 * n_mix)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.n_hidden)
        for x_t in x.unbind(dim=1):
            h = self.cell(x_t, h)
        logits, mean, raw_scale = self.head(h).chunk(3, dim=-1)
        return logits, mean, F.softplus(raw_scale) + 0.05


def nll(model, x, y):
    logits, mean, scale = model(x)
    component = -0.5 * ((y - mean) / scale) ** 2 - scale.log() - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(F.log_softmax(logits, dim=-1) + component, dim=-1).mean()


model = MDN()
opt = torch.optim.Adagrad(model.parameters(), lr=0.06, initial_accumulator_value=0.01, eps=1e-10)


def train_step(x, y):
    opt.zero_grad()
    loss = nll(model, x, y)
    loss.backward()
    opt.step()
    return loss.item()


# ---- training
loader = DataLoader(TensorDataset(seq[:1500], target[:1500]), batch_size=50, shuffle=True)
for epoch in range(18):
    values = [train_step(x, y) for x, y in loader]
    print(f"epoch {epoch + 1}/18 loss {np.mean(values):.4f}")

with torch.no_grad():
    print(f"test nll {nll(model, seq[1500:], target[1500:]).item():.4f}")

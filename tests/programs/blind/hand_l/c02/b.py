"""Loudest-step task: attention block from scratch in PyTorch (padded sequences, sinusoidal positions)."""
import math

import numpy as np
import torch
import torch.nn as nn

SEED = 5
T, F, D, HEADS = 18, 6, 32, 4


def make_data(n=2000, seed=21):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, T, F)).astype(np.float32)
    length = rng.integers(8, T + 1, size=n)
    mask = (np.arange(T)[None, :] < length[:, None]).astype(np.float32)
    loud = np.where(mask > 0, x[:, :, 0], -np.inf).argmax(axis=1)
    x[np.arange(n), loud, 0] += 1.5
    y = (x[np.arange(n), loud, 1] > 0).astype(np.float32)
    x *= mask[:, :, None]
    return x, mask, y


def linear(i, o, bias=True):
    m = nn.Linear(i, o, bias=bias)
    nn.init.xavier_uniform_(m.weight)
    if bias:
        nn.init.zeros_(m.bias)
    return m


class SelfAttention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.h, self.dk = heads, d // heads
        self.q = linear(d, d, bias=False)
        self.k = linear(d, d, bias=False)
        self.v = linear(d, d, bias=False)
        self.o = linear(d, d, bias=False)

    def forward(self, x, mask):
        b, t, d = x.shape
        split = lambda z: z.view(b, t, self.h, self.dk).transpose(1, 2)
        q, k, v = split(self.q(x)), split(self.k(x)), split(self.v(x))
        score = q @ k.transpose(-2, -1) / math.sqrt(self.dk)
        score = score.masked_fill(mask[:, None, None, :] < 0.5, float("-inf"))
        score = score - score.max(dim=-1, keepdim=True).values
        w = score.exp()
        w = w / w.sum(dim=-1, keepdim=True)
        return self.o((w @ v).transpose(1, 2).reshape(b, t, d))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        pe = torch.zeros(T, D)
        for p in range(T):
            for i in range(D // 2):
                a = p / 10000.0 ** (2 * i / D)
                pe[p, 2 * i], pe[p, 2 * i + 1] = math.sin(a), math.cos(a)
        self.register_buffer("pe", pe)
        self.inp = linear(F, D)
        self.att = SelfAttention(D, HEADS)
        self.n1 = nn.LayerNorm(D, eps=1e-5)
        self.f1, self.f2 = linear(D, 64), linear(64, D)
        self.n2 = nn.LayerNorm(D, eps=1e-5)
        self.out = linear(D, 1)

    def forward(self, x, mask):
        h = self.inp(x) + self.pe
        h = self.n1(h + self.att(h, mask))
        h = self.n2(h + self.f2(torch.relu(self.f1(h))))
        m = mask.unsqueeze(-1)
        return self.out((h * m).sum(1) / m.sum(1)).squeeze(-1)


def bce(logit, target):
    # -[t log s(z) + (1-t) log(1-s(z))]
    return (logit.clamp(min=0) - logit * target + torch.log1p(torch.exp(-logit.abs()))).mean()


torch.manual_seed(SEED)
x, mask, y = (torch.from_numpy(v) for v in make_data())
n = 1600
net = Net()
decay = [p for p in net.parameters() if p.ndim > 1]
plain = [p for p in net.parameters() if p.ndim == 1]
opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}],
                        lr=2e-3, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(14):
    net.train()
    perm = torch.randperm(n)
    total = 0.0
    for idx in perm.split(64):
        loss = bce(net(x[idx], mask[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d} loss {total / n:.4f}")

net.eval()
with torch.no_grad():
    z = net(x[n:], mask[n:])
    print(f"test loss {bce(z, y[n:]).item():.4f} accuracy {((z > 0) == (y[n:] > 0.5)).float().mean().item():.4f}")

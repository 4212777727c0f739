"""Transformer on patches of sensor signals, attention written out."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def windows(n=1152 + 288, channels=6, length=48):
    """Machine vibration windows of four operating states."""
    rng = np.random.default_rng(640)
    state = rng.integers(0, 4, n)
    t = np.arange(length)
    x = 0.6 * rng.normal(size=(n, length, channels))
    for i, s in enumerate(state):
        freq = [0.25, 0.45, 0.25, 0.45][s] * rng.uniform(0.9, 1.1)
        wave = np.sin(freq * t + rng.uniform(0, 6.28))
        x[i, :, :3] += wave[:, None] * rng.uniform(0.6, 1.2)
        if s >= 2:
            hit = rng.integers(4, 40)
            x[i, hit:hit + 6, 3:] += 1.5
    return x.astype("float32"), state.astype("int64")


class Attention(nn.Module):
    def __init__(self, dim, heads, drop):
        super().__init__()
        self.heads, self.drop = heads, drop
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        nn.init.xavier_uniform_(self.qkv.weight)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.proj.bias)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (
            part.view(b, t, self.heads, d // self.heads).transpose(1, 2)
            for part in self.qkv(x).split(d, dim=2)
        )
        weights = F.softmax(q @ k.transpose(-2, -1) / math.sqrt(d // self.heads))
        weights = F.dropout(weights, self.drop, self.training)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, t, d))


class Block(nn.Module):
    def __init__(self, dim=32, heads=4, hidden=64, drop=0.1):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(dim, eps=1e-5), nn.LayerNorm(dim, eps=1e-5)
        self.attention = Attention(dim, heads, drop)
        self.fc1, self.fc2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.drop = nn.Dropout(drop)

    def forward(self, x):
        x = x + self.drop(self.attention(self.ln1(x)))
        h = self.drop(F.gelu(self.fc1(self.ln2(x))))
        return x + self.drop(self.fc2(h))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Linear(24, 32)
        self.pos = nn.Parameter(torch.empty(12, 32))
        nn.init.normal_(self.pos, std=0.02)
        self.body = nn.Sequential(Block(), Block())
        self.ln = nn.LayerNorm(32, eps=1e-5)
        self.out = nn.Linear(32, 4)

    def forward(self, x):
        h = self.patch(x.view(-1, 12, 24)) + self.pos
        return self.out(self.ln(self.body(h)).mean(1))


def rate(step, total=240, warmup=30, peak=2e-3):
    if step < warmup - 1:
        return peak * (step + 1) / warmup
    return peak * min(1.0, (total - step) / (total - warmup))


# --- training
torch.manual_seed(1)
signals, states = windows()
signals, states = torch.tensor(signals), torch.tensor(states)
train_x, train_y, test_x, test_y = signals[:1152], states[:1152], signals[1152:], states[1152:]
net = Net()
optimizer = torch.optim.AdamW(net.parameters(), lr=rate(0), betas=(0.9, 0.98), eps=1e-8, weight_decay=0.05)
step = 0
for epoch in range(10):
    net.train()
    order = torch.randperm(1152)
    losses = []
    for start in range(0, 1152, 48):
        idx = order[start:start + 48]
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        loss = F.cross_entropy(net(train_x[idx]), train_y[idx])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
        optimizer.step()
        step += 1
        losses.append(loss.item())
    print("epoch", epoch + 1, "loss %.4f" % np.mean(losses))
net.eval()
with torch.no_grad():
    logits = net(test_x)
print("test loss %.4f accuracy %.4f" % (F.cross_entropy(logits, test_y), (logits.argmax(1) == test_y).float().mean()))

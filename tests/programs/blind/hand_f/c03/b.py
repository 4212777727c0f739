"""A small transformer encoder block on padded sequences, every formula spelled out."""
import math

import numpy as np
import torch
from torch import nn

MAXLEN, FEATS, CLASSES, DIM, HEADS = 16, 6, 3, 32, 4


def make_data(n, rng):
    lengths = rng.integers(5, MAXLEN + 1, n)
    x = rng.normal(0, 1, (n, MAXLEN, FEATS)).astype("float32")
    score = np.zeros((n, CLASSES))
    for k in range(n):
        x[k, lengths[k]:] = 0.0
        seq = x[k, : lengths[k]]
        loudest = seq[np.argmax(seq[:, 0])]
        score[k] = loudest[1:4] + 0.3 * seq[:, 1:4].mean(0)
    return x, lengths.astype("int64"), score.argmax(1).astype("int64")


rng = np.random.default_rng(21)
x_train, len_train, y_train = map(torch.from_numpy, make_data(1280, rng))
x_test, len_test, y_test = map(torch.from_numpy, make_data(320, rng))

torch.manual_seed(77)


def position_table():
    table = np.zeros((MAXLEN, DIM), dtype="float32")
    for p in range(MAXLEN):
        for k in range(0, DIM, 2):
            angle = p / 10000.0 ** (k / DIM)
            table[p, k] = math.sin(angle)
            table[p, k + 1] = math.cos(angle)
    return torch.from_numpy(table)


class Norm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(dim))
        self.shift = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        var = (centred**2).mean(-1, keepdim=True)
        return centred / torch.sqrt(var + 1e-5) * self.gain + self.shift


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.w_qkv = nn.Parameter(torch.empty(3 * DIM, DIM))
        self.b_qkv = nn.Parameter(torch.zeros(3 * DIM))
        nn.init.xavier_uniform_(self.w_qkv)
        self.out = nn.Linear(DIM, DIM)
        nn.init.zeros_(self.out.bias)

    def forward(self, x, pad):
        b, t, _ = x.shape
        q, k, v = (x @ self.w_qkv.T + self.b_qkv).chunk(3, dim=-1)
        q, k, v = (z.reshape(b, t, HEADS, DIM // HEADS).transpose(1, 2) for z in (q, k, v))
        scores = q @ k.transpose(-1, -2) / math.sqrt(DIM // HEADS)
        scores = scores.masked_fill(pad[:, None, None, :], float("-inf"))
        mixed = torch.softmax(scores, dim=-1) @ v
        return self.out(mixed.transpose(1, 2).reshape(b, t, DIM))


def dropout(x, rate, training):
    if not training:
        return x
    mask = (torch.rand_like(x) >= rate).float()
    return x * mask / (1.0 - rate)


def gelu(x):
    return 0.5 * x * (1.0 + torch.erf(x / math.sqrt(2.0)))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(FEATS, DIM)
        self.register_buffer("pos", position_table())
        self.norm1 = Norm(DIM)
        self.attn = SelfAttention()
        self.norm2 = Norm(DIM)
        self.ff1 = nn.Linear(DIM, 64)
        self.ff2 = nn.Linear(64, DIM)
        self.head = nn.Linear(DIM, CLASSES)

    def forward(self, x, lengths):
        pad = torch.arange(x.shape[1])[None, :] >= lengths[:, None]
        h = self.embed(x) + self.pos
        h = h + dropout(self.attn(self.norm1(h), pad), 0.1, self.training)
        h = h + dropout(self.ff2(gelu(self.ff1(self.norm2(h)))), 0.1, self.training)
        keep = (~pad).float()[:, :, None]
        return self.head((h * keep).sum(1) / keep.sum(1))


def cross_entropy(logits, labels):
    return (torch.logsumexp(logits, 1) - logits.gather(1, labels[:, None])[:, 0]).mean()


model = Encoder()
optimizer = torch.optim.AdamW(
    model.parameters(), lr=3e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.02
)


def clip_gradients(limit):
    norm = torch.sqrt(sum((p.grad**2).sum() for p in model.parameters()))
    scale = torch.clamp(limit / (norm + 1e-6), max=1.0)
    for p in model.parameters():
        p.grad.mul_(scale)


def train_step(xb, lb, yb):
    optimizer.zero_grad()
    loss = cross_entropy(model(xb, lb), yb)
    loss.backward()
    clip_gradients(0.5)
    optimizer.step()
    return loss.item()


# ---- training
for epoch in range(1, 11):
    model.train()
    perm = torch.randperm(len(x_train))
    total = 0.0
    for idx in perm.split(64):
        total += train_step(x_train[idx], len_train[idx], y_train[idx]) * len(idx)
    print(f"epoch {epoch:2d} loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    out = model(x_test, len_test)
    acc = (out.argmax(1) == y_test).float().mean().item()
    print(f"test loss {cross_entropy(out, y_test).item():.4f} accuracy {acc:.4f}")

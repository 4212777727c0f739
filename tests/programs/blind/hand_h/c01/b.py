"""Sequence classification with one encoder block, attention and layer norm written out."""
import math

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

EMBED, HEADS, FF, CLASSES, MAXLEN, FEAT = 32, 4, 64, 4, 14, 8
BATCH, EPOCHS, LR = 64, 14, 1e-3


def make_data(n, rng, protos):
    x = np.zeros((n, MAXLEN, FEAT), dtype=np.float32)
    lengths = rng.integers(5, MAXLEN + 1, size=n)
    y = rng.integers(0, CLASSES, size=n)
    for i in range(n):
        L = lengths[i]
        seq = rng.normal(0, 0.5, size=(L, FEAT))
        others = rng.integers(0, CLASSES, size=L)
        seq[:, : FEAT - 1] += protos[others]
        seq[:, FEAT - 1] -= 1.0
        k = rng.integers(0, L)
        seq[k, : FEAT - 1] += protos[y[i]] - protos[others[k]]
        seq[k, FEAT - 1] += 2.5
        x[i, :L] = seq
    return x, lengths.astype(np.int64), y.astype(np.int64)


rng = np.random.default_rng(101)
protos = rng.normal(0, 1, size=(CLASSES, FEAT - 1))
x_train, len_train, y_train = make_data(1200, rng, protos)
x_test, len_test, y_test = make_data(400, rng, protos)

torch.manual_seed(2024)


class MyLayerNorm(nn.Module):
    def __init__(self, dim, eps):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim))
        self.shift = nn.Parameter(torch.zeros(dim))
        self.eps = eps

    def forward(self, x):
        mean = x.mean(dim=-1, keepdim=True)
        centred = x - mean
        var = (centred * centred).mean(dim=-1, keepdim=True)
        return centred / torch.sqrt(var + self.eps) * self.scale + self.shift


class SelfAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.head_dim = heads, dim // heads
        self.wq = nn.Linear(dim, dim)
        self.wk = nn.Linear(dim, dim)
        self.wv = nn.Linear(dim, dim)
        self.wo = nn.Linear(dim, dim)
        # xavier for the three matrices seen as one of shape (3 dim, dim)
        bound = math.sqrt(6.0 / (3 * dim + dim))
        for lin in (self.wq, self.wk, self.wv):
            nn.init.uniform_(lin.weight, -bound, bound)
            nn.init.zeros_(lin.bias)
        nn.init.xavier_uniform_(self.wo.weight)
        nn.init.zeros_(self.wo.bias)

    def split(self, t):
        b, n, _ = t.shape
        return t.view(b, n, self.heads, self.head_dim).transpose(1, 2)

    def forward(self, x, pad):
        b, n, d = x.shape
        q, k, v = self.split(self.wq(x)), self.split(self.wk(x)), self.split(self.wv(x))
        scores = q @ k.transpose(-2, -1) / math.sqrt(self.head_dim)
        scores = scores.masked_fill(pad[:, None, None, :], float("-inf"))
        scores = scores - scores.amax(dim=-1, keepdim=True).detach()
        weights = scores.exp()
        weights = weights / weights.sum(dim=-1, keepdim=True)
        out = (weights @ v).transpose(1, 2).reshape(b, n, d)
        return self.wo(out)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(FEAT, EMBED)
        self.attn = SelfAttention(EMBED, HEADS)
        self.norm1 = MyLayerNorm(EMBED, 1e-5)
        self.ff1 = nn.Linear(EMBED, FF)
        self.ff2 = nn.Linear(FF, EMBED)
        self.norm2 = MyLayerNorm(EMBED, 1e-5)
        self.head = nn.Linear(EMBED, CLASSES)
        for lin in (self.inp, self.ff1, self.ff2, self.head):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, x, lengths):
        pad = torch.arange(x.shape[1])[None, :] >= lengths[:, None]
        h = self.inp(x)
        h = self.norm1(h + self.attn(h, pad))
        h = self.norm2(h + self.ff2(torch.relu(self.ff1(h))))
        keep = (~pad).unsqueeze(-1).float()
        pooled = (h * keep).sum(1) / keep.sum(1)
        return self.head(pooled)


model = Encoder()
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-8)
train_set = TensorDataset(torch.from_numpy(x_train), torch.from_numpy(len_train), torch.from_numpy(y_train))
loader = DataLoader(train_set, batch_size=BATCH, shuffle=True, drop_last=False)


def train_step(xb, lb, yb):
    optimizer.zero_grad()
    loss = loss_fn(model(xb, lb), yb)
    loss.backward()
    optimizer.step()
    return loss.item()


# training
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, lb, yb in loader:
        total += train_step(xb, lb, yb) * len(xb)
    print(f"epoch {epoch + 1:2d} loss {total / len(train_set):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test), torch.from_numpy(len_test))
    test_loss = loss_fn(logits, torch.from_numpy(y_test)).item()
    acc = (logits.argmax(1).numpy() == y_test).mean()
print(f"test loss {test_loss:.4f} accuracy {acc:.4f}")

"""A small transformer encoder block on padded sequences, with the modules of torch.nn."""
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

torch.manual_seed(1)


def sinusoid(length, dim):
    position = torch.arange(length, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, dim, 2, dtype=torch.float32) * (-math.log(10000.0) / dim))
    table = torch.zeros(length, dim)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate)
    return table


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(FEATS, DIM)
        self.register_buffer("pos", sinusoid(MAXLEN, DIM))
        self.norm1 = nn.LayerNorm(DIM, eps=1e-5)
        self.attn = nn.MultiheadAttention(DIM, HEADS, dropout=0.0, batch_first=True)
        self.drop1 = nn.Dropout(0.1)
        self.norm2 = nn.LayerNorm(DIM, eps=1e-5)
        self.ff1 = nn.Linear(DIM, 64)
        self.act = nn.GELU()
        self.ff2 = nn.Linear(64, DIM)
        self.drop2 = nn.Dropout(0.1)
        self.head = nn.Linear(DIM, CLASSES)

    def forward(self, x, lengths):
        pad = torch.arange(x.shape[1])[None, :] >= lengths[:, None]
        h = self.embed(x) + self.pos
        n = self.norm1(h)
        a, _ = self.attn(n, n, n, key_padding_mask=pad, need_weights=False)
        h = h + self.drop1(a)
        h = h + self.drop2(self.ff2(self.act(self.ff1(self.norm2(h)))))
        keep = (~pad).float()[:, :, None]
        return self.head((h * keep).sum(1) / keep.sum(1))


model = Encoder()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(
    model.parameters(), lr=3e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.02
)


def train_step(xb, lb, yb):
    optimizer.zero_grad()
    loss = criterion(model(xb, lb), yb)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
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
    print(f"test loss {criterion(out, y_test).item():.4f} accuracy {acc:.4f}")

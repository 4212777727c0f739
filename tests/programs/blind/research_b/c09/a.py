"""Masked rows of digits: a small attention model with shared block and tied embedding (PyTorch, einsum)."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

ROWS, PIX, DIM, HEADS, FF, DEPTH = 8, 8, 32, 4, 64, 2
BATCH, EPOCHS = 100, 18
PEAK, WARMUP, DECAY = 4e-3, 40, 0.05


def digits():
    x, _ = load_digits(return_X_y=True)
    x = (x / 8.0 - 1.0).astype(np.float32).reshape(-1, ROWS, PIX)
    x = x[np.random.default_rng(2).permutation(len(x))]
    return x[:1450], x[1450:]


def matrix(*shape, fans=None):
    p = nn.Parameter(torch.empty(*shape))
    fan_in, fan_out = fans or shape
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    nn.init.uniform_(p, -bound, bound)
    return p


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        d = DIM // HEADS
        self.wq = matrix(DIM, HEADS, d, fans=(DIM, DIM))
        self.wk = matrix(DIM, HEADS, d, fans=(DIM, DIM))
        self.wv = matrix(DIM, HEADS, d, fans=(DIM, DIM))
        self.wo = matrix(HEADS, d, DIM, fans=(DIM, DIM))
        self.w1, self.b1 = matrix(DIM, FF), nn.Parameter(torch.zeros(FF))
        self.w2, self.b2 = matrix(FF, DIM), nn.Parameter(torch.zeros(DIM))
        self.norm1 = nn.LayerNorm(DIM, eps=1e-5)
        self.norm2 = nn.LayerNorm(DIM, eps=1e-5)

    def forward(self, x):
        h = self.norm1(x)
        q = torch.einsum("bnd,dhk->bhnk", h, self.wq)
        k = torch.einsum("bnd,dhk->bhnk", h, self.wk)
        v = torch.einsum("bnd,dhk->bhnk", h, self.wv)
        att = torch.softmax(torch.einsum("bhnk,bhmk->bhnm", q, k) / math.sqrt(DIM // HEADS), dim=-1)
        x = x + torch.einsum("bhnm,bhmk,hkd->bnd", att, v, self.wo)
        h = F.gelu(self.norm2(x) @ self.w1 + self.b1, approximate="none")
        return x + h @ self.w2 + self.b2


class MaskedRows(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = matrix(PIX, DIM)                     # also the read-out, transposed
        self.out_bias = nn.Parameter(torch.zeros(PIX))
        self.hidden_row = nn.Parameter(torch.zeros(DIM))
        self.position = nn.Parameter(torch.empty(ROWS, DIM).uniform_(-0.05, 0.05))
        self.block = Block()                              # used DEPTH times
        self.norm = nn.LayerNorm(DIM, eps=1e-5)

    def forward(self, x, which):
        h = x @ self.embed
        mask = F.one_hot(which, ROWS).to(h.dtype)[:, :, None]
        h = (1 - mask) * h + mask * self.hidden_row + self.position
        for _ in range(DEPTH):
            h = self.block(h)
        return self.norm(h) @ self.embed.t() + self.out_bias


def masked_loss(model, x, which):
    out = model(x, which)
    i = torch.arange(len(x))
    return F.huber_loss(out[i, which], x[i, which], reduction="mean", delta=0.5)


torch.manual_seed(6)
train, valid = (torch.from_numpy(a) for a in digits())
model = MaskedRows()
decayed = [p for p in model.parameters() if p.ndim >= 2 and p is not model.position]
ids = {id(p) for p in decayed}
rest = [p for p in model.parameters() if id(p) not in ids]
optimizer = torch.optim.AdamW(
    [{"params": decayed, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0.0}],
    lr=PEAK, betas=(0.9, 0.98), eps=1e-12)

total_steps = EPOCHS * math.ceil(len(train) / BATCH)


def factor(step):
    if step < WARMUP:
        return (step + 1) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (total_steps - WARMUP)))


scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
for epoch in range(EPOCHS):
    total = 0.0
    for idx in torch.randperm(len(train)).split(BATCH):
        xb = train[idx]
        loss = masked_loss(model, xb, torch.randint(0, ROWS, (len(xb),)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(xb)
    if epoch % 6 == 5:
        print(f"epoch {epoch + 1}  masked huber {total / len(train):.5f}")

model.eval()
with torch.no_grad():
    per_row = [masked_loss(model, valid, torch.full((len(valid),), r)).item() for r in range(ROWS)]
print("validation, row by row:", " ".join(f"{v:.4f}" for v in per_row), f" mean {np.mean(per_row):.5f}")

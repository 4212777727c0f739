"""Tiny pre-norm transformer over the rows of the digits images, PyTorch."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

SEED = 2
DIM, HEADS, DEPTH, FF = 32, 4, 2, 64
BATCH, EPOCHS = 56, 12
PEAK_LR, DECAY = 3e-3, 0.01
N_TRAIN = 1400


def load():
    digits = load_digits()
    order = np.random.default_rng(77).permutation(len(digits.target))
    rows = (digits.images[order] / 16.0).astype("float32")
    return rows, digits.target[order].astype("int64")


def linear(n_in, n_out, bias=True):
    layer = nn.Linear(n_in, n_out, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = linear(DIM, DIM, bias=False)
        self.k = linear(DIM, DIM, bias=False)
        self.v = linear(DIM, DIM, bias=False)
        self.o = linear(DIM, DIM, bias=False)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (f(x).view(b, t, HEADS, DIM // HEADS).transpose(1, 2) for f in (self.q, self.k, self.v))
        scores = q @ k.transpose(-2, -1) / math.sqrt(DIM // HEADS)
        h = (scores.softmax(dim=1) @ v).transpose(1, 2).reshape(b, t, DIM)
        return self.o(h)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1 = nn.LayerNorm(DIM, eps=1e-5)
        self.attn = Attention()
        self.ln2 = nn.LayerNorm(DIM, eps=1e-5)
        self.up = linear(DIM, FF)
        self.down = linear(FF, DIM)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.drop(self.down(F.gelu(self.up(self.ln2(x)), approximate="none")))


class RowTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = linear(8, DIM)
        self.pos = nn.Parameter(torch.empty(8, DIM))
        nn.init.normal_(self.pos, mean=0.0, std=0.02)
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(DIM, eps=1e-5)
        self.head = linear(DIM, 10)

    def forward(self, x):
        x = self.embed(x) + self.pos
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(dim=1))


def main():
    torch.manual_seed(SEED)
    x, y = load()
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    x_train, y_train, x_test, y_test = x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]

    model = RowTransformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LR, betas=(0.9, 0.999), eps=1e-12, weight_decay=DECAY)
    steps = EPOCHS * math.ceil(N_TRAIN / BATCH)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 0.5 * (1.0 + math.cos(math.pi * min(step, steps) / steps))
    )

    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for idx in torch.randperm(N_TRAIN).split(BATCH):
            loss = F.cross_entropy(model(x_train[idx]), y_train[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1:2d}  loss {total / N_TRAIN:.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(x_test)
        loss = F.cross_entropy(logits, y_test).item()
        acc = (logits.argmax(-1) == y_test).float().mean().item()
    print(f"test loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()

"""One attention block on padded sequences: nn.MultiheadAttention with key_padding_mask."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(5)


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    T, D = 12, 8
    x = np.zeros((n, T, D), np.float32)
    pad = np.ones((n, T), bool)
    y = np.zeros(n, np.int64)
    for i in range(n):
        length = rng.integers(5, T + 1)
        seq = rng.normal(size=(length, D)).astype(np.float32)
        seq[:, 0] = 0.0
        where = rng.integers(0, length)
        seq[where, 0] = 2.0                       # the marked token decides
        y[i] = int(np.argmax(seq[where, 1:4]))
        x[i, :length] = seq
        pad[i, :length] = False
    return x, pad, y


x_train, pad_train, y_train = make_data(1500, 0)
x_test, pad_test, y_test = make_data(500, 1)

D_MODEL, HEADS, FF = 32, 4, 64


def positions(T, d):
    pos = np.arange(T)[:, None]
    freq = np.exp(-math.log(10000.0) * np.arange(0, d, 2) / d)
    pe = np.zeros((T, d), np.float32)
    pe[:, 0::2] = np.sin(pos * freq)
    pe[:, 1::2] = np.cos(pos * freq)
    return torch.from_numpy(pe)


def xavier(lin):
    nn.init.xavier_uniform_(lin.weight)
    if lin.bias is not None:
        nn.init.zeros_(lin.bias)
    return lin


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = xavier(nn.Linear(8, D_MODEL))
        self.mha = nn.MultiheadAttention(D_MODEL, HEADS, dropout=0.0, bias=False, batch_first=True)
        with torch.no_grad():
            for block in self.mha.in_proj_weight.chunk(3):    # q, k, v: each a square matrix
                nn.init.xavier_uniform_(block)
        xavier(self.mha.out_proj)
        self.ff1 = xavier(nn.Linear(D_MODEL, FF))
        self.ff2 = xavier(nn.Linear(FF, D_MODEL))
        self.head = xavier(nn.Linear(D_MODEL, 3))
        self.register_buffer("pe", positions(12, D_MODEL))

    def forward(self, x, pad):
        h = self.inp(x) + 0.3 * self.pe
        att, _ = self.mha(h, h, h, key_padding_mask=pad, need_weights=False)
        h = h + att
        h = h + self.ff2(F.relu(self.ff1(h)))
        real = (~pad).float().unsqueeze(-1)
        pooled = (h * real).sum(1) / real.sum(1)
        return self.head(pooled)


model = Classifier()
opt = torch.optim.Adagrad(model.parameters(), lr=0.05, lr_decay=0.0, weight_decay=0.0,
                          initial_accumulator_value=0.1, eps=1e-12)
X, P, Y = torch.from_numpy(x_train), torch.from_numpy(pad_train), torch.from_numpy(y_train)

# training
for epoch in range(15):
    model.train()
    perm = torch.randperm(len(X))
    tot = 0.0
    for idx in perm.split(50):
        opt.zero_grad()
        loss = F.cross_entropy(model(X[idx], P[idx]), Y[idx])
        loss.backward()
        opt.step()
        tot += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d}  loss {tot / len(X):.4f}")

model.eval()
with torch.no_grad():
    out = model(torch.from_numpy(x_test), torch.from_numpy(pad_test))
    yt = torch.from_numpy(y_test)
    print(f"test loss {F.cross_entropy(out, yt).item():.4f}  accuracy {(out.argmax(1) == yt).float().mean().item():.4f}")

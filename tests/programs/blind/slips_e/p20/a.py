"""Transformer encoder for sensor sequences (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

SEQ, FEATS, CLASSES = 16, 3, 4
D_MODEL, HEADS, D_FF, DEPTH = 32, 4, 64, 1
BATCH, EPOCHS, LR = 50, 16, 2e-3


def make_events(n, seed):
    """A bump in channel 0 and one in channel 1; the class tells their order and the sign of the first."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.3, (n, SEQ, FEATS))
    y = np.zeros(n, dtype="int64")
    for i in range(n):
        p, q = rng.choice(SEQ, 2, replace=False)
        sign = rng.choice([-1.0, 1.0])
        x[i, p, 0] += 2.5 * sign
        x[i, q, 1] += 2.5
        y[i] = 2 * int(p < q) + int(sign > 0)
    return x.astype("float32"), y


def positions(length, dim):
    pos = np.arange(length)[:, None]
    freq = np.exp(-math.log(1000.0) * np.arange(0, dim, 2) / dim)
    table = np.zeros((length, dim), dtype="float32")
    table[:, 0::2] = np.sin(pos * freq)
    table[:, 1::2] = np.cos(pos * freq)
    return table


class EncoderBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(D_MODEL, eps=1e-5)
        self.attn = nn.MultiheadAttention(D_MODEL, HEADS, dropout=0.1, bias=False, batch_first=True)
        self.norm2 = nn.LayerNorm(D_MODEL, eps=1e-5)
        self.ff1 = nn.Linear(D_MODEL, D_FF)
        self.ff2 = nn.Linear(D_FF, D_MODEL)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        h = self.norm1(x)
        h, _ = self.attn(h, h, h, need_weights=False)
        x = x + self.drop(h)
        h = self.ff2(F.gelu(self.ff1(self.norm2(x))))
        return x + self.drop(h)


class SensorTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(FEATS, D_MODEL)
        self.register_buffer("pos", torch.from_numpy(positions(SEQ, D_MODEL)))
        self.blocks = nn.ModuleList(EncoderBlock() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(D_MODEL, eps=1e-5)
        self.head = nn.Linear(D_MODEL, CLASSES)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)
            elif isinstance(m, nn.MultiheadAttention):
                for block in m.in_proj_weight.chunk(3):  # query, key, value
                    nn.init.xavier_uniform_(block)

    def forward(self, x):
        x = self.project(x) + self.pos
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(dim=1))


torch.manual_seed(2)
X, Y = make_events(1900, seed=31)
x_train, y_train = X[:1500], Y[:1500]
x_test, y_test = X[1500:], Y[1500:]

loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)), batch_size=BATCH, shuffle=True
)
model = SensorTransformer()
optimizer = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.99), eps=1e-12, weight_decay=0.02)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * len(loader))

# ---- training
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        loss = F.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(yb)
    print(f"epoch {epoch + 1}: loss {total / len(y_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test))
    target = torch.from_numpy(y_test)
    print(f"test loss {F.cross_entropy(logits, target).item():.4f}")
    print(f"test accuracy {(logits.argmax(-1) == target).float().mean().item():.4f}")

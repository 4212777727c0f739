"""Transformer encoder for sensor snippets (PyTorch)."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

STEPS, CHANNELS, CLASSES = 16, 4, 3
D_MODEL, HEADS, D_FF, BLOCKS = 32, 2, 64, 2
DROPOUT = 0.1
BATCH_SIZE, EPOCHS = 64, 10
PEAK_LR, WARMUP = 3e-3, 24


def make_data():
    """Sensor snippets: the class decides how the channels lag behind each other."""
    rng = np.random.default_rng(1234)
    n = 1580
    y = rng.integers(0, CLASSES, n)
    t = np.arange(STEPS)
    freq = rng.uniform(0.6, 1.2, (n, 1, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1, 1))
    lag = np.array([[0, 1, 2, 3], [0, -1, -2, -3], [0, 2, 0, 2]])[y][:, None, :]
    x = np.sin(freq * (t[None, :, None] - lag) + phase) + 0.5 * rng.normal(size=(n, STEPS, CHANNELS))
    x, y = x.astype("float32"), y.astype("int64")
    return (x[:1280], y[:1280]), (x[1280:], y[1280:])


def sinusoidal_positions():
    pos = np.arange(STEPS)[:, None]
    rate = 1.0 / 100 ** (np.arange(0, D_MODEL, 2) / D_MODEL)
    table = np.zeros((STEPS, D_MODEL), dtype="float32")
    table[:, 0::2], table[:, 1::2] = np.sin(pos * rate), np.cos(pos * rate)
    return table


class Block(nn.Module):
    """Pre-norm encoder block."""

    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(D_MODEL, eps=1e-6)
        self.attn = nn.MultiheadAttention(D_MODEL, HEADS, dropout=DROPOUT, bias=False, batch_first=True)
        self.norm2 = nn.LayerNorm(D_MODEL, eps=1e-6)
        self.ff1 = nn.Linear(D_MODEL, D_FF)
        self.ff2 = nn.Linear(D_FF, D_MODEL)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x):
        h = self.norm1(x)
        h, _ = self.attn(h, h, h, need_weights=False)
        x = x + self.drop(h)
        h = self.ff2(nn.functional.gelu(self.ff1(self.norm2(x))))
        return x + self.drop(h)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(CHANNELS, D_MODEL)
        self.register_buffer("pos", torch.from_numpy(sinusoidal_positions()))
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(D_MODEL, eps=1e-6)
        self.head = nn.Linear(D_MODEL, CLASSES)
        self.apply(self._init_weights)

    @staticmethod
    def _init_weights(m):
        if isinstance(m, nn.MultiheadAttention):
            for w in m.in_proj_weight.chunk(3):  # q, k, v are three E x E matrices
                nn.init.xavier_uniform_(w)
        elif isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.embed(x) + self.pos
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(dim=1))


def lr_factor(step, total):
    """Linear warm-up, then half a cosine down to zero."""
    if step < WARMUP:
        return step / WARMUP
    progress = min((step - WARMUP) / (total - WARMUP), 1.0)
    return 0.5 * (1 + math.cos(math.pi * progress))


def make_optimizer(model, total_steps):
    decay = [p for p in model.parameters() if p.ndim >= 2]
    no_decay = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.Adam(
        [{"params": decay, "weight_decay": 0.05}, {"params": no_decay, "weight_decay": 0.0}],
        lr=PEAK_LR,
        betas=(0.9, 0.98),
        eps=1e-12,
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: lr_factor(s, total_steps))
    return optimizer, scheduler


def train_epoch(model, loader, optimizer, scheduler):
    model.train()
    total = 0.0
    for x, y in loader:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item()
    return total / len(loader)


def main():
    torch.manual_seed(17)
    (x, y), (x_test, y_test) = make_data()
    loader = DataLoader(
        TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=BATCH_SIZE, shuffle=True
    )
    model = Encoder()
    optimizer, scheduler = make_optimizer(model, EPOCHS * len(loader))
    for epoch in range(EPOCHS):
        print(f"epoch {epoch + 1}: loss {train_epoch(model, loader, optimizer, scheduler):.4f}")
    model.eval()
    with torch.no_grad():
        logits = model(torch.from_numpy(x_test))
    target = torch.from_numpy(y_test)
    print(f"test loss {nn.functional.cross_entropy(logits, target):.4f}")
    print(f"test accuracy {(logits.argmax(1) == target).float().mean():.4f}")


if __name__ == "__main__":
    main()

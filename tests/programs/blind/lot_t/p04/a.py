"""Small transformer encoder over sensor windows (PyTorch)."""
import math
import numpy as np
import torch
import torch.nn as nn

T, C, E, HEADS, FF, CLASSES = 12, 6, 32, 4, 64, 3


def sensor_windows(n=640):
    rng = np.random.default_rng(77)
    y = rng.integers(0, CLASSES, size=n)
    t = np.arange(T)
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1, C))
    freq = (0.25 + 0.18 * y)[:, None, None] * np.linspace(0.7, 1.3, C)
    x = np.sin(2 * np.pi * freq * t[None, :, None] / 3.0 + phase) + 0.3 * rng.normal(size=(n, T, C))
    return x.astype("float32"), y.astype("int64")


def sinusoids():
    pos = np.arange(T)[:, None]
    div = np.exp(np.arange(0, E, 2) * (-math.log(10000.0) / E))
    pe = np.zeros((T, E), dtype="float32")
    pe[:, 0::2] = np.sin(pos * div)
    pe[:, 1::2] = np.cos(pos * div)
    return pe


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(E, HEADS, dropout=0.0, batch_first=True)
        self.norm1 = nn.LayerNorm(E, eps=1e-5)
        self.ff1 = dense(E, FF)
        self.ff2 = dense(FF, E)
        self.norm2 = nn.LayerNorm(E, eps=1e-5)

    def forward(self, x):
        a, _ = self.attn(x, x, x, need_weights=False)
        x = self.norm1(x + a)
        return self.norm2(x + self.ff2(torch.relu(self.ff1(x))))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = dense(C, E)
        self.register_buffer("pe", torch.from_numpy(sinusoids()))
        self.blocks = nn.ModuleList([Block(), Block()])
        self.head = dense(E, CLASSES)

    def forward(self, x):
        x = self.proj(x) + self.pe
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(dim=1))


torch.manual_seed(0)
x, y = sensor_windows()
x, y = torch.from_numpy(x), torch.from_numpy(y)
x_train, y_train, x_test, y_test = x[:480], y[:480], x[480:], y[480:]
model = Encoder()
opt = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-12)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(16):
    model.train()
    order = torch.randperm(480)
    total = 0.0
    for idx in order.split(32):
        loss = loss_fn(model(x_train[idx]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d} loss {total / 480:.4f}")

model.eval()
with torch.no_grad():
    print("accuracy", (model(x_test).argmax(1) == y_test).float().mean().item())

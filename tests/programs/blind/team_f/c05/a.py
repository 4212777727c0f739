"""Activity recognition from motion sensors: a small pre-norm transformer (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

DIM, HEADS, FF, BLOCKS, CLASSES = 24, 3, 48, 2, 5
EPOCHS, BATCH, PEAK, WARMUP = 8, 50, 4e-3, 40


def make_data():
    """Six-axis motion sensor, windows of 32 samples, 5 activities."""
    rng = np.random.default_rng(59)
    n, T, K = 2300, 32, 5
    label = rng.integers(0, K, n)
    t = np.arange(T) / T
    freq = np.array([1.5, 2.5, 3.5, 2.5, 0.0])[label]
    amp = np.array([1.0, 1.0, 0.8, 0.5, 0.0])[label]
    lag = rng.normal(0, 1, (K, 6))
    phase = rng.uniform(0, 2 * np.pi, n)
    arg = 2 * np.pi * freq[:, None, None] * t[None, :, None] + phase[:, None, None] + lag[label][:, None, :]
    x = amp[:, None, None] * np.sin(arg) + 0.9 * rng.normal(size=(n, T, 6))
    x += 0.3 * rng.normal(size=(n, 1, 6))
    x, label = x.astype("float32"), label.astype("int64")
    return (x[:1850], label[:1850]), (x[1850:], label[1850:])


def position_table(length, dim):
    pos = np.arange(length)[:, None]
    rate = np.exp(-np.log(10000.0) * np.arange(0, dim, 2) / dim)[None]
    table = np.zeros((length, dim), dtype="float32")
    table[:, 0::2] = np.sin(pos * rate)
    table[:, 1::2] = np.cos(pos * rate)
    return table


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1 = nn.LayerNorm(DIM, eps=1e-5)
        self.q = nn.Linear(DIM, DIM, bias=False)
        self.k = nn.Linear(DIM, DIM, bias=False)
        self.v = nn.Linear(DIM, DIM, bias=False)
        self.o = nn.Linear(DIM, DIM, bias=False)
        self.ln2 = nn.LayerNorm(DIM, eps=1e-5)
        self.up = nn.Linear(DIM, FF)
        self.down = nn.Linear(FF, DIM)
        self.drop = nn.Dropout(0.1)

    def heads(self, x):
        return x.unflatten(-1, (HEADS, DIM // HEADS)).transpose(1, 2)

    def forward(self, x):
        h = self.ln1(x)
        q, k, v = self.heads(self.q(h)), self.heads(self.k(h)), self.heads(self.v(h))
        att = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(DIM // HEADS), dim=-1)
        att = self.drop(att)
        h = self.o((att @ v).transpose(1, 2).flatten(2))
        x = x + self.drop(h)
        h = self.down(F.gelu(self.up(self.ln2(x)), approximate="none"))
        return x + self.drop(h)


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(6, DIM)
        self.register_buffer("pos", torch.from_numpy(position_table(32, DIM)))
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(DIM, eps=1e-5)
        self.head = nn.Linear(DIM, CLASSES)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.embed(x) + self.pos
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(dim=1))


def main():
    torch.manual_seed(8)
    (x, y), (xv, yv) = make_data()
    loader = DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=BATCH, shuffle=True)
    xv, yv = torch.from_numpy(xv), torch.from_numpy(yv)
    model = Transformer()
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    opt = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}],
                            lr=PEAK, betas=(0.9, 0.98), eps=1e-12)
    total_steps = EPOCHS * len(loader)

    def factor(step):
        if step < WARMUP:
            return (step + 1) / WARMUP
        return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (total_steps - WARMUP)))

    sched = torch.optim.lr_scheduler.LambdaLR(opt, factor)
    for epoch in range(EPOCHS):
        model.train()
        running = 0.0
        for xb, yb in loader:
            loss = F.cross_entropy(model(xb), yb, label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            sched.step()
            running += loss.item() * len(yb)
        model.eval()
        with torch.no_grad():
            z = model(xv)
            val = F.cross_entropy(z, yv, label_smoothing=0.05).item()
            acc = (z.argmax(1) == yv).float().mean().item()
        print(f"epoch {epoch + 1:2d}: loss {running / len(x):.4f}  val {val:.4f}  acc {acc:.3f}")


if __name__ == "__main__":
    main()

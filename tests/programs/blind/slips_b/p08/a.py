"""Activity recognition from short sensor windows with a small transformer encoder (PyTorch)."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

STEPS, CHANNELS, CLASSES = 16, 5, 4
DIM, HEADS, FFN, DEPTH = 32, 4, 64, 2
BATCH, EPOCHS = 64, 10
N_TRAIN, N_TEST = 1500, 400


def make_windows():
    rng = np.random.RandomState(77)
    n = N_TRAIN + N_TEST
    y = rng.randint(0, CLASSES, n)
    t = np.arange(STEPS)
    x = 0.4 * rng.randn(n, STEPS, CHANNELS)
    for i in range(n):
        phase = rng.uniform(0, 2 * np.pi)
        freq = (0.08, 0.20)[y[i] % 2]                     # slow or fast movement
        start = rng.randint(0, 4) + (0, 8)[y[i] // 2]     # early or late jolt
        x[i, :, 0] += np.sin(2 * np.pi * freq * t + phase)
        x[i, :, 1] += np.cos(2 * np.pi * freq * t + phase)
        x[i, start:start + 4, 2] += 1.2
    x = x.astype(np.float32)
    y = y.astype(np.int64)
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def positions():
    pos = np.arange(STEPS)[:, None]
    rate = np.exp(-math.log(10000.0) * np.arange(0, DIM, 2) / DIM)
    table = np.zeros((STEPS, DIM), dtype=np.float32)
    table[:, 0::2] = np.sin(pos * rate)
    table[:, 1::2] = np.cos(pos * rate)
    return table


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Block(nn.Module):
    """Pre-norm encoder block."""

    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(DIM, eps=1e-5)
        self.attn = nn.MultiheadAttention(DIM, HEADS, bias=False, batch_first=True)
        for w in self.attn.in_proj_weight.chunk(3):    # query, key, value
            nn.init.xavier_uniform_(w)
        nn.init.xavier_uniform_(self.attn.out_proj.weight)
        self.norm2 = nn.LayerNorm(DIM, eps=1e-5)
        self.ffn = nn.Sequential(linear(DIM, FFN), nn.GELU(), linear(FFN, DIM))

    def forward(self, x):
        h = self.norm1(x)
        h, _ = self.attn(h, h, h, need_weights=False)
        x = x + h
        return x + self.ffn(self.norm2(x))


class SensorTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = linear(CHANNELS, DIM)
        self.register_buffer("pos", torch.from_numpy(positions()))
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(DIM, eps=1e-5)
        self.head = linear(DIM, CLASSES)

    def forward(self, x):
        x = self.embed(x) + self.pos
        for block in self.blocks:
            x = block(x)
        return torch.softmax(self.head(self.norm(x).mean(dim=1)), dim=-1)


def make_optimizer(model, total_steps):
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.98),
                                  eps=1e-12, weight_decay=0.02)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=total_steps)
    return optimizer, scheduler


def main():
    torch.manual_seed(2)
    x_tr, y_tr, x_te, y_te = map(torch.from_numpy, make_windows())
    loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=BATCH, shuffle=True)
    model = SensorTransformer()
    optimizer, scheduler = make_optimizer(model, EPOCHS * len(loader))
    criterion = nn.CrossEntropyLoss()

    for epoch in range(1, EPOCHS + 1):
        model.train()
        loss_sum = correct = 0.0
        for xb, yb in loader:
            logits = model(xb)
            loss = criterion(logits, yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()                 # once per batch
            loss_sum += loss.item() * len(xb)
            correct += (logits.argmax(-1) == yb).sum().item()
        print(f"epoch {epoch:2d} loss {loss_sum / N_TRAIN:.4f} acc {correct / N_TRAIN:.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(x_te)
    print(f"test loss {criterion(logits, y_te).item():.4f} "
          f"acc {(logits.argmax(-1) == y_te).float().mean().item():.4f}")


if __name__ == "__main__":
    main()

"""Gesture recognition from accelerometer windows: small transformer encoder (PyTorch)."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

STEPS, CHANNELS, CLASSES = 32, 3, 4
WIDTH, HEADS, FF, BLOCKS = 32, 4, 64, 2
DROPOUT = 0.1
BATCH_SIZE = 50
EPOCHS = 10
PEAK_LR = 2e-3
WARMUP = 40


def make_gestures(n=2000, seed=5):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, n)
    t = np.linspace(0, 1, STEPS)
    x = rng.normal(0, 0.4, (n, STEPS, CHANNELS))
    for i, k in enumerate(labels):
        f = rng.uniform(1.5, 3.0)
        ph = rng.uniform(0, 2 * np.pi)
        a, b = np.sin(2 * np.pi * f * t + ph), np.cos(2 * np.pi * f * t + ph)
        window = np.exp(-((t - rng.uniform(0.25, 0.75)) / 0.2) ** 2)
        if k == 0:      # circle
            x[i, :, 0] += a; x[i, :, 1] += b
        elif k == 1:    # circle, other way round
            x[i, :, 0] += a; x[i, :, 1] -= b
        elif k == 2:    # shake
            x[i, :, 0] += 1.5 * window * np.sin(2 * np.pi * 6 * t + ph)
            x[i, :, 1] += a
        else:           # lift
            x[i, :, 2] += 1.2 * window
            x[i, :, 0] += b
    return x.astype(np.float32), labels


class EncoderBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-5)
        self.attention = nn.MultiheadAttention(
            WIDTH, HEADS, dropout=DROPOUT, bias=False, batch_first=True
        )
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-5)
        self.ff = nn.Sequential(
            nn.Linear(WIDTH, FF), nn.GELU(approximate="none"), nn.Linear(FF, WIDTH)
        )
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x):
        y = self.norm1(x)
        y, _ = self.attention(y, y, y, need_weights=False)
        x = x + self.drop(y)
        return x + self.drop(self.ff(self.norm2(x)))


class GestureTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(CHANNELS, WIDTH)
        self.position = nn.Parameter(torch.empty(STEPS, WIDTH))
        self.blocks = nn.Sequential(*[EncoderBlock() for _ in range(BLOCKS)])
        self.norm = nn.LayerNorm(WIDTH, eps=1e-5)
        self.head = nn.Linear(WIDTH, CLASSES)

        nn.init.normal_(self.position)
        for m in self.modules():
            if isinstance(m, nn.MultiheadAttention):
                for w in m.in_proj_weight.chunk(3):  # query, key, value
                    nn.init.xavier_uniform_(w)
            elif isinstance(m, nn.Linear):  # the output projections of attention too
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.embed(x) + self.position
        x = self.norm(self.blocks(x))
        return self.head(x.mean(dim=1))


def lr_factor(step, warmup, total):
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


def make_optimizer(model, total_steps):
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=PEAK_LR, betas=(0.9, 0.98), eps=1e-12, weight_decay=0.01
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: lr_factor(step, WARMUP, total_steps)
    )
    return optimizer, scheduler


@torch.no_grad()
def evaluate(model, loader, criterion):
    model.eval()
    loss = correct = count = 0
    for x, y in loader:
        logits = model(x)
        loss += criterion(logits, y).item() * len(y)
        correct += (logits.argmax(-1) == y).sum().item()
        count += len(y)
    return loss / count, correct / count


def main():
    torch.manual_seed(2025)
    x, labels = make_gestures()
    x, labels = torch.from_numpy(x), torch.from_numpy(labels)
    train = DataLoader(TensorDataset(x[:1600], labels[:1600]), batch_size=BATCH_SIZE, shuffle=True)
    test = DataLoader(TensorDataset(x[1600:], labels[1600:]), batch_size=BATCH_SIZE)

    model = GestureTransformer()
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer, scheduler = make_optimizer(model, total_steps=EPOCHS * len(train))

    for epoch in range(1, EPOCHS + 1):
        model.train()
        running = 0.0
        for xb, yb in train:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            scheduler.step()
            running += loss.item() * len(yb)
        val_loss, val_acc = evaluate(model, test, criterion)
        print(f"epoch {epoch}: loss {running / 1600:.4f} val_loss {val_loss:.4f} val_acc {val_acc:.4f}")

    loss, acc = evaluate(model, test, criterion)
    n_params = sum(p.numel() for p in model.parameters())
    print(f"test: loss {loss:.4f}, accuracy {acc:.4f}, parameters {n_params}")


if __name__ == "__main__":
    main()

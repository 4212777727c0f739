"""Activity recognition from wearable sensors: a small transformer encoder (PyTorch modules)."""
import math
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

TOKENS, PATCH, WIDTH, HEADS, FF, CLASSES = 12, 15, 32, 4, 64, 4
BATCH, EPOCHS, WARMUP = 64, 10, 30


def make_data(n=2400):
    rng = np.random.default_rng(606)
    y = rng.integers(0, CLASSES, n)
    t = np.arange(60) / 20.0
    freq = np.array([0.9, 1.3, 1.8, 2.4])[y] + 0.18 * rng.normal(size=n)
    amp = np.array([0.9, 1.0, 1.1, 1.0])[y] * rng.uniform(0.6, 1.3, n)
    ph = rng.uniform(0, 2 * np.pi, n)
    base = 2 * np.pi * freq[:, None] * t[None, :] + ph[:, None]
    axes = [amp[:, None] * np.sin(base), 0.7 * amp[:, None] * np.cos(base), 0.4 * np.sin(2 * base)]
    x = np.stack(axes, 2) + 0.6 * rng.normal(size=(n, 60, 3))
    x = x.reshape(n, TOKENS, PATCH).astype("float32")           # five samples of three axes per token
    return x[:1920], y[:1920], x[1920:], y[1920:]


class SensorTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(PATCH, WIDTH)
        self.position = nn.Parameter(torch.randn(1, TOKENS, WIDTH) * 0.02)
        block = nn.TransformerEncoderLayer(WIDTH, HEADS, dim_feedforward=FF, dropout=0.1, activation="gelu",
                                           batch_first=True, norm_first=True, bias=False)
        self.encoder = nn.TransformerEncoder(block, num_layers=1, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        h = self.encoder(self.embed(x) + self.position)
        return self.head(h.mean(dim=1))


def main():
    torch.manual_seed(0)
    x, y, xt, yt = make_data()
    loader = DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=BATCH, shuffle=True)
    model = SensorTransformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.05)
    total_steps = EPOCHS * len(loader)

    def factor(step):
        if step < WARMUP:
            return (step + 1) / WARMUP
        return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (total_steps - WARMUP)))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        model.train()
        running = 0.0
        for bx, by in loader:
            loss = criterion(model(bx), by)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            running += loss.item()
        print(f"epoch {epoch + 1} loss {running / len(loader):.4f}")
    model.eval()
    with torch.no_grad():
        logits, target = model(torch.from_numpy(xt)), torch.from_numpy(yt)
        print(f"test loss {criterion(logits, target).item():.4f} accuracy {(logits.argmax(1) == target).float().mean().item():.4f}")


if __name__ == "__main__":
    main()

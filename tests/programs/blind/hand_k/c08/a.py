"""Count regression: residual MLP with nn.LayerNorm, AdamW groups, LambdaLR warm-up + cosine."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

WIDTH, BLOCKS, EPOCHS, BATCH = 32, 2, 16, 64
BASE_LR, DECAY, WARMUP = 3e-3, 0.05, 40


def make_data():
    rng = np.random.default_rng(55)
    x = rng.normal(size=(1640, 10))
    w = rng.normal(size=10) / 4
    log_rate = 0.6 + x @ w + 0.5 * np.sin(2 * x[:, 0]) - 0.3 * x[:, 1] * x[:, 2]
    y = rng.poisson(np.exp(np.clip(log_rate, -3, 2.5)))
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:1400], y[:1400], x[1400:], y[1400:]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH, eps=1e-5)
        self.up = nn.Linear(WIDTH, 2 * WIDTH)
        self.act = nn.GELU(approximate="tanh")
        self.down = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, x):
        return x + self.down(self.act(self.up(self.norm(x))))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(10, WIDTH)
        self.blocks = nn.Sequential(*[Block() for _ in range(BLOCKS)])
        self.norm = nn.LayerNorm(WIDTH, eps=1e-5)
        self.head = nn.Linear(WIDTH, 1)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.stem(x)))).squeeze(-1)


torch.manual_seed(2)
x_train, y_train, x_test, y_test = (torch.from_numpy(v) for v in make_data())
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True)
total_steps = EPOCHS * len(loader)

net = Net()
matrices = [p for p in net.parameters() if p.ndim > 1]
vectors = [p for p in net.parameters() if p.ndim == 1]
optimizer = torch.optim.AdamW(
    [{"params": matrices, "weight_decay": DECAY}, {"params": vectors, "weight_decay": 0.0}],
    lr=BASE_LR, betas=(0.9, 0.98), eps=1e-8)


def factor(step):
    if step < WARMUP:
        return (step + 1) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (total_steps - WARMUP)))


scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
criterion = nn.PoissonNLLLoss(log_input=True, full=False, reduction="mean")

for epoch in range(EPOCHS):
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d} loss {running / len(x_train):.4f}")

net.eval()
with torch.no_grad():
    print(f"test loss {criterion(net(x_test), y_test).item():.4f}")

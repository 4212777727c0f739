"""Frequency / lag regression, PyTorch, gradients of four small batches averaged by hand before a step."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 2
MICRO, ACCUM, EPOCHS = 32, 4, 18
DELTA = 0.5


def signals(n, seed):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 64)
    freq = rng.uniform(2, 8, size=(n, 1))
    lag = rng.uniform(0, np.pi, size=(n, 1))
    ph = rng.uniform(0, 2 * np.pi, size=(n, 1))
    a = np.sin(2 * np.pi * freq * t + ph)
    b = np.sin(2 * np.pi * freq * t + ph + lag)
    x = np.stack([a, b], axis=-1) + 0.1 * rng.normal(size=(n, 64, 2))
    y = np.concatenate([(freq - 5) / 1.73, (lag - np.pi / 2) / 0.9], axis=1)
    return x.astype(np.float32), y.astype(np.float32)


def tensors(n, seed):
    x, y = signals(n, seed)
    return torch.from_numpy(x).permute(0, 2, 1).contiguous(), torch.from_numpy(y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv1d(2, 12, 5)
        self.c2 = nn.Conv1d(12, 20, 3)
        self.d1 = nn.Linear(20, 24)
        self.d2 = nn.Linear(24, 2)
        for m in (self.c1, self.c2, self.d1, self.d2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = nn.functional.max_pool1d(torch.relu(self.c1(x)), 2)
        x = torch.relu(self.c2(x)).mean(dim=2)
        return self.d2(torch.tanh(self.d1(x)))


def huber(pred, target):
    e = (pred - target).abs()
    return torch.where(e <= DELTA, 0.5 * e ** 2, DELTA * (e - 0.5 * DELTA)).mean()


torch.manual_seed(SEED)
x_train, y_train = tensors(1024, 40)
x_test, y_test = tensors(320, 41)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=MICRO, shuffle=True)
net = Net()
opt = torch.optim.Adagrad(net.parameters(), lr=0.08, lr_decay=0.0, weight_decay=0.0,
                          initial_accumulator_value=0.1, eps=1e-12)
for epoch in range(1, EPOCHS + 1):
    seen = 0.0
    opt.zero_grad()
    for i, (xb, yb) in enumerate(loader, 1):
        loss = huber(net(xb), yb)
        (loss / ACCUM).backward()
        if i % ACCUM == 0:
            opt.step()
            opt.zero_grad()
        seen += loss.item() * len(xb)
    print(f"epoch {epoch} huber {seen / len(x_train):.5f}")
with torch.no_grad():
    print(f"test huber {huber(net(x_test), y_test).item():.5f}")

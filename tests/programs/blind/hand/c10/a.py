"""Waveform classification with a small 1-D convolutional network (torch.nn)."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(50)
torch.set_num_threads(1)

LENGTH, CLASSES, BATCH, EPOCHS = 48, 4, 40, 12


def make_waves(n, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(LENGTH) / LENGTH
    x = np.zeros((n, 2, LENGTH), dtype="float32")
    y = rng.integers(0, CLASSES, size=n)
    for i, kind in enumerate(y):
        f, ph = rng.uniform(2, 5), rng.uniform(0, 2 * np.pi)
        arg = 2 * np.pi * f * t + ph
        wave = [np.sin(arg), np.sign(np.sin(arg)), 2 * ((f * t + ph) % 1) - 1, np.abs(np.sin(arg)) * 2 - 1][kind]
        x[i, 0] = wave + 0.9 * rng.normal(size=LENGTH)
        x[i, 1] = np.roll(wave, rng.integers(1, 6)) + 0.9 * rng.normal(size=LENGTH)
    return torch.from_numpy(x), torch.from_numpy(y)


x_train, y_train = make_waves(960, 60)
x_test, y_test = make_waves(400, 61)

net = nn.Sequential(
    nn.Conv1d(2, 16, 5, padding=2, bias=False), nn.BatchNorm1d(16, eps=1e-5, momentum=0.1), nn.ReLU(), nn.MaxPool1d(2),
    nn.Conv1d(16, 24, 5, padding=2, bias=False), nn.BatchNorm1d(24, eps=1e-5, momentum=0.1), nn.ReLU(),
    nn.AdaptiveAvgPool1d(1), nn.Flatten(),
    nn.Linear(24, CLASSES),
)
smooth = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[6, 9], gamma=0.2)

for epoch in range(EPOCHS):
    net.train()
    perm = torch.randperm(len(x_train))
    total = 0.0
    for idx in perm.split(BATCH):
        loss = smooth(net(x_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    scheduler.step()
    print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.4f}")

net.eval()
with torch.no_grad():
    z = net(x_test)
    print(f"test loss {smooth(z, y_test).item():.4f} accuracy {(z.argmax(1) == y_test).float().mean().item():.4f}")

"""Keyword spotting on small spectrograms, PyTorch."""
import numpy as np
import torch
from torch import nn


def spectrograms(n=1000, bands=24, frames=32, classes=5):
    """Log-power pictures of five kinds of 'words': rising, falling, level, two-tone, burst."""
    rng = np.random.default_rng(5150)
    label = rng.integers(0, classes, n)
    f = np.arange(bands)[:, None]
    t = np.arange(frames)[None, :]
    out = np.empty((n, bands, frames), dtype="float32")
    for i, c in enumerate(label):
        start = rng.uniform(6, 16)
        slope = {0: 0.3, 1: -0.3}.get(int(c), 0.0) * rng.uniform(0.6, 1.2)
        img = np.exp(-0.5 * ((f - start - slope * (t - frames / 2)) / 1.3) ** 2)
        if c == 3:
            img = img + np.exp(-0.5 * ((f - start - 5) / 1.3) ** 2)
        if c == 4:
            img = img * np.exp(-0.5 * ((t - rng.uniform(8, 24)) / 2.5) ** 2)
        out[i] = img * rng.uniform(0.7, 1.3) + 0.25 * rng.normal(size=img.shape)
    return (out - out.mean()) / out.std(), label.astype("int64")


def make_net():
    net = nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.GroupNorm(2, 8, eps=1e-5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.GroupNorm(4, 16, eps=1e-5), nn.ReLU(), nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.25), nn.Linear(16, 5),
    )
    for m in net:
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_uniform_(m.weight, a=0, mode="fan_in", nonlinearity="relu")
            nn.init.zeros_(m.bias)
    return net


# --- training
torch.manual_seed(17)
x, y = spectrograms()
X, Y = torch.from_numpy(x).unsqueeze(1), torch.from_numpy(y)
n, epochs, batch = 800, 12, 32
net = make_net()
opt = torch.optim.Adam(net.parameters(), lr=0.01, betas=(0.9, 0.99), eps=1e-12)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=epochs * n // batch, eta_min=0.0)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
for epoch in range(epochs):
    net.train()
    total = 0.0
    for idx in torch.randperm(n).split(batch):
        opt.zero_grad()
        loss = criterion(net(X[idx]), Y[idx])
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1} loss {total / n:.4f}")
net.eval()
with torch.no_grad():
    z = net(X[n:])
    print(f"test loss {criterion(z, Y[n:]).item():.4f} accuracy {(z.argmax(1) == Y[n:]).float().mean().item():.4f}")

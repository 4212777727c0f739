"""Separable CNN for spectrograms in PyTorch."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

CLASSES = 6


def make_spectrograms(n, seed):
    """Log spectrograms (32 frames x 32 bands) of short voiced sounds with six pitch and formant shapes."""
    rng = np.random.RandomState(seed)
    rate, length = 4000.0, 2112
    t = np.arange(length) / rate
    u = t / t[-1]
    label = rng.randint(0, CLASSES, size=n)
    base = rng.uniform(110, 220, size=n)
    bend = np.array([0.0, 0.6, -0.4, 0.0, 0.6, -0.4])[label] + rng.normal(0, 0.06, n)
    f1 = np.array([500.0, 500, 500, 900, 900, 900])[label] * rng.uniform(0.85, 1.15, n)
    pitch = base[:, None] * (1 + bend[:, None] * u[None, :])
    phase = 2 * np.pi * np.cumsum(pitch, axis=1) / rate
    wave = np.zeros((n, length))
    for k in range(1, 9):
        gain = np.exp(-((k * pitch - f1[:, None]) / 260.0) ** 2) + 0.1 / k
        wave += gain * np.sin(k * phase + rng.uniform(0, 6.28, (n, 1)))
    wave += rng.normal(0, 0.5, wave.shape)
    window = np.hanning(128)
    frames = np.stack([wave[:, s:s + 128] * window for s in range(0, 32 * 62, 62)], axis=1)
    power = np.abs(np.fft.rfft(frames, axis=2))[:, :, 1:65] ** 2
    bands = np.log(power.reshape(n, 32, 32, 2).sum(-1) + 1e-3)
    return ((bands - 2.5) / 2.0).astype("float32"), label.astype("int64")


torch.manual_seed(64)
torch.set_num_threads(1)
L2 = 5e-4


class Separable(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.depth = nn.Conv2d(cin, cin, 3, padding=1, groups=cin, bias=False)
        self.point = nn.Conv2d(cin, cout, 1, bias=False)
        self.norm = nn.GroupNorm(4, cout, eps=1e-5)

    def forward(self, x):
        return F.relu(self.norm(self.point(self.depth(x))))


class WordNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, stride=2, bias=False)
        self.norm = nn.GroupNorm(4, 8, eps=1e-5)
        self.block1 = Separable(8, 16)
        self.block2 = Separable(16, 32)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(32 * 4, CLASSES)

    def forward(self, x):
        h = F.relu(self.norm(self.stem(F.pad(x, (0, 1, 0, 1)))))
        h = F.max_pool2d(self.block1(h), 2)
        h = F.avg_pool2d(self.block2(h), (8, 2))
        return self.head(self.drop(h.flatten(1)))


def he_truncated(weight, fan_in):
    """Normal with variance 2 / fan_in after cutting at two sigma."""
    sigma = math.sqrt(2.0 / fan_in) / 0.87962566103423978
    nn.init.trunc_normal_(weight, 0.0, sigma, -2 * sigma, 2 * sigma)


net = WordNet()
he_truncated(net.stem.weight, 9 * 1)
for block, cin in ((net.block1, 8), (net.block2, 16)):
    he_truncated(block.depth.weight, 9 * cin)
    he_truncated(block.point.weight, cin)
he_truncated(net.head.weight, 32 * 4)
nn.init.zeros_(net.head.bias)

kernels = [p for p in net.parameters() if p.dim() > 1]
others = [p for p in net.parameters() if p.dim() == 1]
optimizer = torch.optim.SGD(
    [{"params": kernels, "weight_decay": 2 * L2}, {"params": others, "weight_decay": 0.0}],
    lr=0.02, momentum=0.9, dampening=0, nesterov=False)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

x, y = (torch.from_numpy(a) for a in make_spectrograms(1200, 1))
xt, yt = (torch.from_numpy(a) for a in make_spectrograms(500, 2))
loader = DataLoader(TensorDataset(x.unsqueeze(1), y), batch_size=40, shuffle=True)

for epoch in range(12):
    net.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(net(xb), yb)
        penalty = L2 * sum(p.detach().square().sum().item() for p in kernels)   # shown only
        loss.backward()
        optimizer.step()
        total += (loss.item() + penalty) * len(yb)
    print(f"epoch {epoch + 1}: loss {total / len(y):.4f}")

net.eval()
with torch.no_grad():
    z = net(xt.unsqueeze(1))
    print("test loss %.4f  accuracy %.4f" % (criterion(z, yt).item(), (z.argmax(1) == yt).float().mean().item()))

"""The wave task in PyTorch; Huber loss, clipping, warm-up, RMSprop are written out."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def waves(n, rng):
    freq = rng.uniform(0.1, 0.9, n)
    amp = rng.uniform(0.4, 2.0, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    t = np.arange(48)
    x = amp[:, None] * np.sin(freq[:, None] * t + phase[:, None]) + rng.normal(0, 0.15, (n, 48))
    y = np.stack([4.0 * (freq - 0.5), 2.0 * (amp - 1.2)], axis=1)
    y[rng.uniform(size=n) < 0.05] *= 3.0  # some outliers
    return x[:, :, None].astype("float32"), y.astype("float32")


rng = np.random.default_rng(55)
x_train, y_train = waves(960, rng)
x_test, y_test = waves(320, rng)
x_train, x_test = (torch.from_numpy(a.transpose(0, 2, 1).copy()) for a in (x_train, x_test))
y_train, y_test = torch.from_numpy(y_train), torch.from_numpy(y_test)

torch.manual_seed(9)


class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 16, 4)
        self.conv2 = nn.Conv1d(16, 16, 4, dilation=3)
        self.fc1 = nn.Linear(16, 16)
        self.fc2 = nn.Linear(16, 2)
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = F.elu(self.conv1(F.pad(x, (3, 0))))
        x = F.elu(self.conv2(F.pad(x, (9, 0))))
        return self.fc2(F.elu(self.fc1(x.amax(dim=2))))


def huber(pred, target, delta=0.5):
    err = (pred - target).abs()
    return torch.where(err <= delta, 0.5 * err**2, delta * err - 0.5 * delta**2).mean()


def learning_rate(step, start=2e-4, peak=4e-3, warmup=30, decay=210, floor=0.05):
    """Straight line up to the peak, then half a cosine down to floor * peak; step counts from 0."""
    if step < warmup:
        return start + (peak - start) * step / warmup
    part = min(step - warmup, decay) / decay
    return peak * ((1 - floor) * 0.5 * (1 + math.cos(math.pi * part)) + floor)


class HandRMSprop:
    def __init__(self, params, rho=0.9, eps=1e-7, max_norm=0.3):
        self.params, self.rho, self.eps, self.max_norm = list(params), rho, eps, max_norm
        self.square = [torch.zeros_like(p) for p in self.params]
        self.count = 0

    @torch.no_grad()
    def step(self):
        norm = math.sqrt(sum(float((p.grad**2).sum()) for p in self.params))
        scale = self.max_norm / max(norm, self.max_norm)
        lr = learning_rate(self.count)
        for p, s in zip(self.params, self.square):
            g = p.grad * scale
            s.mul_(self.rho).add_((1 - self.rho) * g * g)
            p.sub_(lr * g / torch.sqrt(s + self.eps))
        self.count += 1


model = WaveNet()
optimizer = HandRMSprop(model.parameters())


def train_step(xb, yb):
    model.zero_grad()
    loss = huber(model(xb), yb)
    loss.backward()
    optimizer.step()
    return loss.item()


# ---- training
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)
for epoch in range(1, 9):
    losses = [train_step(xb, yb) for xb, yb in loader]
    print(f"epoch {epoch} huber {np.mean(losses):.4f}")

with torch.no_grad():
    print(f"test huber {huber(model(x_test), y_test).item():.4f}")

"""Denoising autoencoder in PyTorch."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(77)


def make_data(n=640, size=12):
    rng = np.random.default_rng(27)
    yy, xx = np.mgrid[0:size, 0:size]
    clean = np.zeros((n, size, size))
    for i in range(n):
        cy, cx = rng.uniform(2, size - 3, size=2)
        w, h = rng.uniform(1.0, 3.0, size=2)
        if i % 2:
            clean[i] = np.exp(-((yy - cy) / h) ** 2 - ((xx - cx) / w) ** 2)
        else:
            clean[i] = ((abs(yy - cy) < h) & (abs(xx - cx) < w)).astype(float)
    noisy = clean + 0.3 * rng.normal(size=clean.shape)
    return noisy.astype("float32"), clean.astype("float32")


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = nn.Conv2d(1, 8, 3, padding=1)
        self.enc2 = nn.Conv2d(8, 12, 3, padding=1)
        self.dec1 = nn.Conv2d(12, 8, 3, padding=1)
        self.dec2 = nn.Conv2d(8, 1, 3, padding=1)
        for m in self.children():
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        h = F.max_pool2d(torch.relu(self.enc1(x)), 2)
        h = torch.relu(self.enc2(h))
        h = F.interpolate(torch.relu(self.dec1(h)), scale_factor=2, mode="nearest")
        return self.dec2(h)


noisy, clean = (torch.from_numpy(v)[:, None] for v in make_data())
train = DataLoader(TensorDataset(noisy[:512], clean[:512]), batch_size=32, shuffle=True)
model = Denoiser()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)

for epoch in range(10):
    total = 0.0
    for xb, yb in train:
        optimizer.zero_grad()
        loss = F.mse_loss(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    with torch.no_grad():
        val = F.mse_loss(model(noisy[512:]), clean[512:]).item()
    print(f"epoch {epoch + 1} train {total / 512:.5f} val {val:.5f}")

"""Denoising autoencoder on small synthetic images."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(50)


def images(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:16, 0:16]
    cx, cy = rng.uniform(3, 13, (2, n, 1, 1))
    r = rng.uniform(2, 5, (n, 1, 1))
    square = rng.random((n, 1, 1)) < 0.5
    dist = np.where(square, np.maximum(abs(xx - cx), abs(yy - cy)), np.hypot(xx - cx, yy - cy))
    clean = 1.0 / (1.0 + np.exp(3.0 * (dist - r)))
    noisy = clean + rng.normal(0, 0.4, clean.shape)
    return noisy[:, None].astype("float32"), clean[:, None].astype("float32")


noisy, clean = map(torch.from_numpy, images(900, 0))
noisy_test, clean_test = map(torch.from_numpy, images(200, 1))


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.down2 = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.up1 = nn.Conv2d(16, 8, 3, padding=1)
        self.up2 = nn.Conv2d(8, 8, 3, padding=1)
        self.last = nn.Conv2d(8, 1, 3, padding=1)
        for m in self.children():
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.elu(self.down1(x))
        x = F.elu(self.down2(x))
        x = F.elu(self.up1(F.interpolate(x, scale_factor=2, mode="nearest")))
        x = F.elu(self.up2(F.interpolate(x, scale_factor=2, mode="nearest")))
        return self.last(x)


net = Denoiser()
huber = nn.HuberLoss(delta=0.5)
opt = torch.optim.Adam(net.parameters(), lr=5e-3, betas=(0.9, 0.999), eps=1e-12)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.8)

for epoch in range(8):
    total = 0.0
    for i in range(0, 900, 30):
        out = net(noisy[i:i + 30])
        loss = huber(out, clean[i:i + 30])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() / 30
    sched.step()
    print(f"{epoch} {total:.5f}")

with torch.no_grad():
    restored = net(noisy_test)
    print(f"test huber {huber(restored, clean_test).item():.5f}")
    print(f"test mse   {((restored - clean_test) ** 2).mean().item():.5f}")

"""Small U-Net in PyTorch: find the blobs."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(8)

SIZE, BATCH, EPOCHS = 16, 20, 12


def blobs(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    images = np.empty((n, 1, SIZE, SIZE), dtype="float32")
    masks = np.empty((n, 1, SIZE, SIZE), dtype="float32")
    for i in range(n):
        mask = np.zeros((SIZE, SIZE), dtype=bool)
        for _ in range(rng.integers(1, 3)):
            cy, cx = rng.uniform(3, SIZE - 3, 2)
            ry, rx = rng.uniform(2, 4.5, 2)
            mask |= ((yy - cy) / ry) ** 2 + ((xx - cx) / rx) ** 2 < 1
        shade = 0.6 * np.sin(xx / 5 + rng.uniform(0, 6))
        images[i, 0] = mask * 1.0 + shade + rng.normal(0, 0.5, (SIZE, SIZE))
        masks[i, 0] = mask
    return torch.from_numpy(images), torch.from_numpy(masks)


class Block(nn.Sequential):
    def __init__(self, cin, cout):
        parts = []
        for c in (cin, cout):
            conv = nn.Conv2d(c, cout, 3, padding=1, bias=False)
            nn.init.kaiming_uniform_(conv.weight, a=0, nonlinearity="relu")
            parts += [conv, nn.GroupNorm(4, cout, eps=1e-5), nn.ReLU()]
        super().__init__(*parts)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.d1, self.d2 = Block(1, 8), Block(8, 16)
        self.bottom = Block(16, 24)
        self.u2, self.u1 = Block(24 + 16, 16), Block(16 + 8, 8)
        self.head = nn.Conv2d(8, 1, 1)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        d1 = self.d1(x)
        d2 = self.d2(F.max_pool2d(d1, 2))
        b = self.bottom(F.max_pool2d(d2, 2))
        u2 = self.u2(torch.cat([F.interpolate(b, scale_factor=2, mode="nearest"), d2], dim=1))
        u1 = self.u1(torch.cat([F.interpolate(u2, scale_factor=2, mode="nearest"), d1], dim=1))
        return self.head(u1)


def bce_dice(logits, masks):
    bce = F.binary_cross_entropy_with_logits(logits, masks)
    p = torch.sigmoid(logits)
    inter = (p * masks).sum((1, 2, 3))
    total = p.sum((1, 2, 3)) + masks.sum((1, 2, 3))
    dice = (2 * inter + 1) / (total + 1)
    return bce + (1 - dice).mean()


x_train, m_train = blobs(300, seed=41)
x_test, m_test = blobs(100, seed=42)

net = UNet()
steps = EPOCHS * (len(x_train) // BATCH)
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, betas=(0.9, 0.999), eps=1e-12, weight_decay=0.01)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda t: 0.5 * (1 + math.cos(math.pi * t / steps)))

for epoch in range(EPOCHS):
    net.train()
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(BATCH):
        loss = bce_dice(net(x_train[idx]), m_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d}  loss {total / len(x_train):.4f}")

net.eval()
with torch.no_grad():
    logits = net(x_test)
    pred, truth = logits > 0, m_test > 0.5
    iou = ((pred & truth).sum((1, 2, 3)) / (pred | truth).sum((1, 2, 3))).mean()
    print(f"test loss {bce_dice(logits, m_test).item():.4f}  mean IoU {iou.item():.4f}")

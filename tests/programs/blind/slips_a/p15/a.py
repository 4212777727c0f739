"""Segment noisy shapes with a small U-Net, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
torch.set_num_threads(1)


def make_shapes(n, size, seed):
    rng = np.random.RandomState(seed)
    yy, xx = np.mgrid[:size, :size]
    images, masks = [], []
    for _ in range(n):
        cy, cx = rng.uniform(5, size - 5, 2)
        r = rng.uniform(3, 6)
        if rng.rand() < 0.5:
            mask = (yy - cy) ** 2 + (xx - cx) ** 2 < r ** 2
        else:
            mask = (abs(yy - cy) < r) & (abs(xx - cx) < r)
        slope = rng.uniform(-0.5, 0.5) * (xx / size)
        images.append(mask * rng.uniform(0.6, 1.2) + slope + 0.4 * rng.randn(size, size))
        masks.append(mask)
    return np.array(images, "float32"), np.array(masks, "float32")


# data
images, masks = make_shapes(360, 24, 6)
images, masks = torch.from_numpy(images)[:, None], torch.from_numpy(masks)[:, None]
x_train, y_train, x_test, y_test = images[:300], masks[:300], images[300:], masks[300:]


class Block(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.c1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.c2 = nn.Conv2d(cout, cout, 3, padding=1)

    def forward(self, x):
        return F.relu(self.c2(F.relu(self.c1(x))))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = Block(1, 8)
        self.down2 = Block(8, 16)
        self.bottom = Block(16, 32)
        self.up2 = Block(32 + 16, 16)
        self.up1 = Block(16 + 8, 8)
        self.head = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        d1 = self.down1(x)
        d2 = self.down2(F.max_pool2d(d1, 2))
        b = self.bottom(F.max_pool2d(d2, 2))
        u2 = self.up2(torch.cat([F.interpolate(b, scale_factor=2, mode="nearest"), d2], 1))
        u1 = self.up1(torch.cat([F.interpolate(u2, scale_factor=2, mode="nearest"), d1], 1))
        return self.head(u1)


def seg_loss(logits, mask):
    bce = F.binary_cross_entropy_with_logits(logits, mask)
    p = torch.sigmoid(logits)
    dice = 1.0 - (2.0 * (p * mask).sum() + 1.0) / (p.sum() + mask.sum() + 1.0)
    return bce + dice


model = UNet()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.999),
                              eps=1e-15, weight_decay=0.01)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=16, shuffle=True)

# training
for epoch in range(8):
    total = 0.0
    for xb, yb in loader:
        loss = seg_loss(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    with torch.no_grad():
        logits = model(x_test)
        hit = logits > 0
        iou = (hit & (y_test > 0.5)).sum() / (hit | (y_test > 0.5)).sum()
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f} "
          f"test {seg_loss(logits, y_test).item():.4f} iou {iou.item():.4f}")

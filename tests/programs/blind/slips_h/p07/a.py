"""A small U-Net that separates discs from a striped background (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SIZE = 24


def make_data():
    rng = np.random.default_rng(808)
    yy, xx = np.mgrid[:SIZE, :SIZE]
    images, masks = [], []
    for _ in range(600):
        angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
        image = 0.5 * np.sin(1.2 * (xx * np.cos(angle) + yy * np.sin(angle)) + phase)
        mask = np.zeros((SIZE, SIZE))
        for _ in range(rng.integers(1, 4)):
            cy, cx, r = rng.uniform(4, 20), rng.uniform(4, 20), rng.uniform(2.5, 5)
            mask[(yy - cy) ** 2 + (xx - cx) ** 2 < r * r] = 1
        image = image + 0.7 * mask + 0.3 * rng.standard_normal(image.shape)
        images.append(image)
        masks.append(mask)
    x = np.array(images, dtype=np.float32)[..., None]
    y = np.array(masks, dtype=np.float32)[..., None]
    return x[:480], y[:480], x[480:], y[480:]


def convolution(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1, bias=False),
                         nn.GroupNorm(4, cout, eps=1e-5), nn.SiLU())


def block(cin, cout):
    return nn.Sequential(convolution(cin, cout), convolution(cout, cout))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = block(1, 8), block(8, 16)
        self.bottom = block(16, 32)
        self.pool = nn.MaxPool2d(2)
        self.up2, self.up1 = nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)
        self.join2, self.join1 = convolution(32, 16), convolution(16, 8)
        self.last = nn.Conv2d(8, 1, 1)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(self.pool(a))
        c = self.bottom(self.pool(b))
        b = self.join2(torch.cat([self.up2(c), b], dim=1))
        a = self.join1(torch.cat([self.up1(b), a], dim=1))
        return self.last(a)


def bce_dice(logits, mask):
    bce = nn.functional.binary_cross_entropy_with_logits(logits, mask)
    p, t = torch.sigmoid(logits).flatten(1), mask.flatten(1)
    dice = (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    return bce + (1 - dice).mean()


def iou(logits, mask):
    p, t = logits > 0, mask > 0.5
    return ((p & t).sum() / (p | t).sum()).item()


torch.manual_seed(12)
x, y, xv, yv = (torch.from_numpy(v).permute(0, 3, 1, 2).contiguous() for v in make_data())
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)

net = UNet()
kernels = [p for p in net.parameters() if p.ndim == 4]
others = [p for p in net.parameters() if p.ndim < 4]      # biases and normalisation: no decay
opt = torch.optim.AdamW([{"params": kernels, "weight_decay": 0.02},
                         {"params": others, "weight_decay": 0.0}],
                        lr=5e-3, betas=(0.9, 0.999), eps=1e-12)
sched = torch.optim.lr_scheduler.MultiStepLR(opt, milestones=[4, 6], gamma=0.3)

for epoch in range(7):
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = bce_dice(net(xb), yb)
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item()
    print(f"epoch {epoch + 1}: loss {total / len(loader):.4f}")

with torch.no_grad():
    logits = net(xv)
    print(f"val_loss {bce_dice(logits, yv):.4f} val_iou {iou(logits, yv):.4f}")

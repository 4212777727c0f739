"""A small U-Net that segments blobs (PyTorch): cross-entropy plus Dice, cosine schedule."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

BATCH, EPOCHS = 16, 10


def make_images(n=320, size=32):
    """Bright blobs (the mask) on a background with stripes and noise."""
    rng = np.random.default_rng(31)
    yy, xx = np.mgrid[0:size, 0:size]
    images = np.zeros((n, size, size, 1), dtype="float32")
    masks = np.zeros((n, size, size, 1), dtype="float32")
    for k in range(n):
        mask = np.zeros((size, size), dtype=bool)
        for _ in range(rng.integers(1, 4)):
            cy, cx = rng.uniform(5, size - 5, 2)
            ry, rx = rng.uniform(3, 7, 2)
            mask |= ((yy - cy) / ry) ** 2 + ((xx - cx) / rx) ** 2 < 1
        angle = rng.uniform(0, np.pi)
        stripes = 0.5 * np.sin((np.cos(angle) * xx + np.sin(angle) * yy) * rng.uniform(0.4, 1.2))
        images[k, ..., 0] = 0.8 * mask + stripes + rng.normal(0, 0.3, (size, size))
        masks[k, ..., 0] = mask
    return images[:256], masks[:256], images[256:], masks[256:]


class Block(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 3, padding="same")
        self.norm = nn.GroupNorm(4, n_out, eps=1e-5)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = Block(1, 8)
        self.down2 = Block(8, 16)
        self.bottom = Block(16, 32)
        self.up2 = Block(32 + 16, 16)
        self.up1 = Block(16 + 8, 16)
        self.out = nn.Conv2d(16, 1, 1)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        d1 = self.down1(x)
        d2 = self.down2(F.max_pool2d(d1, 2))
        b = self.bottom(F.max_pool2d(d2, 2))
        u2 = self.up2(torch.cat([F.interpolate(b, scale_factor=2, mode="nearest"), d2], dim=1))
        u1 = self.up1(torch.cat([F.interpolate(u2, scale_factor=2, mode="nearest"), d1], dim=1))
        return self.out(u1)


def segmentation_loss(logits, mask):
    bce = F.binary_cross_entropy_with_logits(logits, mask)
    p = torch.sigmoid(logits)
    inter = (p * mask).sum(dim=(1, 2, 3))
    dice = (2 * inter + 1) / (p.sum(dim=(1, 2, 3)) + mask.sum(dim=(1, 2, 3)) + 1)
    return bce + (1 - dice).mean()


def iou(logits, mask):
    pred = logits > 0
    true = mask > 0.5
    return ((pred & true).sum() / (pred | true).sum()).item()


def main():
    torch.manual_seed(6)
    xtr, mtr, xte, mte = (torch.from_numpy(a).permute(0, 3, 1, 2).contiguous() for a in make_images())
    net = UNet()
    opt = torch.optim.Adam(net.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-12)
    steps = EPOCHS * (len(xtr) // BATCH)                 # 256 images are exactly 16 batches
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=steps, eta_min=0.0)
    for epoch in range(EPOCHS):
        net.train()
        losses = []
        for idx in torch.randperm(len(xtr)).split(BATCH):
            loss = segmentation_loss(net(xtr[idx]), mtr[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()                                 # one step of the schedule per batch
            losses.append(loss.item())
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}")
    net.eval()
    with torch.no_grad():
        z = net(xte)
        print(f"test loss {segmentation_loss(z, mte).item():.4f} IoU {iou(z, mte):.4f}")


if __name__ == "__main__":
    main()

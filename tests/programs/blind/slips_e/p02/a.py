"""Segmentation of blobs and boxes with a two-level U-Net, PyTorch; cross-entropy plus soft Dice."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SIZE, N_TRAIN, N_TEST = 24, 320, 80
BATCH, EPOCHS = 16, 8
LR_START, LR_END, POWER = 3e-3, 3e-4, 0.9


def make_images():
    rng = np.random.RandomState(64)
    n = N_TRAIN + N_TEST
    rr, cc = np.mgrid[:SIZE, :SIZE]
    images = rng.normal(0, 0.25, size=(n, SIZE, SIZE))
    masks = np.zeros((n, SIZE, SIZE))
    for k in range(n):
        images[k] += rng.uniform(-0.4, 0.4) * rr / SIZE
        for _ in range(rng.randint(1, 4)):
            r, c, s = rng.randint(3, SIZE - 3), rng.randint(3, SIZE - 3), rng.randint(2, 6)
            if rng.rand() < 0.5:
                shape = (rr - r) ** 2 + (cc - c) ** 2 <= s * s
                images[k][shape] += 0.8
                masks[k][shape] = 1
            else:                                   # boxes are distractors: fainter and not labelled
                shape = (abs(rr - r) < s) & (abs(cc - c) < s) & (masks[k] == 0)
                images[k][shape] += 0.3
    images, masks = images.astype("float32"), masks.astype("float32")
    return images[:N_TRAIN], masks[:N_TRAIN], images[N_TRAIN:], masks[N_TRAIN:]


class DoubleConv(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.c1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.c2 = nn.Conv2d(cout, cout, 3, padding=1)

    def forward(self, x):
        return F.relu(self.c2(F.relu(self.c1(x))))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = DoubleConv(1, 8)
        self.down2 = DoubleConv(8, 16)
        self.bottom = DoubleConv(16, 24)
        self.up2 = DoubleConv(24 + 16, 16)
        self.up1 = DoubleConv(16 + 8, 8)
        self.out = nn.Conv2d(8, 1, 1)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_uniform_(m.weight, a=0, mode="fan_in", nonlinearity="relu")
                nn.init.zeros_(m.bias)

    def forward(self, x):
        s1 = self.down1(x)
        s2 = self.down2(F.max_pool2d(s1, 2))
        b = self.bottom(F.max_pool2d(s2, 2))
        u2 = self.up2(torch.cat([F.interpolate(b, scale_factor=2, mode="nearest"), s2], dim=1))
        u1 = self.up1(torch.cat([F.interpolate(u2, scale_factor=2, mode="nearest"), s1], dim=1))
        return self.out(u1)


def criterion(logits, target):
    bce = F.binary_cross_entropy_with_logits(logits, target)
    p = torch.sigmoid(logits)
    dice = (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
    return bce + (1 - dice)


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        logits = model(x)
        pred = logits > 0
        iou = (pred & (y > 0.5)).sum().item() / (pred | (y > 0.5)).sum().item()
        return criterion(logits, y).item(), iou


def main():
    torch.manual_seed(0)
    x, y, xt, yt = (torch.from_numpy(v)[:, None] for v in make_images())
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=BATCH, shuffle=True)
    model = UNet()
    opt = torch.optim.Adam(model.parameters(), lr=LR_START, betas=(0.9, 0.999), eps=1e-16)
    total = EPOCHS * len(loader)
    poly = torch.optim.lr_scheduler.LambdaLR(
        opt, lambda t: (LR_END + (LR_START - LR_END) * (1 - min(t, total) / total) ** POWER) / LR_START)
    for epoch in range(EPOCHS):
        model.train()
        running = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            opt.step()
            running += loss.item()
        poly.step()
        val, iou = evaluate(model, xt, yt)
        print(f"epoch {epoch + 1}: loss {running / len(loader):.4f}  test loss {val:.4f}  IoU {iou:.4f}")


if __name__ == "__main__":
    main()

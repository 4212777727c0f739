"""Segmentation of bright discs in noisy 16x16 images, PyTorch."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(12)


def discs(n=320, size=16, seed=6):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:size, :size]
    images, masks = [], []
    for _ in range(n):
        cy, cx = rng.uniform(2, size - 2, 2)
        r = rng.uniform(2.0, 5.0)
        m = ((yy - cy) ** 2 + (xx - cx) ** 2 <= r * r).astype("float32")
        images.append(m + 0.6 * rng.normal(size=m.shape))
        masks.append(m)
    return np.stack(images).astype("float32"), np.stack(masks)


def conv(c_in, c_out, k):
    layer = nn.Conv2d(c_in, c_out, k, padding=k // 2)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class SegNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = conv(1, 8, 3)
        self.enc2 = conv(8, 16, 3)
        self.mid = conv(16, 16, 3)
        self.dec = conv(16, 8, 3)
        self.head = conv(8, 1, 1)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.enc1(x)), 2)
        x = F.max_pool2d(F.relu(self.enc2(x)), 2)
        x = F.relu(self.mid(x))
        x = F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=True)
        x = F.relu(self.dec(x))
        return self.head(x)


images, masks = discs()
x = torch.from_numpy(images)[:, None]
y = torch.from_numpy(masks)[:, None]
x_train, y_train, x_test, y_test = x[:256], y[:256], x[256:], y[256:]

model = SegNet()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.999), eps=1e-12)
for epoch in range(1, 21):
    model.train()
    total = 0.0
    for idx in torch.randperm(256).split(32):
        loss = F.binary_cross_entropy_with_logits(model(x_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch:2d} bce {total / 256:.4f}")

model.eval()
with torch.no_grad():
    pred = model(x_test) > 0
truth = y_test > 0.5
print("test IoU", ((pred & truth).sum() / (pred | truth).sum()).item())

"""Coarse-to-fine segmentation: strided encoder, class scores, fixed bilinear upsampling (PyTorch)."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

SIDE, CLASSES, BATCH, EPOCHS = 24, 3, 32, 12


def scenes(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:SIDE, 0:SIDE]
    img = np.zeros((n, SIDE, SIDE))
    mask = np.zeros((n, SIDE, SIDE), "int64")
    for i in range(n):
        h, w = rng.integers(6, 12, 2)
        y0, x0 = rng.integers(0, SIDE - h), rng.integers(0, SIDE - w)
        mask[i, y0:y0 + h, x0:x0 + w] = 1
        cy, cx, r = rng.uniform(4, SIDE - 4), rng.uniform(4, SIDE - 4), rng.uniform(3, 5)
        mask[i][(yy - cy) ** 2 + (xx - cx) ** 2 < r * r] = 2
        img[i] = np.array([0.0, 0.6, -0.7])[mask[i]]
    img += 0.25 * rng.normal(size=img.shape)
    return img.astype("float32")[..., None], mask


def bilinear(channels):
    tri = np.array([0.5, 1.0, 0.5], "float32")
    kernel = np.zeros((3, 3, channels, channels), "float32")
    for c in range(channels):
        kernel[:, :, c, c] = np.outer(tri, tri)
    return kernel


x_train, m_train = scenes(640, 1)
x_test, m_test = scenes(160, 2)

torch.manual_seed(52)


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, stride=2)
        self.conv2 = nn.Conv2d(16, 32, 3, stride=2)
        self.score = nn.Conv2d(32, CLASSES, 1)
        self.up1 = nn.ConvTranspose2d(CLASSES, CLASSES, 3, stride=2, padding=1, output_padding=1, bias=False)
        self.up2 = nn.ConvTranspose2d(CLASSES, CLASSES, 3, stride=2, padding=1, output_padding=1, bias=False)
        for m in (self.conv1, self.conv2, self.score):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
        for m in (self.up1, self.up2):
            m.weight.data.copy_(torch.from_numpy(bilinear(CLASSES)).permute(3, 2, 0, 1))
            m.weight.requires_grad_(False)

    def forward(self, x):
        x = F.relu(self.conv1(F.pad(x, (0, 1, 0, 1))))
        x = F.relu(self.conv2(F.pad(x, (0, 1, 0, 1))))
        return self.up2(self.up1(self.score(x)))


model = Segmenter()
xt = torch.from_numpy(x_train.transpose(0, 3, 1, 2).copy())
mt = torch.from_numpy(m_train)

# training
opt = torch.optim.Adam([p for p in model.parameters() if p.requires_grad],
                       lr=3e-3, betas=(0.9, 0.999), eps=1e-12)
for epoch in range(EPOCHS):
    model.train()
    perm = torch.randperm(len(xt))
    total = 0.0
    for i in range(0, len(xt), BATCH):
        idx = perm[i:i + BATCH]
        loss = F.cross_entropy(model(xt[idx]), mt[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1} loss {total / len(xt):.4f}")

model.eval()
with torch.no_grad():
    out = model(torch.from_numpy(x_test.transpose(0, 3, 1, 2).copy()))
    target = torch.from_numpy(m_test)
    print(f"test loss {F.cross_entropy(out, target).item():.4f} "
          f"pixel accuracy {(out.argmax(1) == target).float().mean().item():.4f}")

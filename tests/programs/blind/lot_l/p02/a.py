import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HI, FACTOR = 24, 4
LO = HI // FACTOR


def scenes(n, seed):
    rng = np.random.RandomState(seed)
    yy, xx = np.mgrid[0:HI, 0:HI].astype("float32")
    hi = np.zeros((n, HI, HI), "float32")
    for k in range(n):
        for _ in range(4):
            cy, cx = rng.uniform(0, HI - 1, 2)
            s = rng.uniform(2.0, 4.5)
            hi[k] += rng.uniform(-1, 1) * np.exp(-((yy - cy) ** 2 + (xx - cx) ** 2) / (2 * s * s))
        hi[k] += rng.uniform(-0.05, 0.05) * (yy - HI / 2) + rng.uniform(-0.05, 0.05) * (xx - HI / 2)
    lo = hi.reshape(n, LO, FACTOR, LO, FACTOR).mean((2, 4))
    return lo[..., None].astype("float32"), hi[..., None].astype("float32")


lo_train, hi_train = scenes(640, 0)
lo_test, hi_test = scenes(160, 1)


class SuperRes(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3, padding=1)
        self.c2 = nn.Conv2d(16, 8, 3, padding=1)
        self.up = nn.Upsample(scale_factor=FACTOR, mode="bilinear", align_corners=True)
        self.c3 = nn.Conv2d(9, 8, 3, padding=1)
        self.c4 = nn.Conv2d(8, 1, 3, padding=1)
        for m in (self.c1, self.c2, self.c3, self.c4):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        h = torch.relu(self.c1(x))
        h = torch.relu(self.c2(h))
        z = self.up(torch.cat([x, h], 1))
        base = z[:, :1]
        return base + self.c4(torch.relu(self.c3(z)))


torch.manual_seed(21)
model = SuperRes()


def nchw(a):
    return torch.from_numpy(a).permute(0, 3, 1, 2).contiguous()


loader = DataLoader(TensorDataset(nchw(lo_train), nchw(hi_train)), batch_size=32, shuffle=True)

# training
loss_fn = nn.MSELoss()
opt = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
for epoch in range(10):
    model.train()
    s = 0.0
    for lo, hi in loader:
        opt.zero_grad()
        loss = loss_fn(model(lo), hi)
        loss.backward()
        opt.step()
        s += loss.item() * len(lo)
    print(f"epoch {epoch + 1:2d} mse {s / len(lo_train):.6f}")

model.eval()
with torch.no_grad():
    mse = loss_fn(model(nchw(lo_test)), nchw(hi_test)).item()
print(f"test mse {mse:.6f} psnr {10 * np.log10(4.0 / mse):.2f}")

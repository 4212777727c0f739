"""Sensor transformer for remaining life, PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

STEPS, CHANNELS = 24, 6


def make_windows(n, seed):
    """Windows of six sensors of an engine and its remaining life (scaled), with some gross outliers."""
    rig = np.random.RandomState(5)
    gain = rig.normal(0, 1, CHANNELS)
    speed = rig.uniform(0.3, 1.2, CHANNELS)
    rng = np.random.RandomState(seed)
    wear = rng.uniform(0, 1, n)
    load = rng.uniform(0.5, 1.5, n)
    shift = rng.uniform(0, 6.28, (n, 1, 1))
    t = np.arange(STEPS)[None, :, None]
    swing = np.sin(speed * (1 + 0.5 * wear[:, None, None]) * t + shift)
    x = swing * load[:, None, None] + gain * (wear ** 2)[:, None, None] + rng.normal(0, 0.3, (n, STEPS, CHANNELS))
    life = 2.0 * (1 - wear) * (1.5 - 0.5 * load) + rng.normal(0, 0.05, n)
    odd = rng.uniform(size=n) < 0.04
    life[odd] += rng.normal(0, 3.0, odd.sum())
    return x.astype("float32"), (life - 1.0).astype("float32")


torch.manual_seed(7)
torch.set_num_threads(1)


class Block(nn.Module):
    def __init__(self, width, heads, hidden, drop):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-5)
        self.attn = nn.MultiheadAttention(width, heads, dropout=0.0, bias=False, batch_first=True)
        self.norm2 = nn.LayerNorm(width, eps=1e-5)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(approximate="none"), nn.Linear(hidden, width))
        self.drop = nn.Dropout(drop)

    def forward(self, x):
        h = self.norm1(x)
        h, _ = self.attn(h, h, h, need_weights=False)
        x = x + self.drop(h)
        return x + self.drop(self.mlp(self.norm2(x)))


class LifeModel(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.embed = nn.Linear(CHANNELS, width)
        self.position = nn.Parameter(0.02 * torch.randn(STEPS, width))
        self.blocks = nn.Sequential(*[Block(width, 4, 64, 0.05) for _ in range(2)])
        self.norm = nn.LayerNorm(width, eps=1e-5)
        self.head = nn.Linear(width, 1)
        for m in self.modules():
            if isinstance(m, nn.MultiheadAttention):
                for part in m.in_proj_weight.data.chunk(3):     # query, key and value one by one
                    nn.init.xavier_uniform_(part)
                nn.init.xavier_uniform_(m.out_proj.weight)
            elif isinstance(m, nn.Linear) and m.bias is not None:
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        h = self.blocks(self.embed(x) + self.position)
        return self.head(self.norm(h).mean(dim=1)).squeeze(-1)


x, y = (torch.from_numpy(a) for a in make_windows(2020, 1))
xt, yt = (torch.from_numpy(a) for a in make_windows(600, 2))
model = LifeModel()
loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True, drop_last=False)
loss_fn = nn.HuberLoss(delta=0.5)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: min(1.0, (done + 1) / 40))

for epoch in range(6):
    model.train()
    total = 0.0
    for xb, yb in loader:
        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        warmup.step()
        total += loss.item() * len(yb)
    print(f"epoch {epoch + 1}: {total / len(y):.4f}")

model.eval()
with torch.no_grad():
    pred = model(xt)
    error = (pred - yt).abs().numpy()
    print("test huber %.4f  median error %.4f" % (loss_fn(pred, yt).item(), np.median(error)))

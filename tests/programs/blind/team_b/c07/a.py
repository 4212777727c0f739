"""Transformer on patches of sensor signals, torch.nn building blocks."""
import numpy as np
import torch
from torch import nn

DIM, HEADS, PATCH = 32, 4, 4


def windows(n=1152 + 288, channels=6, length=48):
    """Machine vibration windows of four operating states."""
    rng = np.random.default_rng(640)
    state = rng.integers(0, 4, n)
    t = np.arange(length)
    x = 0.6 * rng.normal(size=(n, length, channels))
    for i, s in enumerate(state):
        freq = [0.25, 0.45, 0.25, 0.45][s] * rng.uniform(0.9, 1.1)
        wave = np.sin(freq * t + rng.uniform(0, 6.28))
        x[i, :, :3] += wave[:, None] * rng.uniform(0.6, 1.2)
        if s >= 2:
            hit = rng.integers(4, 40)
            x[i, hit:hit + 6, 3:] += 1.5
    return x.astype("float32"), state.astype("int64")


class SensorTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(6 * PATCH, DIM)
        self.position = nn.Parameter(0.02 * torch.randn(1, 48 // PATCH, DIM))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                DIM, HEADS, dim_feedforward=64, dropout=0.1, activation="gelu",
                layer_norm_eps=1e-5, batch_first=True, norm_first=True,
            )
            for _ in range(2)
        )
        self.norm = nn.LayerNorm(DIM, eps=1e-5)
        self.head = nn.Linear(DIM, 4)

    def forward(self, x):
        x = x.reshape(x.shape[0], 48 // PATCH, PATCH * 6)
        x = self.embed(x) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(dim=1))


# --- training
torch.manual_seed(1)
x, y = windows()
X, Y = torch.from_numpy(x), torch.from_numpy(y)
n, steps_per_epoch, epochs, warmup = 1152, 24, 10, 30
model = SensorTransformer()
opt = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.05)
total_steps = steps_per_epoch * epochs
sched = torch.optim.lr_scheduler.LambdaLR(
    opt, lambda s: min((s + 1) / warmup, (total_steps - s) / (total_steps - warmup))
)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:n], Y[:n]), batch_size=48, shuffle=True)
criterion = nn.CrossEntropyLoss()
for epoch in range(epochs):
    model.train()
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        sched.step()
        total += loss.item() * len(yb)
    print(f"epoch {epoch + 1} loss {total / n:.4f}")
model.eval()
with torch.no_grad():
    z = model(X[n:])
    print(f"test loss {criterion(z, Y[n:]).item():.4f} accuracy {(z.argmax(1) == Y[n:]).float().mean().item():.4f}")

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def fields(n):
    rng = np.random.default_rng(15)
    u = np.arange(12) / 12.0
    gx, gy = np.meshgrid(u, u, indexing="ij")
    out = np.zeros((n, 12, 12))
    for _ in range(5):
        k = rng.uniform(-1.6, 1.6, size=(n, 2, 1, 1))
        phase = rng.uniform(0, 2 * np.pi, size=(n, 1, 1))
        amp = rng.normal(size=(n, 1, 1)) * 0.5
        out += amp * np.sin(2 * np.pi * (k[:, 0] * gx + k[:, 1] * gy) + phase)
    return out.astype("float32")


high = fields(1000)[:, None]
low = np.ascontiguousarray(high[:, :, ::2, ::2])
low_tr, high_tr, low_te, high_te = map(torch.from_numpy, (low[:800], high[:800], low[800:], high[800:]))

torch.manual_seed(2)
model = nn.Sequential(
    nn.ConvTranspose2d(1, 8, 3, stride=2, padding=1, output_padding=1),
    nn.Tanh(),
    nn.Conv2d(8, 1, 1),
)
for m in (model[0], model[2]):
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)

loader = DataLoader(TensorDataset(low_tr, high_tr), batch_size=40, shuffle=True)
mse = nn.MSELoss()
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for e in range(15):
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    print(f"epoch {e} mse {total / len(low_tr):.5f}")
with torch.no_grad():
    print(f"test mse {mse(model(low_te), high_te).item():.5f}")

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)


def plates(n=1100, size=9):
    rng = np.random.default_rng(55)
    grid = np.arange(size)
    maps = 0.2 * rng.standard_normal((n, size, size))
    target = np.zeros(n)
    for i in range(n):
        for _ in range(3):
            r, c = rng.integers(0, size, 2)
            heat = rng.uniform(0.5, 1.5)
            maps[i] += heat * np.exp(-((grid[:, None] - r) ** 2 + (grid[None, :] - c) ** 2) / 2.0)
            edge = min(r, c, size - 1 - r, size - 1 - c)
            target[i] += heat * (1.0 - edge / 4.0)
    return maps.astype(np.float32), (target - target.mean()).astype(np.float32)


class ToChannelsLast(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1)


maps, target = plates()
maps, target = torch.from_numpy(maps)[:, None], torch.from_numpy(target)[:, None]

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(),
    nn.AvgPool2d(5, stride=2, padding=2),
    nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(),
    nn.AvgPool2d(5, stride=2, padding=2),
    ToChannelsLast(), nn.Flatten(),
    nn.Linear(3 * 3 * 12, 1),
)
for m in model:
    if isinstance(m, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
mse = nn.MSELoss()
loader = DataLoader(TensorDataset(maps[:900], target[:900]), batch_size=36, shuffle=True)
for epoch in range(12):
    for x, y in loader:
        opt.zero_grad()
        mse(model(x), y).backward()
        opt.step()

with torch.no_grad():
    print("variance", round(target[900:].var(unbiased=False).item(), 4))
    print("test mse", round(mse(model(maps[900:]), target[900:]).item(), 4))

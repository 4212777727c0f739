"""Predict the inflow of water on a coarse grid from a height map."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
SIZE, N_TRAIN, N_TEST = 16, 800, 200


def terrain():
    rng = np.random.default_rng(77)
    h = rng.normal(size=(N_TRAIN + N_TEST, SIZE, SIZE))
    smooth = h + 0.5 * (np.roll(h, 1, axis=1) + np.roll(h, -1, axis=1)
                        + np.roll(h, 1, axis=2) + np.roll(h, -1, axis=2))
    h = smooth / smooth.std()
    upper, left = np.zeros_like(h), np.zeros_like(h)
    upper[:, 1:] = h[:, :-1] - h[:, 1:]
    left[:, :, 1:] = h[:, :, :-1] - h[:, :, 1:]
    inflow = np.maximum(upper, 0.0) + np.maximum(left, 0.0)
    y = inflow[:, ::2, ::2]
    return h.astype(np.float32), y.astype(np.float32)


class InflowNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 16, kernel_size=3, stride=2, padding=1)
        self.mix = nn.Conv2d(16, 16, kernel_size=1)
        self.out = nn.Conv2d(16, 1, kernel_size=1)
        for conv in (self.down, self.mix, self.out):
            nn.init.xavier_uniform_(conv.weight)
            nn.init.zeros_(conv.bias)

    def forward(self, x):
        x = torch.relu(self.down(x))
        x = torch.relu(self.mix(x))
        return self.out(x)


h, y = (torch.from_numpy(v).unsqueeze(1) for v in terrain())
train = TensorDataset(h[:N_TRAIN], y[:N_TRAIN])
loader = DataLoader(train, batch_size=32, shuffle=True)
model = InflowNet()
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=False)

for epoch in range(12):
    model.train()
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item() * xb.size(0)
    print(f"epoch {epoch + 1}: mse {running / N_TRAIN:.4f}")

model.eval()
with torch.no_grad():
    print(f"test mse {criterion(model(h[N_TRAIN:]), y[N_TRAIN:]).item():.4f}")

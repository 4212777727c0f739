import numpy as np
import torch
import torch.nn as nn

EPOCHS = 15
N = 1500

rng = np.random.default_rng(12)
drift = rng.normal(size=(N, 3))
counts = np.round(1.2e9 + 220.0 * drift)
target = np.sin(1.5 * drift[:, 0]) + 0.5 * drift[:, 1] * drift[:, 2] + 0.05 * rng.normal(size=N)
target = target[:, None].astype("float32")
train_x, train_y = torch.from_numpy(counts[:1200]), torch.from_numpy(target[:1200])
test_x, test_y = torch.from_numpy(counts[1200:]), torch.from_numpy(target[1200:])

center, scale = 1.2e9, 220.0


class Calibration(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
        for m in self.body:
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = x * (1.0 / scale) - center / scale
        return self.body(x.float())


torch.manual_seed(6)
model = Calibration()
opt = torch.optim.Adam(model.parameters(), lr=5e-3, eps=1e-12)
mse = nn.MSELoss()
for epoch in range(EPOCHS):
    total = 0.0
    for rows in torch.randperm(len(train_x)).split(40):
        opt.zero_grad()
        loss = mse(model(train_x[rows]), train_y[rows])
        loss.backward()
        opt.step()
        total += loss.item() * len(rows)
    with torch.no_grad():
        val = mse(model(test_x), test_y).item()
    print(f"epoch {epoch + 1}: mse {total / len(train_x):.4f} val_mse {val:.4f}")

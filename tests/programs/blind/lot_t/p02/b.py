import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)


def demand_series(n=814, lags=14):
    rng = np.random.default_rng(42)
    t = np.arange(n)
    level = 1.0 + 0.001 * t + 0.8 / (1 + np.exp(-(t - 620) / 12.0))
    season = 0.35 * np.sin(2 * np.pi * t / 7) + 0.2 * np.cos(2 * np.pi * t / 30)
    s = level * (1 + season) + 0.05 * rng.normal(size=n)
    x = np.stack([s[i:n - lags + i] for i in range(lags)], axis=1)
    y = s[lags:]
    return x.astype("float32"), y.astype("float32")[:, None]


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(14, 32)
        self.fc2 = nn.Linear(32, 16)
        self.out = nn.Linear(16, 1)
        for m in (self.fc1, self.fc2, self.out):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        return self.out(x)


x, y = demand_series()
x_train, y_train = torch.tensor(x[:700]), torch.tensor(y[:700])
x_test, y_test = torch.tensor(x[700:]), torch.tensor(y[700:])
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=192, shuffle=False)

model = Forecaster()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005, betas=(0.9, 0.999), eps=1e-12)
mse = nn.MSELoss()

for epoch in range(60):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        optimizer.step()
    if (epoch + 1) % 10 == 0:
        model.eval()
        with torch.no_grad():
            print(f"epoch {epoch + 1} train mse {mse(model(x_train), y_train).item():.5f}")

model.eval()
with torch.no_grad():
    print("test mse", mse(model(x_test), y_test).item())

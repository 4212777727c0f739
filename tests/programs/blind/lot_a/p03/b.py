import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CYCLE = 25


def load():
    rng = np.random.default_rng(303)
    x = rng.uniform(-2, 2, size=(1250, 6))
    y = np.sin(2 * x[:, 0]) * x[:, 1] + np.cos(x[:, 2] * x[:, 3]) + 0.3 * x[:, 4] + rng.normal(scale=0.05, size=1250)
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:1000], y[:1000], x[1000:], y[1000:]


def build():
    model = nn.Sequential(nn.Linear(6, 48), nn.Tanh(), nn.Linear(48, 24), nn.Tanh(), nn.Linear(24, 1))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def main():
    torch.manual_seed(13)
    x, y, xt, yt = map(torch.from_numpy, load())
    model = build()
    opt = torch.optim.RMSprop(model.parameters(), lr=3e-3, alpha=0.9, momentum=0.9, eps=1e-8)
    sched = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=CYCLE, T_mult=1, eta_min=0.0)
    mse = nn.MSELoss()
    loader = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
    for epoch in range(14):
        model.train()
        for xb, yb in loader:
            opt.zero_grad()
            mse(model(xb), yb).backward()
            opt.step()
            sched.step()
    model.eval()
    with torch.no_grad():
        print("train mse %.5f" % mse(model(x), y).item())
        print("test mse %.5f" % mse(model(xt), yt).item())


if __name__ == "__main__":
    main()

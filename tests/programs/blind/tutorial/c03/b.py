"""Direct multi-horizon forecasting of an hourly load curve with a one-hidden-layer network in PyTorch."""
import numpy as np
import torch
from torch import nn

WINDOW, HORIZON = 24, 6
N_TRAIN = 1600
BATCH, EPOCHS = 40, 10
ALPHA = 0.2            # ridge strength, shared by the rows of a batch


def make_windows():
    rng = np.random.RandomState(77)
    n = 2100
    t = np.arange(n)
    noise = np.zeros(n)
    for i in range(1, n):
        noise[i] = 0.8 * noise[i - 1] + rng.normal(0, 0.12)
    series = (np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 12 + 0.7)
              + 0.4 * np.sin(2 * np.pi * t / 168) + 0.0004 * t + noise)
    cut = N_TRAIN + WINDOW + HORIZON - 1
    series = (series - series[:cut].mean()) / series[:cut].std()
    rows = np.arange(n - WINDOW - HORIZON + 1)
    x = np.stack([series[r:r + WINDOW] for r in rows]).astype(np.float32)
    y = np.stack([series[r + WINDOW:r + WINDOW + HORIZON] for r in rows]).astype(np.float32)
    gap = N_TRAIN + WINDOW + HORIZON
    return x[:N_TRAIN], y[:N_TRAIN], x[gap:], y[gap:]


def make_model():
    net = nn.Sequential(nn.Linear(WINDOW, 32), nn.Tanh(), nn.Linear(32, HORIZON))
    for layer in (net[0], net[2]):
        bound = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(layer.bias, -bound, bound)
    return net


def objective(net, xb, yb):
    data = 0.5 * ((net(xb) - yb) ** 2).sum(dim=1).mean()
    ridge = sum((layer.weight ** 2).sum() for layer in (net[0], net[2]))
    return data + ALPHA / (2 * len(xb)) * ridge


def main():
    torch.manual_seed(91)
    x_tr, y_tr, x_te, y_te = (torch.from_numpy(v) for v in make_windows())
    net = make_model()
    opt = torch.optim.SGD(net.parameters(), lr=0.004, momentum=0.9, nesterov=True)
    for epoch in range(EPOCHS):
        perm = torch.randperm(N_TRAIN)
        running = 0.0
        for start in range(0, N_TRAIN, BATCH):
            idx = perm[start:start + BATCH]
            opt.zero_grad()
            loss = objective(net, x_tr[idx], y_tr[idx])
            loss.backward()
            opt.step()
            running += loss.item() * len(idx)
        print(f"epoch {epoch + 1}: objective {running / N_TRAIN:.4f}")
    with torch.no_grad():
        for name, x, y in (("train", x_tr, y_tr), ("test", x_te, y_te)):
            err = net(x) - y
            print(f"{name}: mse {err.pow(2).mean():.4f}  mae {err.abs().mean():.4f}")


if __name__ == "__main__":
    main()

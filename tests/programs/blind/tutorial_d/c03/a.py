"""One-step-ahead forecast of a seasonal series from its last 24 values (PyTorch)."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(31)

WINDOW = 24
BATCH = 40
ALPHA = 0.02


def make_series(length=1264, seed=9):
    rng = np.random.default_rng(seed)
    t = np.arange(length)
    season = np.sin(2 * np.pi * t / 12) + 0.6 * np.sin(2 * np.pi * t / 31 + 0.4)
    noise = np.zeros(length)
    for k in range(1, length):
        noise[k] = 0.7 * noise[k - 1] + 0.15 * rng.normal()
    s = season + noise + 0.3 * np.sign(season)
    return (s - s.mean()) / s.std()


series = make_series().astype("float32")
X = np.stack([series[i : i + WINDOW] for i in range(len(series) - WINDOW)])
y = series[WINDOW:]
X_train, y_train = torch.from_numpy(X[:1000]), torch.from_numpy(y[:1000])
X_test, y_test = torch.from_numpy(X[1000:]), torch.from_numpy(y[1000:])

net = nn.Sequential(nn.Linear(WINDOW, 32), nn.Tanh(), nn.Linear(32, 12), nn.Tanh(), nn.Linear(12, 1))
weights, biases = [], []
for layer in net:
    if isinstance(layer, nn.Linear):
        bound = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(layer.bias, -bound, bound)
        weights.append(layer.weight)
        biases.append(layer.bias)

opt = torch.optim.SGD(
    [{"params": weights, "weight_decay": ALPHA / BATCH}, {"params": biases, "weight_decay": 0.0}],
    lr=0.01,
    momentum=0.9,
    nesterov=True,
)

for epoch in range(20):
    running = 0.0
    for idx in torch.randperm(len(X_train)).split(BATCH):
        pred = net(X_train[idx]).squeeze(1)
        loss = 0.5 * ((pred - y_train[idx]) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(idx)
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1}: half squared error {running / len(X_train):.4f}")

with torch.no_grad():
    err = net(X_test).squeeze(1) - y_test
    print(f"test mse {(err ** 2).mean().item():.4f}  mae {err.abs().mean().item():.4f}")

"""House price model, PyTorch version."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH_SIZE = 100
EPOCHS = 25
LR = 2e-3
ALPHA = 0.1  # L2 strength: alpha / 2 * sum(w ** 2)


def make_houses(n=2500, seed=2024):
    rng = np.random.default_rng(seed)
    area = rng.gamma(6.0, 18.0, n)
    rooms = np.clip(np.round(area / 28 + rng.normal(0, 0.8, n)), 1, 9)
    age = rng.uniform(0, 90, n)
    dist = rng.exponential(6.0, n)
    floor = rng.integers(0, 12, n)
    garden = rng.binomial(1, 0.35, n)
    school = rng.normal(0, 1, n)
    noise_db = 45 + 20 * np.exp(-dist / 5) + rng.normal(0, 3, n)
    price = (
        2.4 * area + 9 * rooms - 0.9 * age + 0.011 * (age - 45) ** 2
        + 160 * np.exp(-dist / 7) + 2 * floor + garden * (15 + 0.1 * area)
        + 14 * np.tanh(school) - 0.6 * (noise_db - 45) + rng.normal(0, 18, n)
    )
    X = np.column_stack([area, rooms, age, dist, floor, garden, school, noise_db])
    return X, price


def init_layer(layer):
    if isinstance(layer, nn.Linear):
        bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(layer.bias, -bound, bound)


class PriceNet(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, 64),
            nn.ReLU(),
            nn.Linear(64, 32),
            nn.ReLU(),
            nn.Linear(32, 1),
        )
        self.apply(init_layer)

    def forward(self, x):
        return self.layers(x).squeeze(-1)


def objective(model, x, t):
    half_mse = 0.5 * torch.mean((model(x) - t) ** 2)
    sq = sum((m.weight ** 2).sum() for m in model.modules() if isinstance(m, nn.Linear))
    return half_mse + ALPHA / 2 * sq


def main():
    torch.manual_seed(7)
    X, y = make_houses()
    X_train, X_test = X[:2000], X[2000:]
    y_train, y_test = y[:2000], y[2000:]

    x_mean, x_std = X_train.mean(axis=0), X_train.std(axis=0)
    y_mean, y_std = y_train.mean(), y_train.std()
    X_train = torch.from_numpy(((X_train - x_mean) / x_std).astype(np.float32))
    X_test = torch.from_numpy(((X_test - x_mean) / x_std).astype(np.float32))
    t_train = torch.from_numpy(((y_train - y_mean) / y_std).astype(np.float32))

    loader = DataLoader(TensorDataset(X_train, t_train), batch_size=BATCH_SIZE, shuffle=True)
    model = PriceNet(X_train.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)

    for epoch in range(1, EPOCHS + 1):
        model.train()
        total = 0.0
        for xb, tb in loader:
            optimizer.zero_grad()
            loss = objective(model, xb, tb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        if epoch % 5 == 0 or epoch == 1:
            print(f"epoch {epoch:3d}  loss {total / len(X_train):.5f}")

    model.eval()
    with torch.no_grad():
        pred = model(X_test).numpy() * y_std + y_mean
    mae = np.abs(pred - y_test).mean()
    r2 = 1 - ((pred - y_test) ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum()
    print(f"test MAE {mae:.3f}  R2 {r2:.4f}")


if __name__ == "__main__":
    main()

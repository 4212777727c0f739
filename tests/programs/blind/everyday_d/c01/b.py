"""House-price style regression on engineered tabular features (PyTorch)."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_TRAIN, N_TEST = 1280, 320
BATCH = 64
EPOCHS = 20
ALPHA = 0.05          # penalty alpha / (2 * batch) * sum(w ** 2), weights only


def make_data():
    rng = np.random.RandomState(11)
    n = N_TRAIN + N_TEST
    area = rng.gamma(6.0, 20.0, n)
    rooms = np.clip(np.round(area / 28 + rng.randn(n)), 1, 9)
    age = rng.uniform(0, 80, n)
    dist = rng.exponential(4.0, n)
    noise = rng.randn(n, 4)
    price = 1.8 * area + 9 * rooms - 0.9 * age + 0.01 * (age - 40) ** 2 \
        - 25 * np.log1p(dist) + 10 * np.sin(dist) + 6 * rng.randn(n)
    X = np.column_stack([area, rooms, age, dist, area / rooms, noise])
    X = (X - X[:N_TRAIN].mean(0)) / X[:N_TRAIN].std(0)
    y = (price - price[:N_TRAIN].mean()) / price[:N_TRAIN].std()
    X, y = X.astype(np.float32), y.astype(np.float32)
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:]


class PriceNet(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.fc1 = nn.Linear(n_features, 48)
        self.fc2 = nn.Linear(48, 24)
        self.out = nn.Linear(24, 1)
        for layer in (self.fc1, self.fc2, self.out):
            bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.out(x).squeeze(-1)

    def penalty(self):
        return sum(l.weight.square().sum() for l in (self.fc1, self.fc2, self.out))


def objective(model, xb, yb):
    return 0.5 * nn.functional.mse_loss(model(xb), yb) \
        + 0.5 * ALPHA / len(xb) * model.penalty()


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)


def main():
    torch.manual_seed(41)
    X_tr, y_tr, X_te, y_te = map(torch.from_numpy, make_data())
    loader = DataLoader(TensorDataset(X_tr, y_tr), batch_size=BATCH, shuffle=True)
    model = PriceNet(X_tr.shape[1])
    optimizer = make_optimizer(model)

    for epoch in range(1, EPOCHS + 1):
        model.train()
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = objective(model, xb, yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        if epoch % 5 == 0 or epoch == 1:
            print(f"epoch {epoch:2d}  objective {total / N_TRAIN:.4f}")

    model.eval()
    with torch.no_grad():
        pred = model(X_te)
    mse = nn.functional.mse_loss(pred, y_te).item()
    print(f"test mse {mse:.4f}  r2 {1 - mse / y_te.var(unbiased=False).item():.4f}")


if __name__ == "__main__":
    main()

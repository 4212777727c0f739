"""House price regressor, PyTorch."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)


def make_houses(n=1500, seed=7):
    rng = np.random.default_rng(seed)
    area = rng.gamma(6.0, 18.0, n)
    rooms = np.clip(np.round(area / 28 + rng.normal(0, 0.8, n)), 1, 9)
    age = rng.uniform(0, 90, n)
    distance = rng.exponential(6.0, n)
    floor = rng.integers(0, 12, n)
    garden = (rng.random(n) < 0.3).astype(float)
    crime = rng.beta(2, 6, n)
    school = rng.normal(0, 1, n)
    price = (
        0.021 * area
        + 0.12 * rooms
        + 1.3 * np.exp(-distance / 5)
        + 0.25 * garden * (floor < 2)
        - 0.9 * crime * (1 + 0.5 * (distance < 4))
        + 0.2 * np.tanh(school)
        + 0.3 * np.cos(age / 20)
        + rng.normal(0, 0.12, n)
    )
    X = np.column_stack([area, rooms, age, distance, floor, garden, crime, school])
    return X, price


X, y = make_houses()
X_train, y_train = X[:1200], y[:1200]
X_test, y_test = X[1200:], y[1200:]

mean, std = X_train.mean(axis=0), X_train.std(axis=0)
X_train = torch.tensor((X_train - mean) / std, dtype=torch.float32)
X_test = torch.tensor((X_test - mean) / std, dtype=torch.float32)
y_mean, y_std = y_train.mean(), y_train.std()
y_train = torch.tensor((y_train - y_mean) / y_std, dtype=torch.float32).unsqueeze(1)
y_test = torch.tensor((y_test - y_mean) / y_std, dtype=torch.float32).unsqueeze(1)


class PriceNet(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.fc1 = nn.Linear(n_features, 48)
        self.fc2 = nn.Linear(48, 24)
        self.out = nn.Linear(24, 1)
        for layer in (self.fc1, self.fc2, self.out):
            # scikit-learn's initialisation: weights and biases share the Glorot bound
            bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.out(x)


BATCH_SIZE = 60
EPOCHS = 20
ALPHA = 0.02

model = PriceNet(X_train.shape[1])
weights = [p for name, p in model.named_parameters() if name.endswith("weight")]
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)


def criterion(pred, target):
    assert pred.shape == target.shape
    penalty = sum((w**2).sum() for w in weights)
    return 0.5 * ((pred - target) ** 2).mean() + 0.5 * ALPHA * penalty / len(pred)


loader = DataLoader(TensorDataset(X_train, y_train), batch_size=BATCH_SIZE, shuffle=True)

for epoch in range(1, EPOCHS + 1):
    model.train()
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(xb)
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d}  loss {running / len(X_train):.4f}")

model.eval()
with torch.no_grad():
    for name, xs, ys in (("train", X_train, y_train), ("test", X_test, y_test)):
        err = model(xs) - ys
        mse = (err**2).mean().item()
        r2 = 1.0 - mse / ys.var(unbiased=False).item()
        print(f"{name}: mse {mse:.4f}  r2 {r2:.4f}")

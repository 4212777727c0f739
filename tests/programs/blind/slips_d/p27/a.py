"""House price regressor (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)

BATCH_SIZE = 64
EPOCHS = 25
L2 = 1e-4


def make_houses(n, seed):
    rng = np.random.default_rng(seed)
    area = rng.gamma(6.0, 18.0, n)
    rooms = np.clip(np.round(area / 28 + rng.normal(0, 0.8, n)), 1, 9)
    age = rng.uniform(0, 90, n)
    dist = rng.exponential(6.0, n)
    floor = rng.integers(0, 8, n)
    garden = rng.integers(0, 2, n)
    income = rng.normal(40, 9, n)
    noise = rng.normal(0, 12, n)
    price = (
        1.9 * area + 8 * rooms - 0.9 * age + 0.008 * age**2 - 25 * np.log1p(dist)
        + 14 * garden * (dist > 4) + 0.02 * income * area + noise
    )
    feats = np.stack([area, rooms, age, dist, floor, garden, income], axis=1)
    return feats, price


feats, price = make_houses(1300, seed=2024)
n_train = 1000
mu, sd = feats[:n_train].mean(0), feats[:n_train].std(0)
y_mu, y_sd = price[:n_train].mean(), price[:n_train].std()
X = ((feats - mu) / sd).astype("float32")
y = ((price - y_mu) / y_sd).astype("float32")[:, None]
X_train, y_train = X[:n_train], y[:n_train]
X_test, y_test = X[n_train:], y[n_train:]


class PriceNet(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.fc1 = nn.Linear(n_in, 64)
        self.fc2 = nn.Linear(64, 32)
        self.out = nn.Linear(32, 1)
        for layer in (self.fc1, self.fc2, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.out(x)

    def penalty(self):
        return L2 * sum(m.weight.pow(2).sum() for m in (self.fc1, self.fc2))


model = PriceNet(X.shape[1])
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(
    TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
    batch_size=BATCH_SIZE,
    shuffle=True,
)

# ---- training
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        loss = criterion(model(xb), yb) + model.penalty()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1}: loss {total / n_train:.4f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).numpy()
mse = float(np.mean((pred - y_test) ** 2))
print(f"test mse {mse:.4f}  rmse in thousands {np.sqrt(mse) * y_sd:.2f}")

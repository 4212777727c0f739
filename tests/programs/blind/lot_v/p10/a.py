import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(77)


def weather(n=1500, seed=8):
    """Pressure [hPa], temperature [K], wind [m/s], humidity [%] -> comfort index."""
    rng = np.random.default_rng(seed)
    p = 1013.0 + 8.0 * rng.normal(size=n)
    t = 288.0 + 6.0 * rng.normal(size=n)
    w = rng.gamma(3.0, 1.5, size=n)
    h = rng.uniform(30.0, 95.0, size=n)
    a, b = (p - 1013.0) / 8.0, (t - 288.0) / 6.0
    c, d = (w - 4.5) / 2.6, (h - 62.5) / 18.8
    y = 0.8 * a + np.tanh(1.5 * b) - 0.4 * c * b + 0.3 * d * a + 0.1 * rng.normal(size=n)
    return np.stack([p, t, w, h], axis=1).astype(np.float32), y.astype(np.float32)[:, None]


class Net(nn.Module):
    def __init__(self, mean, variance):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(variance).sqrt())
        self.fc1 = nn.Linear(4, 48)
        self.fc2 = nn.Linear(48, 24)
        self.fc3 = nn.Linear(24, 1)
        for fc in (self.fc1, self.fc2, self.fc3):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, x):
        x = (x - self.mean) / self.std
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.fc3(x)


X, y = weather()
X_train, y_train, X_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]
model = Net(X_train.mean(axis=0), X_train.var(axis=0))
mse = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
train = TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train))
loader = DataLoader(train, batch_size=40, shuffle=True)

for epoch in range(1, 17):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = mse(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch:2d}  mse {total / 1200:.4f}")

with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
    test = mse(model(torch.from_numpy(X_test)), torch.from_numpy(y_test)).item()
print(f"test mse {test:.4f}")

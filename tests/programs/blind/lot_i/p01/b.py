import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 15
rng = np.random.default_rng(17)
X = rng.normal(size=(1500, 6)).astype("float32")
w = np.array([0.9, -0.7, 0.5, 0.4, 0.0, 0.3])
log_y = -5.0 + X @ w + 0.6 * np.sin(2 * X[:, 4]) + 0.25 * rng.normal(size=1500)
y = np.exp(log_y).astype("float32")[:, None]
X_train, X_test = X[:1200], X[1200:]
y_train, y_test = y[:1200], y[1200:]

torch.manual_seed(2)


class Exp(nn.Module):
    def forward(self, x):
        return torch.exp(x)


model = nn.Sequential(
    nn.Linear(6, 32), nn.ReLU(),
    nn.Linear(32, 32), nn.ReLU(),
    nn.Linear(32, 1), Exp(),
)
nn.init.kaiming_uniform_(model[0].weight, nonlinearity="relu")
nn.init.kaiming_uniform_(model[2].weight, nonlinearity="relu")
nn.init.xavier_uniform_(model[4].weight)
nn.init.zeros_(model[0].bias)
nn.init.zeros_(model[2].bias)
nn.init.constant_(model[4].bias, -5.0)


def mape(pred, target):
    return 100.0 * ((target - pred) / target.abs().clamp(min=1e-7)).abs().mean()


loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=50, shuffle=True)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, eps=1e-12)
for epoch in range(EPOCHS):
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = mape(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(xb)
    print(f"epoch {epoch + 1} mape {running / len(X_train):.3f}")

with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).numpy()
print(f"test mae {np.abs(pred - y_test).mean():.5f}  test bias {(pred - y_test).mean():.5f}")

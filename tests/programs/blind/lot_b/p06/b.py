import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(10)

rng = np.random.RandomState(23)
X = rng.randn(700, 40).astype(np.float32)
signal = X[:, 0] - 0.8 * X[:, 1] + np.maximum(X[:, 2], 0) + 0.5 * X[:, 3] * X[:, 4]
y = (signal + 0.7 * rng.randn(700)).astype(np.float32)[:, None]
X, y = torch.from_numpy(X), torch.from_numpy(y)
X_train, y_train, X_test, y_test = X[:200], y[:200], X[200:], y[200:]

model = nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
linears = [m for m in model if isinstance(m, nn.Linear)]
for lin in linears:
    nn.init.xavier_uniform_(lin.weight)
    nn.init.zeros_(lin.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
loss_fn = nn.MSELoss()
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=20, shuffle=True)
for epoch in range(50):
    for xb, yb in loader:
        loss = loss_fn(model(xb), yb)
        loss = loss + 0.03 * sum(lin.weight.square().sum() for lin in linears)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

with torch.no_grad():
    print("train mse %.4f" % loss_fn(model(X_train), y_train).item())
    print("test mse %.4f" % loss_fn(model(X_test), y_test).item())

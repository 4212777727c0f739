import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(32)

X, y = load_diabetes(return_X_y=True, scaled=False)
p = np.random.default_rng(1).permutation(len(y))
X, y = X[p], y[p]
mu, sd = X[:360].mean(axis=0), X[:360].std(axis=0)
X = torch.from_numpy(((X - mu) / sd).astype(np.float32))
y = torch.from_numpy((y / 10.0).astype(np.float32)[:, None])

model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
for module in model:
    if isinstance(module, nn.Linear):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)

loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9)
loader = DataLoader(TensorDataset(X[:360], y[:360]), batch_size=36, shuffle=True)

for epoch in range(1, 26):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 0 or epoch == 1:
        print(f"epoch {epoch:2d} mse {total / 360:.3f}")
with torch.no_grad():
    print(f"test mse {loss_fn(model(X[360:]), y[360:]).item():.3f}")

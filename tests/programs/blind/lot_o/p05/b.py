"""Noisy regression, PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(2024)
X = rng.normal(size=(600, 12)).astype("float32")
w = rng.normal(size=12)
target = np.tanh(X @ w / 3.0) + 0.5 * X[:, 0] * X[:, 1] + 0.4 * rng.normal(size=600)
y = target.astype("float32")[:, None]
X_train, y_train, X_val, y_val = map(torch.from_numpy, (X[:400], y[:400], X[400:], y[400:]))

torch.manual_seed(99)
model = nn.Sequential(nn.Linear(12, 64), nn.Tanh(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 1))
for m in model.modules():
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, betas=(0.9, 0.999), eps=1e-12)
mse = nn.MSELoss()
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=40, shuffle=True)

for e in range(60):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * xb.shape[0]
    if e % 10 == 9:
        print(f"epoch {e + 1}: train mse {total / len(X_train):.5f}")

model.eval()
with torch.no_grad():
    print(f"validation mse {mse(model(X_val), y_val).item():.5f}")

"""Churn classifier, PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)


def make_data(n=800, d=12):
    rng = np.random.default_rng(41)
    X = rng.normal(size=(n, d)).astype("float32")
    score = 1.2 * X[:, 0] - 0.9 * X[:, 1] + X[:, 2] * X[:, 3] + 0.6 * np.sin(2 * X[:, 4]) - 0.3
    y = (score + 0.4 * rng.normal(size=n) > 0).astype("float32")
    return X, y


X, y = make_data()
Xtr, ytr, Xva, yva = X[:640], y[:640], X[640:], y[640:]

model = nn.Sequential(nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

loader = DataLoader(TensorDataset(torch.from_numpy(Xtr), torch.from_numpy(ytr[:, None])), batch_size=16, shuffle=True)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)

for epoch in range(12):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    model.eval()
    with torch.no_grad():
        z = model(torch.from_numpy(Xva))
        val = criterion(z, torch.from_numpy(yva[:, None])).item()
        acc = ((z[:, 0] > 0).float().numpy() == yva).mean()
    print(f"epoch {epoch + 1}: loss {total / len(Xtr):.4f} val_loss {val:.4f} val_acc {acc:.3f}")

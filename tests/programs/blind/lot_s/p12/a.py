"""Fraud type classifier on rare classes (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(44)


def make_data(n=1000, d=10):
    rng = np.random.default_rng(88)
    y = rng.choice(3, size=n, p=[0.78, 0.16, 0.06])
    centers = np.array([[0.0] * d, [0.9, -0.9] + [0.2] * (d - 2), [-0.8, 1.0, 0.9] + [0.0] * (d - 3)])
    X = centers[y] + rng.normal(size=(n, d))
    X[:, 4] *= 1 + 0.5 * (y == 2)
    return X.astype("float32"), y.astype("int64")


WEIGHTS = [1.0, 5.0, 13.0]


X, y = make_data()
X, y = torch.from_numpy(X), torch.from_numpy(y)
train = DataLoader(TensorDataset(X[:800], y[:800]), batch_size=64, shuffle=True)

model = nn.Sequential(nn.Linear(10, 24), nn.ELU(), nn.Linear(24, 12), nn.ELU(), nn.Linear(12, 3))
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)

criterion = nn.CrossEntropyLoss(weight=torch.tensor(WEIGHTS))
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)

for epoch in range(15):
    total = 0.0
    for xb, yb in train:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: {total / 800:.4f}")

with torch.no_grad():
    pred = model(X[800:]).argmax(1)
    recalls = [(pred[y[800:] == k] == k).float().mean().item() for k in range(3)]
print("balanced accuracy", np.mean(recalls))

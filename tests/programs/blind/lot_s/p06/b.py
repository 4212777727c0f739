import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(100)


def load():
    data = load_breast_cancer()
    X = data.data
    order = np.random.default_rng(4).permutation(len(X))
    X, y = X[order], data.target[order]
    X = (X - X[:450].mean(0)) / X[:450].std(0)
    return X.astype("float32"), y.astype("float32")[:, None]


X, y = map(torch.from_numpy, load())

model = nn.Sequential(
    nn.Linear(30, 20), nn.ReLU(),
    nn.Linear(20, 10), nn.ReLU(),
    nn.Linear(10, 1),
)
with torch.no_grad():
    for p in model.parameters():
        nn.init.xavier_uniform_(p) if p.ndim > 1 else p.zero_()

loader = DataLoader(TensorDataset(X[:450], y[:450]), batch_size=25, shuffle=True)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-12)

for epoch in range(15):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    with torch.no_grad():
        val = criterion(model(X[450:]), y[450:]).item()
    print(f"epoch {epoch + 1} loss {total / 450:.4f} val_loss {val:.4f}")
with torch.no_grad():
    print("accuracy", ((model(X[450:]) > 0) == (y[450:] > 0.5)).float().mean().item())

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

X, y = load_breast_cancer(return_X_y=True)
X = ((X - X.mean(0)) / X.std(0)).astype("float32")
y = y.astype("float32")[:, None]
perm = np.random.default_rng(9).permutation(len(X))
X, y = torch.from_numpy(X[perm]), torch.from_numpy(y[perm])
X_train, y_train, X_test, y_test = X[:450], y[:450], X[450:], y[450:]

torch.manual_seed(13)
model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
for p in model.parameters():
    if p.ndim == 2:
        nn.init.xavier_uniform_(p)
    else:
        nn.init.zeros_(p)

optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
criterion = nn.BCEWithLogitsLoss()

for epoch in range(14):
    model.train()
    order = torch.randperm(len(X_train))
    epoch_loss = 0.0
    for i in range(0, len(order), 32):
        idx = order[i:i + 32]
        optimizer.zero_grad()
        loss = criterion(model(X_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(idx)
    print(f"epoch {epoch + 1} loss {epoch_loss / len(X_train):.5f}")

model.eval()
with torch.no_grad():
    logits = model(X_test)
    print(f"test loss {criterion(logits, y_test).item():.5f}")
    print(f"test accuracy {((logits > 0).float() == y_test).float().mean().item():.4f}")

"""Wine cultivars with Adagrad, PyTorch."""
import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
EPOCHS, BATCH, LR = 40, 18, 0.02

X, y = load_wine(return_X_y=True)
perm = np.random.default_rng(3).permutation(len(X))
X, y = X[perm], y[perm]
X = ((X - X[:126].mean(0)) / X[:126].std(0)).astype("float32")
Xtr, ytr, Xte, yte = (torch.from_numpy(v) for v in (X[:126], y[:126], X[126:], y[126:]))


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 3))
model.apply(init)
optimizer = torch.optim.Adagrad(model.parameters(), lr=LR, eps=1e-10)
loss_fn = nn.CrossEntropyLoss()

for e in range(EPOCHS):
    total = 0.0
    for idx in torch.randperm(len(Xtr)).split(BATCH):
        optimizer.zero_grad()
        loss = loss_fn(model(Xtr[idx]), ytr[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if e % 5 == 0:
        print(f"epoch {e + 1}: {total / len(Xtr):.4f}")
with torch.no_grad():
    logits = model(Xte)
print(f"test loss {loss_fn(logits, yte).item():.4f} accuracy {(logits.argmax(1) == yte).float().mean().item():.4f}")

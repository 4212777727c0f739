import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

X, y = load_wine(return_X_y=True)
order = np.random.default_rng(5).permutation(len(y))
X, y = X[order], y[order]
n_train = 140
mu, sd = X[:n_train].mean(0), X[:n_train].std(0)
X = torch.tensor(((X - mu) / sd).astype(np.float32))
y = torch.tensor(y)


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


model = nn.Sequential(nn.Linear(13, 24), nn.Tanh(), nn.Linear(24, 12), nn.Tanh(), nn.Linear(12, 3))
model.apply(init)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.0)
loader = DataLoader(TensorDataset(X[:n_train], y[:n_train]), batch_size=20, shuffle=True)

for epoch in range(1, 31):
    total = 0.0
    for xb, yb in loader:
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 0:
        print(f"epoch {epoch}: train loss {total / n_train:.4f}")

model.eval()
with torch.no_grad():
    logits = model(X[n_train:])
    loss = criterion(logits, y[n_train:])
    acc = (logits.argmax(1) == y[n_train:]).float().mean()
print(f"test loss {loss.item():.4f} accuracy {acc.item():.3f}")

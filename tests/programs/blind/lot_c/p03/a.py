import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def load():
    rng = np.random.default_rng(33)
    parts, labels = [], []
    for k in range(4):
        centre = rng.normal(size=(2, 7)) * 1.3
        pick = rng.integers(0, 2, size=260)
        parts.append(centre[pick] + rng.normal(size=(260, 7)))
        labels.append(np.full(260, k))
    x = np.stack(parts).astype("float32")
    y = np.stack(labels).astype("int64")
    train = x[:, :210].reshape(-1, 7), y[:, :210].reshape(-1)
    test = x[:, 210:].reshape(-1, 7), y[:, 210:].reshape(-1)
    return train + test


xtr, ytr, xte, yte = map(torch.from_numpy, load())
torch.manual_seed(6)
net = nn.Sequential(nn.Linear(7, 32), nn.Tanh(), nn.Linear(32, 4))
for m in (net[0], net[2]):
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)

loader = DataLoader(TensorDataset(xtr, ytr), batch_size=32)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

for epoch in range(12):
    for xb, yb in loader:
        optimizer.zero_grad()
        criterion(net(xb), yb).backward()
        optimizer.step()
    with torch.no_grad():
        print(f"epoch {epoch + 1}: train loss {criterion(net(xtr), ytr).item():.4f}")

with torch.no_grad():
    z = net(xte)
print(f"test loss {criterion(z, yte).item():.4f} accuracy {(z.argmax(1) == yte).float().mean().item():.4f}")

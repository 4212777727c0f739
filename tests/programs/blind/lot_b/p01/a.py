import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_breast_cancer

torch.manual_seed(0)

X, y = load_breast_cancer(return_X_y=True)
perm = np.random.RandomState(3).permutation(len(X))
X, y = X[perm], y[perm].astype(np.float32)[:, None]
X = ((X - X[:448].mean(0)) / X[:448].std(0)).astype(np.float32)
x_train, y_train = torch.from_numpy(X[:448]), torch.from_numpy(y[:448])
x_test, y_test = torch.from_numpy(X[448:]), torch.from_numpy(y[448:])

net = nn.Sequential(nn.Linear(30, 16), nn.Tanh(), nn.Linear(16, 1))
for layer in (net[0], net[2]):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)

opt = torch.optim.Adagrad(net.parameters(), lr=0.02)
bce = nn.BCEWithLogitsLoss()
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)
for epoch in range(12):
    for xb, yb in loader:
        opt.zero_grad()
        bce(net(xb), yb).backward()
        opt.step()

with torch.no_grad():
    for name, x, t in (("train", x_train, y_train), ("test", x_test, y_test)):
        z = net(x)
        print(f"{name} loss {bce(z, t).item():.4f} acc {((z > 0) == (t > 0.5)).float().mean().item():.4f}")

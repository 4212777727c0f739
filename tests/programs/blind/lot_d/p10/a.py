import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(100)

bunch = load_diabetes()
perm = np.random.RandomState(3).permutation(442)
X = bunch.data[perm] * np.sqrt(442)
y = (bunch.target[perm] - 152.0) / 77.0
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y[:, None], dtype=torch.float32)
X_train, y_train, X_test, y_test = X[:352], y[:352], X[352:], y[352:]

model = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 1))
for m in (model[0], model[2]):
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=16, shuffle=True)

for epoch in range(20):
    total = 0.0
    for xb, yb in loader:
        loss = F.mse_loss(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print("epoch %d: mse %.4f" % (epoch + 1, total / len(X_train)))

with torch.no_grad():
    print("test mse %.4f" % F.mse_loss(model(X_test), y_test).item())

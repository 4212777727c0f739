import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

bunch = load_breast_cancer()
perm = np.random.RandomState(3).permutation(569)
X, y = bunch.data[perm], bunch.target[perm].astype("float32")[:, None]
X = ((X - X[:400].mean(0)) / X[:400].std(0)).astype("float32")
x_train, y_train = torch.from_numpy(X[:400]), torch.from_numpy(y[:400])
x_test, y_test = torch.from_numpy(X[400:]), torch.from_numpy(y[400:])

torch.manual_seed(1)
model = nn.Sequential(
    nn.Linear(30, 24), nn.ReLU(),
    nn.Linear(24, 12), nn.ReLU(),
    nn.Linear(12, 1),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.Adam(model.parameters(), lr=0.002, eps=1e-12)
criterion = nn.BCEWithLogitsLoss()

for e in range(1, 26):
    order = torch.randperm(len(x_train))
    total = 0.0
    for idx in order.split(40):
        loss = criterion(model(x_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if e % 5 == 0:
        print(f"epoch {e}: loss {total / len(x_train):.4f}")

with torch.no_grad():
    for name, x, t in (("train", x_train, y_train), ("test", x_test, y_test)):
        z = model(x)
        print(name, "accuracy", round(((z > 0) == (t > 0.5)).double().mean().item(), 4),
              "mean score", round(z.mean().item(), 3))

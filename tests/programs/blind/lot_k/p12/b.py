import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

bunch = load_breast_cancer()
order = np.random.RandomState(2).permutation(569)
X, y = bunch.data[order], bunch.target[order].astype("float32")[:, None]
X = ((X - X[:400].mean(0)) / X[:400].std(0)).astype("float32")
X_train, y_train, X_test, y_test = map(torch.from_numpy, (X[:400], y[:400], X[400:], y[400:]))

torch.manual_seed(31)
model = nn.Sequential(
    nn.Linear(30, 20), nn.Tanh(),
    nn.Linear(20, 10), nn.Tanh(),
    nn.Linear(10, 1),
)
for layer in model[::2]:
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)

optimizer = torch.optim.SGD(model.parameters(), momentum=0.9)
loss_fn = nn.BCEWithLogitsLoss()
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True)

for epoch in range(1, 21):
    total = 0.0
    for xb, yb in loader:
        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 0:
        print("epoch", epoch, "loss", round(total / len(X_train), 4))

with torch.no_grad():
    logits = model(X_test)
    print("test loss", round(loss_fn(logits, y_test).item(), 4),
          "accuracy", round(((logits > 0) == (y_test > 0.5)).double().mean().item(), 4))

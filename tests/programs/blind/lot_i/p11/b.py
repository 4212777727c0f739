import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 40

X, y = load_wine(return_X_y=True)
order = np.random.RandomState(1).permutation(len(X))
X, y = X[order], y[order].astype("int64")
X = ((X - X[:140].mean(0)) / X[:140].std(0)).astype("float32")
X_train, y_train, X_test, y_test = (torch.from_numpy(v) for v in (X[:140], y[:140], X[140:], y[140:]))

torch.manual_seed(19)
model = nn.Sequential(nn.Linear(13, 24), nn.ELU(), nn.Linear(24, 3))
for layer in (model[0], model[2]):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)

loader = DataLoader(TensorDataset(X_train, y_train), batch_size=14, shuffle=True)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

for epoch in range(EPOCHS):
    optimizer.zero_grad()
    running = 0.0
    for xb, yb in loader:
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(xb)
    if epoch % 4 == 0:
        print(f"epoch {epoch + 1} loss {running / len(X_train):.4f}")

with torch.no_grad():
    out = model(X_test)
print(f"test loss {criterion(out, y_test).item():.4f}")
print(f"test accuracy {(out.argmax(1) == y_test).float().mean().item():.4f}")

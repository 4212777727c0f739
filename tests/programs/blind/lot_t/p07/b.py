import math
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.set_default_dtype(torch.float64)
torch.manual_seed(17)

X, y = load_digits(return_X_y=True)
X = X / 16.0
perm = np.random.RandomState(9).permutation(len(X))
X, y = torch.from_numpy(X[perm]), torch.from_numpy(y[perm]).long()
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]


def glorot(layer):
    bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)
    return layer


model = nn.Sequential(glorot(nn.Linear(64, 40)), nn.ReLU(), glorot(nn.Linear(40, 10)))
optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.0)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1.0 / (t + 1) ** 0.5)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=60, shuffle=True)

for epoch in range(1, 21):
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(xb)
    scheduler.step()
    print(f"epoch {epoch}: log loss {running / len(X_train):.4f}")

with torch.no_grad():
    print("test accuracy", (model(X_test).argmax(1) == y_test).double().mean().item())

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 2
BATCH = 50
EPOCHS = 15

rng = np.random.default_rng(77)
X = rng.normal(size=(1800, 8)).astype("float32")
w = rng.normal(size=(8, 3)) / np.sqrt(8)
p = X @ w
y = (np.sin(2.0 * p[:, 0]) + p[:, 1] * p[:, 2] + 0.1 * rng.normal(size=1800)).astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:1500], y[:1500], X[1500:], y[1500:]

torch.manual_seed(SEED)

stack = []
fan_in = 8
for units in (96, 96, 96, 96):
    stack += [nn.Linear(fan_in, units), nn.ReLU()]
    fan_in = units
stack.append(nn.Linear(fan_in, 1))
model = nn.Sequential(*stack)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(m.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9, nesterov=False)
criterion = nn.MSELoss()
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: mse {total / len(X_train):.4f}")

with torch.no_grad():
    test = criterion(model(torch.from_numpy(X_test)), torch.from_numpy(y_test)).item()
print(f"test mse {test:.4f}")

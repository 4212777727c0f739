import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 24
HIGH, LOW = 0.02, 0.0005


def make_data():
    rng = np.random.RandomState(2)
    X = rng.normal(size=(900, 10)) * np.linspace(0.3, 2.0, 10)
    y = np.tanh(X[:, 9]) + 0.5 * X[:, 8] - 0.6 * X[:, 0] * X[:, 7] + 0.1 * rng.normal(size=900)
    return X[:640].astype("float32"), y[:640, None].astype("float32"), X[640:].astype("float32"), y[640:, None].astype("float32")


def rate(epoch):
    return HIGH if epoch % 4 < 2 else LOW


torch.manual_seed(0)
x_train, y_train, x_val, y_val = map(torch.from_numpy, make_data())
model = nn.Sequential(nn.Linear(10, 48), nn.Tanh(), nn.Linear(48, 24), nn.Tanh(), nn.Linear(24, 1))
for module in model.modules():
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)

loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
optimizer = torch.optim.SGD(model.parameters(), lr=HIGH, momentum=0.9)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: rate(epoch) / HIGH)
loss_fn = nn.MSELoss()

for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    scheduler.step()
    with torch.no_grad():
        val = loss_fn(model(x_val), y_val).item()
    print(f"epoch {epoch + 1} loss {total / len(x_train):.5f} val {val:.5f}")

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(90)

L2 = 0.02
EPOCHS, BATCH = 40, 25

rng = np.random.RandomState(64)
X = rng.randn(800, 30).astype(np.float32)
w = rng.randn(30) * (rng.rand(30) < 0.3)
y = (np.tanh(X @ w) + 0.5 * X[:, 0] * X[:, 1] + 0.5 * rng.randn(800)).astype(np.float32)[:, None]
X_train, y_train = torch.from_numpy(X[:300]), torch.from_numpy(y[:300])
X_test, y_test = torch.from_numpy(X[300:]), torch.from_numpy(y[300:])

fc1, fc2, fc3 = nn.Linear(30, 64), nn.Linear(64, 32), nn.Linear(32, 1)
for fc in (fc1, fc2, fc3):
    nn.init.kaiming_uniform_(fc.weight, nonlinearity="relu")
    nn.init.zeros_(fc.bias)
model = nn.Sequential(fc1, nn.ReLU(), fc2, nn.ReLU(), fc3)

optimizer = torch.optim.SGD(
    [
        {"params": [fc.weight for fc in (fc1, fc2, fc3)], "weight_decay": L2},
        {"params": [fc.bias for fc in (fc1, fc2, fc3)], "weight_decay": 0.0},
    ],
    lr=0.01,
    momentum=0.9,
)
loss_fn = nn.MSELoss()

for epoch in range(EPOCHS):
    for idx in torch.randperm(len(X_train)).split(BATCH):
        optimizer.zero_grad()
        loss_fn(model(X_train[idx]), y_train[idx]).backward()
        optimizer.step()

with torch.no_grad():
    print("train mse", round(loss_fn(model(X_train), y_train).item(), 4))
    print("test mse ", round(loss_fn(model(X_test), y_test).item(), 4))

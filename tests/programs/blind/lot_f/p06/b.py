"""House-price-like regression with outliers, robust loss."""
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(33)

BETA = 4.0
rng = np.random.default_rng(12)
area, age, rooms, dist = rng.normal(size=(4, 1300))
price = 6 * area - 3 * age * (dist > 0) + 2 * rooms ** 2 - 4 * np.tanh(2 * dist) + rng.normal(size=1300)
price[:1000] += np.where(rng.random(1000) < 0.06, rng.normal(0, 40, 1000), 0.0)
X = torch.from_numpy(np.stack([area, age, rooms, dist], axis=1).astype(np.float32))
y = torch.from_numpy(price.astype(np.float32).reshape(-1, 1))
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


model = nn.Sequential(dense(4, 32), nn.ReLU(), dense(32, 16), nn.ReLU(), dense(16, 1))
loss_fn = nn.SmoothL1Loss(beta=BETA)
optimizer = torch.optim.SGD(model.parameters(), lr=0.002, momentum=0.9)

for epoch in range(20):
    values = []
    for idx in torch.randperm(1000).split(40):
        optimizer.zero_grad()
        loss = loss_fn(model(X_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    print("epoch", epoch, "loss", round(float(np.mean(values)), 4))

with torch.no_grad():
    print("test mae %.4f" % (model(X_test) - y_test).abs().mean().item())

"""Predict house-like prices (in units of 100k) from ten features."""
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(31)
X = rng.normal(size=(1000, 10)).astype("float32")
price = 3.0 + 0.8 * X[:, 0] - 0.5 * X[:, 1] + 0.6 * np.maximum(X[:, 2], 0) * X[:, 3] + 0.2 * rng.normal(size=1000)
y = price.astype("float32").reshape(-1, 1)
Xt, yt = torch.from_numpy(X[:800]), torch.from_numpy(y[:800])
Xv, yv = torch.from_numpy(X[800:]), torch.from_numpy(y[800:])

torch.manual_seed(6)
model = nn.Sequential(
    nn.Linear(10, 64),
    nn.LayerNorm(64, eps=1e-5),
    nn.ReLU(),
    nn.Linear(64, 32),
    nn.ReLU(),
    nn.Linear(32, 1),
)
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.04)

EPOCHS, BATCH = 20, 40
for epoch in range(EPOCHS):
    model.train()
    order = torch.randperm(len(Xt))
    total = 0.0
    for start in range(0, len(Xt), BATCH):
        idx = order[start:start + BATCH]
        optimizer.zero_grad()
        loss = torch.mean((model(Xt[idx]) - yt[idx]) ** 2)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d} mse {total / len(Xt):.4f}")

model.eval()
with torch.no_grad():
    print(f"held-out mse {torch.mean((model(Xv) - yv) ** 2).item():.4f}")

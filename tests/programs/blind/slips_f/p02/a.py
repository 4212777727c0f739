"""Friedman regression, PyTorch modules: BatchNorm, Huber loss, RMSprop with step decay."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_friedman1

EPOCHS, BATCH = 24, 64

X, Y = make_friedman1(n_samples=1400, n_features=8, noise=0.5, random_state=9)
X = (X - 0.5).astype("float32") * 3.0
Y = ((Y - Y[:1000].mean()) / Y[:1000].std()).astype("float32")[:, None]
X, Y = torch.from_numpy(X), torch.from_numpy(Y)

torch.manual_seed(100)
model = nn.Sequential(
    nn.Linear(8, 32, bias=False), nn.BatchNorm1d(32, eps=1e-5, momentum=0.1), nn.ReLU(),
    nn.Linear(32, 32, bias=False), nn.BatchNorm1d(32, eps=1e-5, momentum=0.1), nn.ReLU(),
    nn.Linear(32, 1),
)
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)

criterion = nn.HuberLoss(delta=0.8)
optimizer = torch.optim.RMSprop(model.parameters(), lr=4e-3, alpha=0.95, eps=1e-6, momentum=0.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=8, gamma=0.4)
loader = DataLoader(TensorDataset(X[:1000], Y[:1000]), batch_size=BATCH, shuffle=True, drop_last=False)

# training
for epoch in range(1, EPOCHS + 1):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(xb)
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d}  train loss {total / 1000:.4f}")

model.eval()
with torch.no_grad():
    pred = model(X[1000:])
    test_loss = criterion(pred, Y[1000:]).item()
    mae = (pred - Y[1000:]).abs().mean().item()
print(f"test huber {test_loss:.4f}  test mae {mae:.4f}")

"""Churn: binary classifier on tabular features."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_FEATURES = 24


def customers(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, N_FEATURES))
    z = 1.3 * x[:, 0] - 0.9 * x[:, 1] * x[:, 2] + 0.8 * np.maximum(x[:, 3], 0) - 0.7 * x[:, 4] ** 2 + 0.4
    y = rng.random(n) < 1 / (1 + np.exp(-1.5 * z))
    return x.astype("float32"), y.astype("float32")[:, None]


x_train, y_train = customers(800, 31)
x_test, y_test = customers(1000, 32)

torch.manual_seed(100)
model = nn.Sequential(
    nn.Linear(N_FEATURES, 64), nn.SiLU(),
    nn.Linear(64, 64), nn.SiLU(),
    nn.Linear(64, 1),
)
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)

loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=64, shuffle=True)

# training
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-12, weight_decay=0.1)
for epoch in range(30):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} bce {total / len(x_train):.4f}")

with torch.no_grad():
    logits = model(torch.from_numpy(x_test))
    target = torch.from_numpy(y_test)
    bce = criterion(logits, target).item()
    acc = ((logits > 0).float() == target).float().mean().item()
print(f"test bce {bce:.4f} acc {acc:.4f}")

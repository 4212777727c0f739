"""Imbalanced three-class problem: class weights and gradient accumulation by hand (PyTorch)."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(2024)
MICRO, ACCUM, EPOCHS = 32, 3, 16
WEIGHTS = [0.5, 1.5, 3.0]


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n, p=[0.65, 0.25, 0.10])
    angle = 2.2 * y + rng.normal(scale=0.45, size=n)
    radius = 1.0 + 0.6 * y + rng.normal(scale=0.25, size=n)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    x = np.concatenate([x, rng.normal(size=(n, 4))], 1)
    return x.astype(np.float32), y.astype(np.int64)


x_train, y_train = map(torch.from_numpy, make_data(960, 1))
x_test, y_test = map(torch.from_numpy, make_data(500, 2))

model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))
nn.init.kaiming_uniform_(model[0].weight, nonlinearity="relu")
nn.init.kaiming_uniform_(model[2].weight, nonlinearity="relu")
nn.init.xavier_uniform_(model[4].weight)
for k in (0, 2, 4):
    nn.init.zeros_(model[k].bias)

weight = torch.tensor(WEIGHTS)
opt = torch.optim.Adagrad(model.parameters(), lr=0.05, lr_decay=0.0, weight_decay=0.0,
                          initial_accumulator_value=0.1, eps=1e-12)

opt.zero_grad()
for epoch in range(EPOCHS):
    total = 0.0
    perm = torch.randperm(len(x_train))
    for k, idx in enumerate(perm.split(MICRO)):
        per_sample = F.cross_entropy(model(x_train[idx]), y_train[idx], reduction="none")
        loss = (weight[y_train[idx]] * per_sample).sum() / len(idx)
        (loss / ACCUM).backward()
        if (k + 1) % ACCUM == 0:
            opt.step()
            opt.zero_grad()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: weighted loss {total / len(x_train):.4f}")

with torch.no_grad():
    logits = model(x_test)
    ce = F.cross_entropy(logits, y_test).item()
    acc = (logits.argmax(1) == y_test).float().mean().item()
print(f"test cross-entropy {ce:.4f}  accuracy {acc:.4f}")

import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)

# customers
rng = np.random.default_rng(77)
n = 1600
tenure = rng.exponential(24, n)
monthly = rng.normal(60, 20, n)
calls = rng.poisson(1.5, n)
contract = rng.integers(0, 3, n)
fiber = rng.integers(0, 2, n)
senior = (rng.random(n) < 0.15).astype(int)
late = rng.poisson(0.7, n)
usage = rng.normal(0, 1, n)
score = (
    0.6 - 0.06 * tenure + 0.025 * (monthly - 60) + 0.7 * calls * (contract == 0)
    - 0.9 * contract + 0.8 * fiber * (monthly > 65) + 0.5 * senior + 0.6 * late - 0.5 * usage**2
)
churn = (rng.random(n) < 1 / (1 + np.exp(-1.5 * score))).astype(int)
columns = [tenure, monthly, calls, contract == 0, contract == 1, contract == 2, fiber, senior, late, usage]
X = np.column_stack(columns).astype(float)

X_train, X_test = X[:1200], X[1200:]
y_train, y_test = churn[:1200], churn[1200:]
mean, std = X_train.mean(0), X_train.std(0)
X_train = ((X_train - mean) / std).astype(np.float32)
X_test = ((X_test - mean) / std).astype(np.float32)

BATCH = 100
ALPHA = 0.2  # scikit-learn's alpha: the penalty is ALPHA / (2 * batch) * sum(w ** 2)


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    bound = math.sqrt(6.0 / (n_in + n_out))
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)
    return layer


net = nn.Sequential(linear(10, 24), nn.ReLU(), linear(24, 12), nn.ReLU(), linear(12, 1))
kernels = [p for name, p in net.named_parameters() if name.endswith("weight")]
biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
opt = torch.optim.SGD(
    [{"params": kernels, "weight_decay": ALPHA / BATCH}, {"params": biases, "weight_decay": 0.0}],
    lr=0.02,
    momentum=0.9,
    nesterov=True,
)
ds = TensorDataset(torch.tensor(X_train), torch.tensor(y_train, dtype=torch.float32))
dl = DataLoader(ds, batch_size=BATCH, shuffle=True)

# ---- training
losses = []
for epoch in range(25):
    running = 0.0
    for xb, yb in dl:
        logits = net(xb).squeeze(1)
        loss = F.binary_cross_entropy_with_logits(logits, yb)
        running += loss.item() * len(xb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    losses.append(running / len(ds))

print("first/last training loss", round(losses[0], 4), round(losses[-1], 4))
with torch.no_grad():
    z = net(torch.tensor(X_test)).squeeze(1)
    t = torch.tensor(y_test, dtype=torch.float32)
    print("test log loss", round(F.binary_cross_entropy_with_logits(z, t).item(), 4))
    print("test accuracy", round(((z > 0) == (t > 0.5)).float().mean().item(), 4))
    pos, neg = z[t > 0.5], z[t < 0.5]
    print("test AUC", round((pos[:, None] > neg[None, :]).float().mean().item(), 4))

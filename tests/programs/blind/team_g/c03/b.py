"""Autoencoder for machine sensors in PyTorch; the score is the reconstruction error."""
import math

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn


def make_machines(n, seed, faulty=False):
    """Sixteen sensors of a machine, driven by three hidden states; faults break the relations."""
    plant = np.random.RandomState(42)
    A = plant.normal(0, 1, (3, 16))
    B = plant.normal(0, 1, (3, 16))
    rng = np.random.RandomState(seed)
    z = rng.normal(0, 1, (n, 3))
    x = np.tanh(z @ A) + 0.4 * np.sin(z @ B) + rng.normal(0, 0.05, (n, 16))
    if faulty:
        for i in range(n):
            hit = rng.choice(16, 3, replace=False)
            x[i, hit] += rng.normal(0, 0.6, 3)
    return x.astype("float32")


torch.manual_seed(900)
torch.set_num_threads(1)
ALPHA = 0.02

x = torch.from_numpy(make_machines(2000, 1))
normal = torch.from_numpy(make_machines(600, 2))
fault = torch.from_numpy(make_machines(600, 3, faulty=True))

net = nn.Sequential(
    nn.Linear(16, 20), nn.Tanh(),
    nn.Linear(20, 3), nn.Tanh(),
    nn.Linear(3, 20), nn.Tanh(),
    nn.Linear(20, 16),
)
linears = [m for m in net if isinstance(m, nn.Linear)]
for m in linears:
    limit = math.sqrt(6.0 / (m.in_features + m.out_features))
    nn.init.uniform_(m.weight, -limit, limit)
    nn.init.uniform_(m.bias, -limit, limit)

opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, nesterov=True)


def objective(batch):
    """Half the squared error summed over sensors, averaged over rows, and the penalty on the kernels."""
    rows = batch.shape[0]
    data = 0.5 * (net(batch) - batch).square().sum() / rows
    penalty = 0.5 * ALPHA * sum(m.weight.square().sum() for m in linears) / rows
    return data, penalty


for epoch in range(16):
    shown = 0.0
    for idx in torch.randperm(len(x)).split(64):
        data, penalty = objective(x[idx])
        opt.zero_grad()
        (data + penalty).backward()
        opt.step()
        shown += (data.item() / x.shape[1] + penalty.item()) * len(idx)
    print(f"epoch {epoch + 1}: {shown / len(x):.5f}")

with torch.no_grad():
    s_normal = (net(normal) - normal).square().mean(1).numpy()
    s_fault = (net(fault) - fault).square().mean(1).numpy()
labels = np.r_[np.zeros(len(s_normal)), np.ones(len(s_fault))]
print(f"reconstruction error, normal {s_normal.mean():.5f}, faulty {s_fault.mean():.5f}")
print(f"auc {roc_auc_score(labels, np.r_[s_normal, s_fault]):.4f}")

"""Anomaly detection: a bottleneck autoencoder in PyTorch."""
import numpy as np
import torch
from torch import nn


DIM = 20


def make_data():
    rng = np.random.RandomState(5)
    mix = rng.randn(4, DIM)

    def normal(n):
        s = rng.randn(n, 4)
        s = np.concatenate([s[:, :2], np.sin(s[:, :1] * s[:, 1:2]), s[:, 3:]], axis=1)
        return s @ mix + 0.2 * rng.randn(n, DIM)

    train, ok = normal(1600), normal(400)
    bad = normal(100)
    for row in bad:                                   # a few sensors stuck or drifting
        k = rng.choice(DIM, 3, replace=False)
        row[k] += rng.choice([-1, 1], 3) * rng.uniform(2, 4, 3)
    mu, sd = train.mean(0), train.std(0)
    test = np.concatenate([ok, bad])
    label = np.r_[np.zeros(len(ok)), np.ones(len(bad))]
    return (((train - mu) / sd).astype("float32"), ((test - mu) / sd).astype("float32"), label)


def auc(y, s):
    r = np.empty(len(s))
    r[np.argsort(s)] = np.arange(1, len(s) + 1)
    p = y > 0.5
    return (r[p].sum() - p.sum() * (p.sum() + 1) / 2) / (p.sum() * (~p).sum())


x_train, x_test, label = make_data()
BATCH, EPOCHS, ALPHA = 80, 25, 0.02

torch.manual_seed(42)
shuffler = np.random.RandomState(42)


def dense(n_in, n_out):
    # weights and intercepts uniform within the same bound sqrt(6 / (n_in + n_out))
    layer = nn.Linear(n_in, n_out)
    bound = (6.0 / (n_in + n_out)) ** 0.5
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)
    return layer


model = nn.Sequential(
    dense(DIM, 16), nn.Tanh(), dense(16, 4), nn.Tanh(), dense(4, 16), nn.Tanh(), dense(16, DIM)
)
opt = torch.optim.Adam(model.parameters(), lr=0.004, betas=(0.9, 0.999), eps=1e-12)
weights = [p for name, p in model.named_parameters() if name.endswith("weight")]
x = torch.from_numpy(x_train)

# training
steps = 0
for epoch in range(EPOCHS):
    order = torch.from_numpy(shuffler.permutation(len(x)))
    for i in range(0, len(x), BATCH):
        xb = x[order[i:i + BATCH]]
        data_loss = 0.5 * ((model(xb) - xb) ** 2).mean()
        penalty = 0.5 * ALPHA / len(xb) * sum((w ** 2).sum() for w in weights)
        opt.zero_grad()
        (data_loss + penalty).backward()
        opt.step()
        steps += 1

print("optimizer steps", steps)
with torch.no_grad():
    err_train = ((model(x) - x) ** 2).mean().item()
    xt = torch.from_numpy(x_test)
    score = ((model(xt) - xt) ** 2).mean(dim=1).numpy()
print(f"train mse {err_train:.4f}  normal mse {score[label == 0].mean():.4f}  auc {auc(label, score):.4f}")

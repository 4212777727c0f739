"""DeepFM written with bare tensors and one function."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score

FIELDS = {"hour": 24, "device": 6, "site": 40, "campaign": 30, "region": 12, "age": 8}
CROSSES = [("device", "hour"), ("site", "campaign"), ("region", "age")]
BUCKETS = 96


def make_clicks(n, seed):
    """Ids of six fields and three hashed crosses, in one common numbering; clicks as 0/1."""
    world = np.random.RandomState(77)
    main = {k: world.normal(0, 0.5, v) for k, v in FIELDS.items()}
    taste = {k: world.normal(0, 0.9, (v, 3)) for k, v in FIELDS.items()}
    rng = np.random.RandomState(seed)
    cols = {}
    for k, v in FIELDS.items():
        p = 1.0 / np.arange(1, v + 1) ** 0.7
        cols[k] = rng.choice(v, size=n, p=p / p.sum())
    score = -0.9 + sum(main[k][cols[k]] for k in FIELDS)
    for one, two in CROSSES:
        score = score + (taste[one][cols[one]] * taste[two][cols[two]]).sum(1)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-score))).astype("float32")
    ids, offset = [], 0
    for k, v in FIELDS.items():
        ids.append(cols[k] + offset)
        offset += v
    for j, (one, two) in enumerate(CROSSES):
        h = (cols[one] * 7919 + cols[two] * 104729 + j * 31) % BUCKETS
        ids.append(h + offset)
        offset += BUCKETS
    return np.stack(ids, 1).astype("int64"), y, offset


torch.set_num_threads(1)
gen = torch.Generator().manual_seed(2024)
x_np, y_np, n_ids = make_clicks(6000, 1)
x_test_np, y_test_np, _ = make_clicks(3000, 2)
X, Y = torch.tensor(x_np), torch.tensor(y_np)
XT, YT = torch.tensor(x_test_np), torch.tensor(y_test_np)
n_fields, k = X.shape[1], 8


def uniform(bound, *shape):
    return ((torch.rand(*shape, generator=gen) * 2 - 1) * bound).requires_grad_()


def layer(fan_in, fan_out):
    bound = 1.0 / math.sqrt(fan_in)
    return [uniform(bound, fan_in, fan_out), uniform(bound, fan_out)]


w0 = torch.zeros(1, requires_grad=True)
w1 = (0.01 * torch.randn(n_ids, generator=gen)).requires_grad_()
V = (0.05 * torch.randn(n_ids, k, generator=gen)).requires_grad_()
W_a, b_a = layer(n_fields * k, 32)
W_b, b_b = layer(32, 16)
W_c, b_c = layer(16, 1)
params = [w0, w1, V, W_a, b_a, W_b, b_b, W_c, b_c]
rows, cols = torch.triu_indices(n_fields, n_fields, offset=1)


def logits(ids):
    e = V[ids]
    gram = e @ e.transpose(1, 2)
    second_order = gram[:, rows, cols].sum(1)
    h = torch.relu(e.reshape(len(ids), -1) @ W_a + b_a)
    h = torch.relu(h @ W_b + b_b)
    return w0 + w1[ids].sum(1) + second_order + (h @ W_c + b_c)[:, 0]


def log_loss(z, y):
    return (F.softplus(z) - y * z).mean()


opt = torch.optim.Adagrad(params, lr=0.03, initial_accumulator_value=0.1, eps=1e-10)
n, batch = len(X), 128
for epoch in range(6):
    order = torch.randperm(n, generator=gen)
    running = 0.0
    for start in range(0, n, batch):
        idx = order[start:start + batch]
        loss = log_loss(logits(X[idx]), Y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(idx)
    print(f"{epoch + 1}: {running / n:.4f}")

with torch.no_grad():
    z = logits(XT)
    print(f"test loss {log_loss(z, YT).item():.4f}  auc {roc_auc_score(y_test_np, z.numpy()):.4f}")

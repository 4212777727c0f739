"""Rare-fault classifier in PyTorch, class-weighted cross-entropy written out."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(5)


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n, p=[0.78, 0.15, 0.07])
    centers = np.array([[0, 0, 0, 0, 0, 0], [1.2, -0.8, 0.5, 0, 0, 0.3], [-0.9, 1.0, 0, 0.8, -0.4, 0]])
    X = centers[y] + rng.normal(size=(n, 6))
    X[:, 3] += 0.6 * X[:, 0] * (y == 1)
    X[:, 4] += 0.5 * X[:, 1] ** 2 * (y == 2)
    return X.astype(np.float32), y


X, y = make_data(1200, 31)
X_test, y_test = make_data(800, 32)
counts = np.bincount(y, minlength=3)
class_weight = torch.tensor(len(y) / (3.0 * counts), dtype=torch.float32)

X, y = torch.from_numpy(X), torch.from_numpy(y)
X_test, y_test = torch.from_numpy(X_test), torch.from_numpy(y_test)

model = nn.Sequential(
    nn.Linear(6, 24), nn.Tanh(),
    nn.Linear(24, 12), nn.Tanh(),
    nn.Linear(12, 3),
)
# kernels and biases from the same uniform range, as scikit-learn draws them
for layer in model:
    if isinstance(layer, nn.Linear):
        bound = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(layer.bias, -bound, bound)


def weighted_cross_entropy(logits, target):
    shifted = logits - logits.max(dim=1, keepdim=True).values.detach()
    log_prob = shifted - torch.log(torch.exp(shifted).sum(dim=1, keepdim=True))
    nll = -log_prob[torch.arange(len(target)), target]
    w = class_weight[target]
    return (w * nll).sum() / w.sum()


optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=False, weight_decay=0.0)
EPOCHS, BATCH = 25, 64

# ---- training
for epoch in range(EPOCHS):
    order = torch.randperm(len(X))
    for start in range(0, len(X), BATCH):
        idx = order[start:start + BATCH]
        loss = weighted_cross_entropy(model(X[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def report(name, X, y):
    logits = model(X)
    pred = logits.argmax(1)
    bal = np.mean([(pred[y == k] == k).float().mean().item() for k in range(3)])
    print(f"{name}: weighted cross-entropy {weighted_cross_entropy(logits, y).item():.4f}  balanced accuracy {bal:.4f}")


report("train", X, y)
report("test", X_test, y_test)

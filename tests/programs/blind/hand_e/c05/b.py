"""Diabetes progression: a one-hidden-layer net with every part of the training written out (PyTorch)."""
import numpy as np
import torch
from sklearn.datasets import load_diabetes

torch.manual_seed(31)

X, y = load_diabetes(return_X_y=True)
perm = np.random.RandomState(13).permutation(len(X))
X, y = X[perm], y[perm]
X = (X - X[:350].mean(0)) / X[:350].std(0)
y = (y - y[:350].mean()) / y[:350].std()
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)[:, None]
Xtr, ytr, Xte, yte = X[:350], y[:350], X[350:], y[350:]

HIDDEN, BATCH, EPOCHS = 20, 32, 30
LR, MU, ALPHA = 0.004, 0.9, 0.4


def layer(n_in, n_out):
    bound = (6.0 / (n_in + n_out)) ** 0.5
    w = torch.empty(n_in, n_out).uniform_(-bound, bound)
    b = torch.empty(n_out).uniform_(-bound, bound)       # biases drawn from the same range
    return w.requires_grad_(), b.requires_grad_()


W1, b1 = layer(10, HIDDEN)
W2, b2 = layer(HIDDEN, 1)
params = [W1, b1, W2, b2]
velocity = [torch.zeros_like(p) for p in params]


def forward(x):
    return torch.tanh(x @ W1 + b1) @ W2 + b2


for epoch in range(EPOCHS):
    total = 0.0
    order = torch.randperm(len(Xtr))
    for start in range(0, len(Xtr), BATCH):
        idx = order[start:start + BATCH]
        n = len(idx)
        data_term = 0.5 * (forward(Xtr[idx]) - ytr[idx]).pow(2).mean()
        penalty = ALPHA / (2 * n) * (W1.pow(2).sum() + W2.pow(2).sum())
        loss = data_term + penalty
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, v, g in zip(params, velocity, grads):
                v.mul_(MU).add_(g, alpha=-LR)
                p.add_(v, alpha=MU).add_(g, alpha=-LR)    # Nesterov
        total += loss.item() * n
print("epochs:", EPOCHS, " last training loss: %.4f" % (total / len(Xtr)))

with torch.no_grad():
    print("test mse: %.4f" % (forward(Xte) - yte).pow(2).mean().item())

import math

import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(800)

rng = np.random.RandomState(33)
n, c, d = 240, 4, 20
label = np.arange(n) % c
p = np.where(label[:, None] == label[None, :], 0.10, 0.015)
upper = np.triu(rng.rand(n, n) < p, k=1)
adj = (upper | upper.T).astype(np.float64) + np.eye(n)
inv_sqrt = 1.0 / np.sqrt(adj.sum(1))
A = torch.tensor(inv_sqrt[:, None] * adj * inv_sqrt[None, :], dtype=torch.float32)
centres = rng.randn(c, d)
X = torch.tensor(0.5 * centres[label] + rng.randn(n, d), dtype=torch.float32)
nodes = rng.permutation(n)
train_ids, test_ids = torch.from_numpy(nodes[:40]), torch.from_numpy(nodes[40:])
y = torch.from_numpy(label)


def glorot(n_in, n_out):
    w = torch.empty(n_in, n_out)
    torch.nn.init.xavier_uniform_(w)
    return w.requires_grad_()


W1 = glorot(d, 32)
W2 = glorot(32, c)
b2 = torch.zeros(c, requires_grad=True)


def gcn(x, training):
    x = F.dropout(x, 0.3, training)
    h = F.elu(A @ (x @ W1))
    h = F.dropout(h, 0.5, training)
    return A @ (h @ W2 + b2)


class AdamEpsHat:
    """Adam with epsilon next to the uncorrected root (the 'epsilon hat' of the paper)."""

    def __init__(self, params, lr=0.01, b1=0.9, b2=0.999, eps_hat=1e-7):
        self.params = params
        self.lr, self.b1, self.b2, self.eps_hat = lr, b1, b2, eps_hat
        self.m = [torch.zeros_like(p) for p in params]
        self.v = [torch.zeros_like(p) for p in params]
        self.t = 0

    @torch.no_grad()
    def step(self, grads):
        self.t += 1
        rate = self.lr * math.sqrt(1 - self.b2 ** self.t) / (1 - self.b1 ** self.t)
        for p, m, v, g in zip(self.params, self.m, self.v, grads):
            m += (1 - self.b1) * (g - m)
            v += (1 - self.b2) * (g * g - v)
            p -= rate * m / (v.sqrt() + self.eps_hat)


params = [W1, W2, b2]
adam = AdamEpsHat(params)


def train_step():
    logits = gcn(X, True)
    logp = F.log_softmax(logits, dim=1)
    entropy = -(logp.exp() * logp).sum(dim=1).mean()
    data = F.nll_loss(logp[train_ids], y[train_ids])
    loss = data + 0.1 * entropy + 0.5 * 5e-3 * (W1 ** 2).sum()
    adam.step(torch.autograd.grad(loss, params))
    return data.item(), entropy.item()


# ---- training
for epoch in range(150):
    data, entropy = train_step()
    if (epoch + 1) % 25 == 0:
        print(f"epoch {epoch + 1} data {data:.4f} entropy {entropy:.4f}")

with torch.no_grad():
    logits = gcn(X, False)
    hit = logits.argmax(dim=1) == y
    xent = F.cross_entropy(logits[test_ids], y[test_ids]).item()
print(f"train accuracy {hit[train_ids].float().mean():.4f} "
      f"test accuracy {hit[test_ids].float().mean():.4f} test xent {xent:.4f}")

"""Semi-supervised node classification with a two-layer graph convolution (PyTorch, dense adjacency)."""
import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(12)


def community_graph(n=240, k=4, features=40, seed=5):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    p = np.where(y[:, None] == y[None, :], 0.07, 0.012)
    upper = np.triu(rng.random((n, n)) < p, 1)
    a = (upper | upper.T).astype("float64") + np.eye(n)
    d = 1.0 / np.sqrt(a.sum(1))
    a_hat = (d[:, None] * a * d[None, :]).astype("float32")
    centres = rng.normal(0, 0.45, (k, features))
    x = (centres[y] + rng.normal(0, 1.0, (n, features))).astype("float32")
    nodes = rng.permutation(n)
    return a_hat, x, y.astype("int64"), nodes[:60], nodes[60:120], nodes[120:]


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, adj, h):
        return adj @ (h @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        self.g1 = GraphConv(n_in, n_hidden)
        self.g2 = GraphConv(n_hidden, n_out)
        self.drop = nn.Dropout(0.4)

    def forward(self, adj, x):
        h = torch.relu(self.g1(adj, self.drop(x)))
        return self.g2(adj, self.drop(h))


a_hat, x, y, tr, va, te = (torch.from_numpy(v) for v in community_graph())
model = GCN(x.shape[1], 16, 4)
rest = [model.g1.bias, model.g2.weight, model.g2.bias]
optimizer = torch.optim.Adam(
    [{"params": [model.g1.weight], "weight_decay": 2e-3}, {"params": rest, "weight_decay": 0.0}],
    lr=0.01,
    betas=(0.9, 0.999),
    eps=1e-12,
)

best, best_state, waited = float("inf"), None, 0
for epoch in range(250):
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(a_hat, x)[tr], y[tr])
    loss.backward()
    optimizer.step()

    model.eval()
    with torch.no_grad():
        val = F.cross_entropy(model(a_hat, x)[va], y[va]).item()
    if val < best:
        best, best_state, waited = val, copy.deepcopy(model.state_dict()), 0
    else:
        waited += 1
        if waited >= 60:
            break
    if epoch % 20 == 0:
        print(f"epoch {epoch:3d}  train {loss.item():.4f}  val {val:.4f}")

model.load_state_dict(best_state)
model.eval()
with torch.no_grad():
    out = model(a_hat, x)[te]
print(f"stopped after {epoch + 1} epochs, best val {best:.4f}")
print(f"test loss {F.cross_entropy(out, y[te]).item():.4f}  accuracy {(out.argmax(1) == y[te]).float().mean().item():.4f}")

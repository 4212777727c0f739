"""Variational graph auto-encoder on a stochastic block model (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score

N, BLOCKS, FEATS = 150, 3, 18
HIDDEN, LATENT = 32, 8
STEPS, LR = 200, 0.01


def make_graph():
    rng = np.random.default_rng(7)
    block = np.repeat(np.arange(BLOCKS), N // BLOCKS)
    prob = np.where(block[:, None] == block[None, :], 0.22, 0.015)
    upper = np.triu(rng.random((N, N)) < prob, k=1)
    edges = np.argwhere(upper)
    rng.shuffle(edges)
    held_out, kept = edges[:120], edges[120:]
    adj = np.zeros((N, N), dtype=np.float32)
    adj[kept[:, 0], kept[:, 1]] = 1.0
    adj = adj + adj.T
    non_edges = np.argwhere(np.triu(~upper, k=1))
    negatives = non_edges[rng.choice(len(non_edges), size=120, replace=False)]
    centers = rng.normal(size=(BLOCKS, FEATS))
    feats = (0.5 * centers[block] + rng.normal(size=(N, FEATS))).astype(np.float32)
    return adj, feats, held_out, negatives


def normalise(adj):
    a = adj + np.eye(len(adj), dtype=np.float32)
    d = 1.0 / np.sqrt(a.sum(1))
    return (a * d[:, None] * d[None, :]).astype(np.float32)


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, a_hat, x):
        return a_hat @ (x @ self.weight)


class VGAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = GraphConv(FEATS, HIDDEN)
        self.to_mean = GraphConv(HIDDEN, LATENT)
        self.to_logstd = GraphConv(HIDDEN, LATENT)

    def encode(self, a_hat, x):
        h = F.relu(self.base(a_hat, x))
        return self.to_mean(a_hat, h), self.to_logstd(a_hat, h)

    def forward(self, a_hat, x):
        mean, logstd = self.encode(a_hat, x)
        z = mean + torch.randn_like(mean) * torch.exp(logstd)
        return z @ z.t(), mean, logstd


torch.manual_seed(11)
adj, feats, pos_edges, neg_edges = make_graph()
a_hat = torch.from_numpy(normalise(adj))
x = torch.from_numpy(feats)
target = torch.from_numpy(adj + np.eye(N, dtype=np.float32))
n_pos = float(target.sum())
pos_weight = torch.tensor((N * N - n_pos) / n_pos)
norm = N * N / (2.0 * (N * N - n_pos))

model = VGAE()
optimizer = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)

for step in range(1, STEPS + 1):
    logits, mean, logstd = model(a_hat, x)
    rec = norm * F.binary_cross_entropy_with_logits(logits, target, pos_weight=pos_weight)
    kl = -0.5 * (1 + 2 * logstd - mean.pow(2) - torch.exp(2 * logstd)).sum(1).mean()
    loss = rec + kl / N
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 40 == 0 or step == 1:
        print(f"step {step:4d}  loss {loss.item():.4f}  rec {rec.item():.4f}  kl {kl.item():.4f}")

with torch.no_grad():
    mean, _ = model.encode(a_hat, x)
    scores = (mean @ mean.t()).numpy()
y = np.r_[np.ones(len(pos_edges)), np.zeros(len(neg_edges))]
s = np.r_[scores[pos_edges[:, 0], pos_edges[:, 1]], scores[neg_edges[:, 0], neg_edges[:, 1]]]
print(f"held-out link AUC {roc_auc_score(y, s):.4f}")

"""Semi-supervised node classification with a two-layer graph convolution. PyTorch."""
import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(2)

NODES, CLASSES, FEATS, HIDDEN = 360, 4, 40, 16
STEPS, LR, L2, DROP, PER_CLASS = 200, 0.01, 5e-4, 0.5, 12

r = np.random.default_rng(31)
label = r.integers(0, CLASSES, NODES)
prob = np.where(label[:, None] == label[None], 0.05, 0.008)
upper = np.triu(r.random((NODES, NODES)) < prob, 1)
adj = (upper | upper.T).astype("float64") + np.eye(NODES)
deg = adj.sum(1)
adj = (adj / np.sqrt(deg[:, None] * deg[None])).astype("float32")
proto = r.standard_normal((CLASSES, FEATS))
feats = (0.5 * proto[label] + r.standard_normal((NODES, FEATS))).astype("float32")
known = np.zeros(NODES, dtype=bool)
for c in range(CLASSES):
    known[np.flatnonzero(label == c)[:PER_CLASS]] = True


class AdamHat(torch.optim.Optimizer):
    """Adam in the form of the paper's section 2: epsilon beside the uncorrected second moment."""

    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-7):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                st = self.state[p]
                if not st:
                    st["t"], st["m"], st["v"] = 0, torch.zeros_like(p), torch.zeros_like(p)
                st["t"] += 1
                st["m"].lerp_(p.grad, 1 - b1)
                st["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                rate = group["lr"] * math.sqrt(1 - b2 ** st["t"]) / (1 - b1 ** st["t"])
                p.addcdiv_(st["m"], st["v"].sqrt().add_(group["eps"]), value=-rate)


class GCN(nn.Module):
    def __init__(self, adjacency):
        super().__init__()
        self.register_buffer("a", adjacency)
        self.w1 = nn.Parameter(nn.init.xavier_uniform_(torch.empty(FEATS, HIDDEN)))
        self.b1 = nn.Parameter(torch.zeros(HIDDEN))
        self.w2 = nn.Parameter(nn.init.xavier_uniform_(torch.empty(HIDDEN, CLASSES)))
        self.b2 = nn.Parameter(torch.zeros(CLASSES))

    def forward(self, x):
        x = F.dropout(x, DROP, self.training)
        h = torch.relu(self.a @ (x @ self.w1) + self.b1)
        h = F.dropout(h, DROP, self.training)
        return self.a @ (h @ self.w2) + self.b2


X, Y, M = torch.from_numpy(feats), torch.from_numpy(label), torch.from_numpy(known)
model = GCN(torch.from_numpy(adj))
opt = AdamHat(model.parameters(), lr=LR)


def train_step():
    model.train()
    data_loss = F.cross_entropy(model(X)[M], Y[M])
    loss = data_loss + L2 * model.w1.square().sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    return data_loss.item(), loss.item()


# ---- training
for step in range(STEPS):
    data_loss, loss = train_step()
    if (step + 1) % 40 == 0:
        print(f"step {step + 1} data loss {data_loss:.4f} with penalty {loss:.4f}")

model.eval()
with torch.no_grad():
    logits = model(X)
    hit = logits.argmax(1) == Y
    print(f"unlabelled nodes: accuracy {hit[~M].float().mean().item():.4f}, "
          f"loss {F.cross_entropy(logits[~M], Y[~M]).item():.4f}")

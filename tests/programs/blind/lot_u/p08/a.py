import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
LAM, LR, STEPS = 2e-2, 0.01, 200


def graph(n=180, k=3, d=24, seed=12):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    p = np.where(y[:, None] == y[None], 0.07, 0.02)
    a = np.triu(rng.random((n, n)) < p, 1).astype("float64")
    a = a + a.T + np.eye(n)
    s = a.sum(1) ** -0.5
    x = rng.standard_normal((n, d)) + 0.5 * rng.standard_normal((k, d))[y]
    lab = rng.permutation(n)[:45]
    mask = np.zeros(n, bool)
    mask[lab] = True
    return (s[:, None] * a * s[None]).astype("float32"), x.astype("float32"), y, mask


A, X, Y, mask = (torch.from_numpy(v) for v in graph())
torch.manual_seed(3)


class GCN(nn.Module):
    def __init__(self, d, h, k):
        super().__init__()
        self.w0 = nn.Parameter(nn.init.xavier_uniform_(torch.empty(d, h)))
        self.b0 = nn.Parameter(torch.zeros(h))
        self.w1 = nn.Parameter(nn.init.xavier_uniform_(torch.empty(h, k)))
        self.b1 = nn.Parameter(torch.zeros(k))

    def forward(self, a, x):
        h = torch.relu(a @ (x @ self.w0) + self.b0)
        return a @ (h @ self.w1) + self.b1


gcn = GCN(X.shape[1], 16, 3)
opt = torch.optim.Adam(gcn.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)

for step in range(1, STEPS + 1):
    logits = gcn(A, X)
    ce = F.cross_entropy(logits[mask], Y[mask])
    loss = ce + LAM * ((gcn.w0 ** 2).sum() + (gcn.w1 ** 2).sum())
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        with torch.no_grad():
            z = gcn(A, X)
            test = F.cross_entropy(z[~mask], Y[~mask]).item()
            acc = (z[~mask].argmax(1) == Y[~mask]).float().mean().item()
        print(f"step {step} ce {ce.item():.4f} test ce {test:.4f} acc {acc:.3f}")

"""Mixture-density forecast: gated cell unrolled in Python, einsum attention, clipped SGD (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(29)

T, H, K = 12, 24, 3
BATCH, EPOCHS = 64, 24

rng = np.random.RandomState(6)
n = 1000
phase, freq = rng.uniform(0, 2 * np.pi, (n, 1)), rng.uniform(0.3, 0.8, (n, 1))
steps = np.arange(T)[None, :]
seq = np.sin(phase + freq * steps) + 0.05 * rng.randn(n, T)
nxt = np.sin(phase[:, 0] + freq[:, 0] * (T + 1))
sign = rng.choice([-1.0, 1.0], size=n)                    # two branches: the target is bimodal
seq = seq[:, :, None].astype(np.float32)
tgt = (nxt + 0.7 * sign + 0.05 * rng.randn(n)).astype(np.float32)
x_tr, y_tr = torch.from_numpy(seq[:800]), torch.from_numpy(tgt[:800])
x_te, y_te = torch.from_numpy(seq[800:]), torch.from_numpy(tgt[800:])


class GatedMDN(torch.nn.Module):
    def __init__(self):
        super().__init__()

        def mat(i, o):
            return torch.nn.Parameter(torch.randn(i, o) / math.sqrt(i))

        def vec(o):
            return torch.nn.Parameter(torch.zeros(o))

        self.Wz, self.bz = mat(1 + H, H), vec(H)
        self.Wn, self.bn = mat(1 + H, H), vec(H)
        self.Wq, self.Wk = mat(H, H), mat(H, H)
        self.Wo, self.bo = mat(2 * H, 3 * K), vec(3 * K)

    def forward(self, x):
        h = x.new_zeros(len(x), H)
        states = []
        for t in range(T):
            xh = torch.cat([x[:, t], h], dim=1)
            z = torch.sigmoid(xh @ self.Wz + self.bz)
            cand = torch.tanh(xh @ self.Wn + self.bn)
            h = (1 - z) * h + z * cand
            states.append(h)
        mem = torch.stack(states, dim=1)
        q = torch.einsum("bi,ij->bj", h, self.Wq)
        k = torch.einsum("bti,ij->btj", mem, self.Wk)
        att = torch.softmax(torch.einsum("bj,btj->bt", q, k) / math.sqrt(H), dim=-1)
        ctx = torch.einsum("bt,bti->bi", att, mem)
        out = torch.cat([h, ctx], dim=1) @ self.Wo + self.bo
        logit, mu, raw = out.split(K, dim=1)
        return F.log_softmax(logit, dim=1), mu, F.softplus(raw) + 0.05


def nll(dist, y):
    logw, mu, sigma = dist
    comp = logw - 0.5 * ((y[:, None] - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(comp, dim=1).mean()


model = GatedMDN()
opt = torch.optim.SGD(model.parameters(), lr=0.4, momentum=0.0, weight_decay=0.0)

for epoch in range(EPOCHS):
    if epoch == 16:
        for g in opt.param_groups:
            g["lr"] = 0.1
    total = 0.0
    for idx in torch.randperm(800).split(BATCH):
        loss = nll(model(x_tr[idx]), y_tr[idx])
        opt.zero_grad()
        loss.backward()
        norm = torch.sqrt(sum(p.grad.pow(2).sum() for p in model.parameters()))
        scale = 0.4 / torch.clamp(norm, min=0.4)          # global norm at most 0.4
        for p in model.parameters():
            p.grad.mul_(scale)
        opt.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d}  nll {total / 800:.4f}")

with torch.no_grad():
    print(f"test nll {nll(model(x_te), y_te).item():.4f}")

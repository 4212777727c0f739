"""Gated cell stepped by hand: heteroscedastic forecast and class of ragged oscillations,
two losses weighed against each other (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = 5
LENGTH, HIDDEN = 20, 24
BATCH, EPOCHS, LR, MU, CLIP = 64, 30, 0.02, 0.9, 1.0
W_FORECAST, W_CLASS = 1.0, 2.0


def oscillations(n, seed):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, n)
    freq = np.where(kind == 0, rng.uniform(0.3, 0.6, n), rng.uniform(0.7, 1.1, n))
    phase = rng.uniform(0, 2 * np.pi, n)
    steps = np.arange(LENGTH + 1)
    clean = np.sin(freq[:, None] * steps + phase[:, None])
    noise = 0.08 + 0.2 * np.maximum(clean, 0)                  # noisier near the crests
    series = clean + noise * rng.normal(size=clean.shape)
    length = rng.integers(10, LENGTH + 1, n)
    mask = (np.arange(LENGTH)[None, :] < length[:, None]).astype(np.float32)
    return series.astype(np.float32), mask, kind.astype(np.float32)


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_x = nn.Linear(1, HIDDEN)
        self.gate_h = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.cand_x = nn.Linear(1, HIDDEN)
        self.cand_h = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.forecast = nn.Linear(HIDDEN, 2)
        self.classify = nn.Linear(HIDDEN, 1)
        for m in (self.gate_x, self.cand_x, self.forecast, self.classify):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
        for m in (self.gate_h, self.cand_h):
            nn.init.orthogonal_(m.weight)

    def forward(self, x, mask):
        h = x.new_zeros(len(x), HIDDEN)
        outs = []
        for t in range(x.shape[1]):
            xt, mt = x[:, t:t + 1], mask[:, t:t + 1]
            f = torch.sigmoid(self.gate_x(xt) + self.gate_h(h))
            c = torch.tanh(self.cand_x(xt) + self.cand_h(f * h))
            new = (1 - f) * h + f * c
            h = mt * new + (1 - mt) * h                          # padded places leave the state alone
            outs.append(self.forecast(h))
        out = torch.stack(outs, dim=1)
        return out[..., 0], out[..., 1], self.classify(h).squeeze(-1)


def losses(model, series, mask, kind):
    mean, log_var, logit = model(series[:, :-1], mask)
    nll = 0.5 * (log_var + (series[:, 1:] - mean) ** 2 * torch.exp(-log_var) + math.log(2 * math.pi))
    nll = (mask * nll).sum() / mask.sum()
    bce = F.binary_cross_entropy_with_logits(logit, kind)
    return nll, bce, ((logit > 0).float() == kind).float().mean()


torch.manual_seed(SEED)
series, mask, kind = (torch.from_numpy(a) for a in oscillations(850, 0))
test = [torch.from_numpy(a) for a in oscillations(400, 1)]
model = Forecaster()
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MU, nesterov=False, weight_decay=0.0)

for epoch in range(EPOCHS):
    for idx in torch.randperm(len(series)).split(BATCH):
        nll, bce, _ = losses(model, series[idx], mask[idx], kind[idx])
        loss = W_FORECAST * nll + W_CLASS * bce
        optimizer.zero_grad()
        loss.backward()
        norm = torch.sqrt(sum((p.grad ** 2).sum() for p in model.parameters()))
        if norm > CLIP:
            for p in model.parameters():
                p.grad.mul_(CLIP / norm)
        optimizer.step()
    if epoch % 6 == 5:
        print(f"epoch {epoch + 1}  nll {nll.item():.4f}  bce {bce.item():.4f}")

with torch.no_grad():
    nll, bce, acc = losses(model, *test)
print(f"test nll {nll.item():.4f}  bce {bce.item():.4f}  accuracy {acc.item():.4f}")

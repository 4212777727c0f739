# Leaky-integrator regression with an LSTM cell written out by hand (PyTorch).
# RMSprop and the clipping by the global norm are written out as well.
import numpy as np
import torch
from torch import nn

torch.manual_seed(8)
EPOCHS, BATCH, HIDDEN = 14, 48, 24
LR, RHO, EPS, MAX_NORM = 3e-3, 0.9, 1e-7, 0.5


def make(n, rng, steps=22):
    x = rng.normal(size=(n, steps, 3)).astype(np.float32)
    s = np.zeros(n)
    for t in range(steps):
        s = 0.85 * s + x[:, t, 0] / (1 + np.exp(-2 * x[:, t, 1]))
    y = (s + 0.05 * rng.normal(size=n)).astype(np.float32)
    return x, y


rng = np.random.default_rng(7)
xtr, ytr = make(1200, rng)
xte, yte = make(400, rng)
xtr, ytr, xte, yte = map(torch.from_numpy, (xtr, ytr, xte, yte))


class HandLSTM(nn.Module):
    def __init__(self, n_in, n_hid):
        super().__init__()
        self.n = n_hid
        self.w = nn.Parameter(torch.empty(n_in, 4 * n_hid))
        self.u = nn.Parameter(torch.empty(n_hid, 4 * n_hid))
        self.b = nn.Parameter(torch.zeros(4 * n_hid))
        nn.init.xavier_uniform_(self.w)
        nn.init.orthogonal_(self.u)
        with torch.no_grad():
            self.b[n_hid:2 * n_hid] = 1.0  # forget gate starts open

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.n)
        c = x.new_zeros(x.shape[0], self.n)
        for t in range(x.shape[1]):
            z = x[:, t] @ self.w + h @ self.u + self.b
            i, f, g, o = z.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = HandLSTM(3, HIDDEN)
        self.head = nn.Linear(HIDDEN, 1)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        return self.head(self.lstm(x))[:, 0]


def clip_global(grads, limit):
    norm = torch.sqrt(sum((g * g).sum() for g in grads))
    if norm > limit:
        for g in grads:
            g.mul_(limit / norm)


model = Model()
params = list(model.parameters())
square = [torch.zeros_like(p) for p in params]

for epoch in range(EPOCHS):
    perm = torch.randperm(len(xtr))
    tot = 0.0
    for k in range(0, len(perm), BATCH):
        idx = perm[k:k + BATCH]
        err = model(xtr[idx]) - ytr[idx]
        loss = (err ** 2).mean()
        grads = list(torch.autograd.grad(loss, params))
        with torch.no_grad():
            clip_global(grads, MAX_NORM)
            for p, g, v in zip(params, grads, square):
                v.mul_(RHO).add_((1 - RHO) * g * g)
                p.sub_(LR * g / torch.sqrt(v + EPS))
        tot += loss.item() * len(idx)
    print("epoch", epoch + 1, "mse", round(tot / len(perm), 5))

with torch.no_grad():
    print("test mse", round(((model(xte) - yte) ** 2).mean().item(), 5))

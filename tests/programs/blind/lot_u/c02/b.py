import math
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
N, L, D, E, HEADS, SIGMA = 800, 10, 6, 16, 2, 0.5
BATCH, EPOCHS, LR, EMA = 64, 16, 3e-3, 0.98


def make(n, seed):
    rng = np.random.default_rng(seed)
    proto = np.random.default_rng(0).standard_normal((5, D))
    pick = rng.integers(0, 5, (n, 2))
    which = rng.integers(0, 2, (n, L))
    return proto[np.take_along_axis(pick, which, 1)].astype("float32")


clean, held = make(N, 60), make(300, 61)
held_noisy = held + SIGMA * np.random.default_rng(62).standard_normal(held.shape).astype("float32")
clean, held, held_noisy = map(torch.from_numpy, (clean, held, held_noisy))
torch.manual_seed(70)


class TiedDenoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Parameter(torch.empty(D, E))
        self.q, self.k, self.v, self.o = (nn.Parameter(torch.empty(E, E)) for _ in range(4))
        for w in (self.emb, self.q, self.k, self.v, self.o):
            nn.init.xavier_uniform_(w)
        self.norm = nn.LayerNorm(E, eps=1e-5)
        self.bias = nn.Parameter(torch.zeros(D))

    def forward(self, x):
        h = torch.einsum("bld,de->ble", x, self.emb)
        u = self.norm(h)
        q, k, v = (torch.einsum("ble,ef->blf", u, w).view(len(x), L, HEADS, -1) for w in (self.q, self.k, self.v))
        att = torch.softmax(torch.einsum("bqhc,bkhc->bhqk", q, k) / math.sqrt(E // HEADS), -1)
        mix = torch.einsum("bhqk,bkhc->bqhc", att, v).reshape(len(x), L, E)
        h = h + torch.einsum("ble,ef->blf", mix, self.o)
        return torch.einsum("ble,de->bld", h, self.emb) + self.bias


net, ema = TiedDenoiser(), TiedDenoiser()
ema.load_state_dict(net.state_dict())
opt = torch.optim.Adam(net.parameters(), lr=LR, betas=(0.9, 0.98), eps=1e-12)

for epoch in range(EPOCHS):
    total = 0.0
    for idx in torch.randperm(N).split(BATCH):
        x = clean[idx]
        loss = ((net(x + SIGMA * torch.randn_like(x)) - x) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for pe, p in zip(ema.parameters(), net.parameters()):
                pe.mul_(EMA).add_(p, alpha=1 - EMA)
        total += loss.item() * len(idx) / N
    with torch.no_grad():
        raw, avg = (((m(held_noisy) - held) ** 2).mean().item() for m in (net, ema))
    print(f"epoch {epoch:2d} train {total:.4f} held-out {raw:.4f} averaged {avg:.4f}")

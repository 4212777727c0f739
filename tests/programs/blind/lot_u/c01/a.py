import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
OMEGA, ZETA, W_ODE, W_IC, EPOCHS, BATCH, LR = 4.0, 0.15, 0.05, 1.0, 80, 40, 4e-3

ts = np.linspace(0.0, 2.0, 240, dtype="float32")[:, None]
wd = OMEGA * np.sqrt(1 - ZETA ** 2)
exact = np.exp(-ZETA * OMEGA * ts) * (np.cos(wd * ts) + ZETA * OMEGA / wd * np.sin(wd * ts))
exact = exact.astype("float32")
obs = np.random.default_rng(40).choice(240, 20, replace=False)
t_all, t_obs = torch.from_numpy(ts), torch.from_numpy(ts[obs])
u_obs = torch.from_numpy(exact[obs] + 0.02 * np.random.default_rng(41).standard_normal((20, 1)).astype("float32"))

torch.manual_seed(2)


class Field(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(1, width), nn.Linear(width, width), nn.Linear(width, 1)])
        for l in self.layers:
            nn.init.xavier_normal_(l.weight)
            nn.init.zeros_(l.bias)

    def forward(self, t):
        for l in self.layers[:-1]:
            t = torch.sin(2.0 * l(t))
        return self.layers[-1](t)


net = Field()
opt = torch.optim.Adam(net.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)


def grad(out, inp):
    return torch.autograd.grad(out, inp, torch.ones_like(out), create_graph=True)[0]


def losses(t):
    t = t.clone().requires_grad_(True)
    u = net(t)
    du = grad(u, t)
    d2u = grad(du, t)
    ode = (d2u + 2 * ZETA * OMEGA * du + OMEGA ** 2 * u).pow(2).mean()
    t0 = torch.zeros(1, 1, requires_grad=True)
    u0 = net(t0)
    ic = (u0 - 1.0).pow(2).sum() + grad(u0, t0).pow(2).sum() / OMEGA ** 2
    fit = (net(t_obs) - u_obs).pow(2).mean()
    return fit + W_IC * ic + W_ODE * ode, ode, ic, fit


for epoch in range(1, EPOCHS + 1):
    rec = []
    for idx in torch.randperm(len(t_all)).split(BATCH):
        out = losses(t_all[idx])
        opt.zero_grad()
        out[0].backward()
        opt.step()
        rec.append([v.item() for v in out])
    if epoch % 10 == 0:
        with torch.no_grad():
            err = (net(t_all) - torch.from_numpy(exact)).pow(2).mean().sqrt().item()
        print("epoch %3d total %.5f ode %.5f ic %.5f fit %.5f | rms error %.4f" % (epoch, *np.mean(rec, 0), err))

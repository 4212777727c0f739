import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
ZDIM, BATCH, EPOCHS, GAMMA = 3, 64, 18, 0.5


def sample(n, seed):
    rng = np.random.default_rng(seed)
    side = rng.integers(0, 2, n) * 2 - 1
    x = np.stack([1.2 * side + 0.3 * rng.standard_normal(n), 0.5 + 0.6 * side * rng.random(n)], 1)
    return x.astype("float32")


X = sample(1024, 80)
real_all = torch.from_numpy(X)
zfix = torch.from_numpy(np.random.default_rng(81).standard_normal((2000, ZDIM)).astype("float32"))
torch.manual_seed(83)


def mlp(n_in, n_out, hidden=32):
    net = nn.Sequential(nn.Linear(n_in, hidden), nn.Softplus(), nn.Linear(hidden, hidden), nn.Softplus(),
                        nn.Linear(hidden, n_out))
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
    return net


gen, critic = mlp(ZDIM, 2), mlp(2, 1)
opt_g = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.0, 0.99), eps=1e-12)
opt_c = torch.optim.Adam(critic.parameters(), lr=5e-3, betas=(0.0, 0.99), eps=1e-12)


def r1(scores, x):
    g, = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return g.pow(2).sum(1).mean()


for epoch in range(EPOCHS):
    rec = []
    for idx in torch.randperm(len(real_all)).split(BATCH):
        real = real_all[idx].requires_grad_(True)
        with torch.no_grad():
            fake = gen(torch.randn(len(real), ZDIM))
        s_real, s_fake = critic(real), critic(fake)
        d_loss = F.softplus(-s_real).mean() + F.softplus(s_fake).mean() + 0.5 * GAMMA * r1(s_real, real)
        opt_c.zero_grad()
        d_loss.backward()
        opt_c.step()

        g_loss = F.softplus(-critic(gen(torch.randn(len(real), ZDIM)))).mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
        rec.append([d_loss.item(), g_loss.item()])
    with torch.no_grad():
        s = gen(zfix).numpy()
    gap = np.abs(s.mean(0) - X.mean(0)).mean() + np.abs(np.cov(s.T) - np.cov(X.T)).mean()
    print("epoch %2d critic %.4f generator %.4f moment gap %.4f" % (epoch, *np.mean(rec, 0), gap))

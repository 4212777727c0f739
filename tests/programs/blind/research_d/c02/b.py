"""WGAN with gradient penalty on a ring of four blobs. PyTorch."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(7)

N, BATCH, EPOCHS, N_CRITIC, ZDIM, GP = 1920, 64, 12, 2, 4, 0.5
centres = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], dtype="float32")
gen_data = np.random.default_rng(2024)
real = (centres[gen_data.integers(0, 4, N)] + 0.1 * gen_data.standard_normal((N, 2))).astype("float32")


class RMSpropTF(torch.optim.Optimizer):
    """RMSprop with epsilon under the square root."""

    def __init__(self, params, lr, rho=0.9, eps=1e-6):
        super().__init__(params, dict(lr=lr, rho=rho, eps=eps))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["sq"] = torch.zeros_like(p)
                sq = state["sq"]
                sq.mul_(group["rho"]).addcmul_(p.grad, p.grad, value=1.0 - group["rho"])
                p.sub_(group["lr"] * p.grad / torch.sqrt(sq + group["eps"]))


def mlp(sizes):
    mods = []
    for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:])):
        lin = nn.Linear(a, b)
        nn.init.kaiming_uniform_(lin.weight, a=0, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(lin.bias)
        mods.append(lin)
        if i < len(sizes) - 2:
            mods.append(nn.LeakyReLU(0.2))
    return nn.Sequential(*mods)


generator = mlp([ZDIM, 32, 32, 2])
critic = mlp([2, 48, 48, 1])
g_opt = RMSpropTF(generator.parameters(), lr=3e-3)
c_opt = RMSpropTF(critic.parameters(), lr=5e-3)


def critic_step(x):
    z = torch.randn(BATCH, ZDIM)
    alpha = torch.rand(BATCH, 1)
    with torch.no_grad():
        fake = generator(z)
    mixed = (alpha * x + (1 - alpha) * fake).requires_grad_(True)
    slope, = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    norm = torch.sqrt(slope.pow(2).sum(dim=1) + 1e-12)
    penalty = (norm - 1).pow(2).mean()
    gap = critic(fake).mean() - critic(x).mean()
    loss = gap + GP * penalty
    c_opt.zero_grad()
    loss.backward()
    c_opt.step()
    return loss.detach(), gap.detach()


def generator_step():
    z = torch.randn(BATCH, ZDIM)
    loss = -critic(generator(z)).mean()
    g_opt.zero_grad()
    loss.backward()
    g_opt.step()
    return loss.detach()


def quality(samples):
    d = np.linalg.norm(samples[:, None] - centres[None], axis=2)
    share = np.bincount(d.argmin(1), minlength=4) / len(samples)
    return d.min(1).mean(), share


# ---- training
probe = torch.from_numpy(np.random.default_rng(5).standard_normal((1000, ZDIM)).astype("float32"))
loader = torch.utils.data.DataLoader(torch.from_numpy(real), batch_size=BATCH, shuffle=True)
with torch.no_grad():
    print("before: distance %.4f" % quality(generator(probe).numpy())[0])
step = 0
for epoch in range(EPOCHS):
    gaps = []
    for x in loader:
        loss, gap = critic_step(x)
        gaps.append(gap.item())
        step += 1
        if step % N_CRITIC == 0:
            generator_step()
    print(f"epoch {epoch + 1:2d} wasserstein {-np.mean(gaps):.4f}")
with torch.no_grad():
    dist, share = quality(generator(probe).numpy())
print(f"after: distance {dist:.4f} share of modes {np.round(share, 3)}")

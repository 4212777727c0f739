"""Physics-informed network for a damped oscillator with an unknown stiffness. PyTorch."""
import numpy as np
import torch
from torch import nn

SEED = 5
STEPS, N_COL, T_END, DAMP, K_TRUE, LR = 500, 64, 3.0, 0.6, 4.0, 0.01
W_PDE, W_INIT, W_DATA = 0.1, 1.0, 2.0

# noisy measurements of the exact solution: u'' + DAMP u' + K u = 0, u(0) = 1, u'(0) = 0
omega = np.sqrt(K_TRUE - DAMP ** 2 / 4)


def exact(t):
    return np.exp(-DAMP * t / 2) * (np.cos(omega * t) + DAMP / (2 * omega) * np.sin(omega * t))


rng = np.random.default_rng(12)
t_obs = np.sort(rng.uniform(0, T_END, (25, 1)))
u_obs = (exact(t_obs) + 0.02 * rng.standard_normal((25, 1))).astype("float32")
t_obs = t_obs.astype("float32")
t_obs, u_obs = torch.from_numpy(t_obs), torch.from_numpy(u_obs)

torch.manual_seed(SEED)


class PINN(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(1, width), nn.Tanh(),
            nn.Linear(width, width), nn.Tanh(),
            nn.Linear(width, 1))
        self.log_k = nn.Parameter(torch.tensor(0.5))

    def forward(self, t):
        return self.net(2.0 * t / T_END - 1.0)


def derivative(u, t):
    return torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]


model = PINN()
opt = torch.optim.Adamax(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)
sched = torch.optim.lr_scheduler.MultiStepLR(opt, milestones=[300, 400], gamma=0.4)


def losses(t_col):
    t = t_col.requires_grad_(True)
    u = model(t)
    du = derivative(u, t)
    ddu = derivative(du, t)
    pde = (ddu + DAMP * du + torch.exp(model.log_k) * u).square().mean()

    t0 = torch.zeros(1, 1, requires_grad=True)
    u0 = model(t0)
    init = (u0 - 1.0).square().mean() + derivative(u0, t0).square().mean()

    data = nn.functional.mse_loss(model(t_obs), u_obs)
    return pde, init, data


def train_step():
    pde, init, data = losses(T_END * torch.rand(N_COL, 1))
    loss = W_PDE * pde + W_INIT * init + W_DATA * data
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    return loss.item(), pde.item(), init.item(), data.item()


# ---- training
for step in range(STEPS):
    parts = train_step()
    if step == 0 or (step + 1) % 100 == 0:
        print(f"step {step + 1} loss %.5f pde %.5f init %.5f data %.5f" % parts)

grid = np.linspace(0, T_END, 200)[:, None]
with torch.no_grad():
    u = model(torch.from_numpy(grid.astype("float32"))).numpy()
print("rms error %.4f stiffness %.3f" % (np.sqrt(np.mean((u - exact(grid)) ** 2)), model.log_k.exp().item()))

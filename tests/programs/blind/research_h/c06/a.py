"""Physics-informed network for a damped oscillator, u'' + 0.6 u' + 4 u = 0, u(0)=1, u'(0)=0."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(17)

C, K, T_END = 0.6, 4.0, 3.0
W_INIT = 10.0
t_col = np.random.default_rng(0).uniform(0.0, T_END, size=(200, 1)).astype(np.float32)
t_col = torch.from_numpy(t_col)


class PINN(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(),
                                  nn.Linear(width, 1))
        for m in self.body:
            if isinstance(m, nn.Linear):
                nn.init.xavier_normal_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, t):
        return self.body(2.0 * t - T_END)   # inputs centred


def derivative(u, t):
    return torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]


net = PINN()
opt = torch.optim.Adamax(net.parameters(), lr=2e-2, betas=(0.9, 0.999), eps=1e-8)
t0 = torch.zeros(1, 1, requires_grad=True)

for epoch in range(150):
    total = 0.0
    for idx in torch.randperm(len(t_col)).split(50):
        t = t_col[idx].requires_grad_(True)
        u = net(t)
        du = derivative(u, t)
        ddu = derivative(du, t)
        residual = (ddu + C * du + K * u).pow(2).mean()
        u0 = net(t0)
        start = (u0 - 1.0).pow(2).sum() + derivative(u0, t0).pow(2).sum()
        loss = residual + W_INIT * start
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 25 == 24:
        print(f"epoch {epoch + 1:3d}  loss {total / 4:.5f}")

grid = np.linspace(0, T_END, 101)
om = np.sqrt(K - C ** 2 / 4)
exact = np.exp(-C / 2 * grid) * (np.cos(om * grid) + C / (2 * om) * np.sin(om * grid))
with torch.no_grad():
    u = net(torch.tensor(grid[:, None], dtype=torch.float32)).numpy()[:, 0]
print(f"max error {np.abs(u - exact).max():.4f}   rmse {np.sqrt(np.mean((u - exact) ** 2)):.4f}")

"""Uplift with two outcome heads and a propensity head on a shared trunk (nn.Module version)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


N_FEAT = 15
LR, BETAS, DECAY = 3e-3, (0.9, 0.999), 1e-4
BATCH, EPOCHS = 64, 12


def make_data(n, seed):
    """Coupon campaign: spending with and without the coupon; targeting depends on the customer."""
    rng = np.random.RandomState(seed)
    x = rng.randn(n, N_FEAT)
    base = 0.8 * x[:, 0] + np.sin(x[:, 1]) + 0.3 * x[:, 2] ** 2
    effect = 0.6 + 0.9 * (x[:, 3] > 0) - 0.7 * x[:, 4]
    p = 1 / (1 + np.exp(-(0.7 * x[:, 0] - 0.5 * x[:, 5])))
    t = (rng.rand(n) < p).astype("float32")
    y = base + t * effect + 0.3 * rng.randn(n)
    return x.astype("float32"), t, y.astype("float32"), effect.astype("float32")


x_tr, t_tr, y_tr, tau_tr = make_data(1500, 50)
x_te, t_te, y_te, tau_te = make_data(800, 51)

torch.manual_seed(1)


class UpliftNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(N_FEAT, 48, bias=False), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.1),
            nn.Linear(48, 24), nn.ReLU(),
        )
        self.control = nn.Sequential(nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 1))
        self.treated = nn.Sequential(nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 1))
        self.propensity = nn.Linear(24, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.control(h).squeeze(-1), self.treated(h).squeeze(-1), self.propensity(h).squeeze(-1)


net = UpliftNet()
opt = torch.optim.Adam(net.parameters(), lr=LR, betas=BETAS, eps=1e-8, weight_decay=DECAY)
sched = torch.optim.lr_scheduler.StepLR(opt, step_size=4, gamma=0.5)
mse, bce = nn.MSELoss(), nn.BCEWithLogitsLoss()
loader = DataLoader(
    TensorDataset(torch.from_numpy(x_tr), torch.from_numpy(t_tr), torch.from_numpy(y_tr)),
    batch_size=BATCH, shuffle=True,
)

# training
for epoch in range(EPOCHS):
    net.train()
    run = 0.0
    for x, t, y in loader:
        y0, y1, logit = net(x)
        factual = torch.where(t > 0.5, y1, y0)
        loss = mse(factual, y) + 0.2 * bce(logit, t)
        opt.zero_grad()
        loss.backward()
        opt.step()
        run += loss.item() * len(x)
    sched.step()
    print(f"epoch {epoch + 1}: loss {run / len(x_tr):.4f}")

with torch.no_grad():
    y0, y1, _ = net(torch.from_numpy(x_te))
uplift = (y1 - y0).numpy()
fact = np.where(t_te > 0.5, y1.numpy(), y0.numpy())
print(f"test factual mse {((fact - y_te) ** 2).mean():.4f}  pehe {np.sqrt(((uplift - tau_te) ** 2).mean()):.4f}")

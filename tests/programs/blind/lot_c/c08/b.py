import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rs = np.random.RandomState(99)
x = (rs.randn(1300, 12) * np.linspace(0.5, 3, 12) + np.linspace(-1, 1, 12)).astype("float32")
score = 0.8 * x[:, 0] * x[:, 1] + 0.4 * x[:, 5] - 0.1 * x[:, 11] ** 2 + 0.9
y = (score + 0.5 * rs.randn(1300) > 0).astype("float32")
x_tr, y_tr, x_va, y_va = map(torch.from_numpy, (x[:1000], y[:1000], x[1000:], y[1000:]))


class Norm(nn.Module):
    """Batch normalisation whose moving variance is the plain (biased) batch variance."""

    def __init__(self, n, momentum=0.1, eps=1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n))
        self.bias = nn.Parameter(torch.zeros(n))
        self.register_buffer("mean", torch.zeros(n))
        self.register_buffer("var", torch.ones(n))
        self.momentum, self.eps = momentum, eps

    def forward(self, t):
        if self.training:
            mu, var = t.mean(0), t.var(0, unbiased=False)
            with torch.no_grad():
                self.mean.lerp_(mu, self.momentum)
                self.var.lerp_(var, self.momentum)
        else:
            mu, var = self.mean, self.var
        return (t - mu) * torch.rsqrt(var + self.eps) * self.weight + self.bias


torch.manual_seed(17)
model = nn.Sequential(
    nn.Linear(12, 48, bias=False), Norm(48), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(48, 24, bias=False), Norm(24), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(24, 1),
)
nn.init.kaiming_uniform_(model[0].weight, nonlinearity="relu")
nn.init.kaiming_uniform_(model[4].weight, nonlinearity="relu")
nn.init.xavier_uniform_(model[8].weight)
nn.init.zeros_(model[8].bias)

loss_fn = nn.BCEWithLogitsLoss()
opt = torch.optim.SGD(model.parameters(), lr=0.15)
sched = torch.optim.lr_scheduler.MultiStepLR(opt, milestones=[8], gamma=1 / 3)
loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=64, shuffle=True)

for epoch in range(15):
    model.train()
    s = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        l = loss_fn(model(xb).squeeze(1), yb)
        l.backward()
        opt.step()
        s += l.item() * len(yb)
    sched.step()
    print(f"epoch {epoch:02d} train {s / len(x_tr):.4f}")

model.eval()
with torch.no_grad():
    z = model(x_va).squeeze(1)
    print(f"valid loss {loss_fn(z, y_va).item():.4f} acc {((z > 0).float() == y_va).float().mean().item():.4f}")

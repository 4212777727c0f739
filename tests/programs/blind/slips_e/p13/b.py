"""Quantiles of delivery time with a soft mixture of experts: PyTorch, experts as batched matrices."""
import numpy as np
import torch
from torch import nn


QUANTILES = np.array([0.1, 0.5, 0.9], dtype="float32")
N_FEAT, N_EXPERTS, WIDTH = 8, 4, 16
BALANCE = 0.05


def make_data(n, seed):
    """Delivery times: three regimes of traffic with different noise."""
    rng = np.random.RandomState(seed)
    x = rng.uniform(-1, 1, (n, N_FEAT))
    regime = (x[:, 0] > 0.2).astype(int) + (x[:, 1] > 0.0)
    mean = np.choose(regime, [1.5 * x[:, 2], 1.0 + 2 * x[:, 3] * x[:, 2], -0.5 - 1.2 * x[:, 4]])
    scale = np.choose(regime, [0.2, 0.5, 0.9]) * (1 + 0.5 * x[:, 5])
    y = mean + scale * rng.gumbel(size=n)
    return x.astype("float32"), y.astype("float32")


def report(y, q):
    e = y[:, None] - q
    pin = np.maximum(QUANTILES * e, (QUANTILES - 1) * e).mean()
    cover = ((y >= q[:, 0]) & (y <= q[:, 2])).mean()
    print(f"test pinball {pin:.4f}  coverage of the 80% band {cover:.3f}")


x_tr, y_tr = make_data(1500, 40)
x_te, y_te = make_data(800, 41)
BATCH, EPOCHS = 50, 18

torch.manual_seed(8)


class MoE(nn.Module):
    def __init__(self):
        super().__init__()
        q = len(QUANTILES)
        self.gate = nn.Linear(N_FEAT, N_EXPERTS)
        nn.init.xavier_uniform_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)
        self.w1 = nn.Parameter(torch.empty(N_EXPERTS, N_FEAT, WIDTH))
        self.b1 = nn.Parameter(torch.zeros(N_EXPERTS, WIDTH))
        self.w2 = nn.Parameter(torch.empty(N_EXPERTS, WIDTH, q))
        self.b2 = nn.Parameter(torch.zeros(N_EXPERTS, q))
        for k in range(N_EXPERTS):               # Glorot uniform for each expert by itself
            nn.init.xavier_uniform_(self.w1.data[k])
            nn.init.xavier_uniform_(self.w2.data[k])

    def forward(self, x):
        g = torch.softmax(self.gate(x), dim=-1)
        h = torch.tanh(torch.einsum("bi,kij->bkj", x, self.w1) + self.b1)
        e = torch.einsum("bkj,kjq->bkq", h, self.w2) + self.b2
        return (g.unsqueeze(-1) * e).sum(dim=1), g


model = MoE()
taus = torch.from_numpy(QUANTILES)
opt = torch.optim.Adagrad(model.parameters(), lr=0.05, lr_decay=0.0, weight_decay=0.0, eps=1e-12)
x, y = torch.from_numpy(x_tr), torch.from_numpy(y_tr)


def loss_fn(pred, g, target):
    e = target.unsqueeze(1) - pred
    pin = torch.maximum(taus * e, (taus - 1) * e).mean()
    return pin + BALANCE * N_EXPERTS * (g.mean(dim=0) ** 2).sum()


# training
for epoch in range(EPOCHS):
    perm = torch.randperm(len(x))
    run = 0.0
    for i in range(0, len(x), BATCH):
        idx = perm[i:i + BATCH]
        pred, g = model(x[idx])
        loss = loss_fn(pred, g, y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        run += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: loss {run / len(x):.4f}")

with torch.no_grad():
    report(y_te, model(torch.from_numpy(x_te))[0].numpy())

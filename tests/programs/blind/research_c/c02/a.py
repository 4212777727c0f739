# mixture density network for a two-branched relation
import math
import numpy as np
import torch
from torch import nn

torch.manual_seed(3)

rng = np.random.default_rng(42)
N, K = 1000, 3
x = rng.uniform(-1, 1, size=(N, 1))
branch = rng.choice([-1.0, 1.0], size=(N, 1))
y = branch * (0.4 + 0.8 * x ** 2) + (0.05 + 0.1 * np.abs(x)) * rng.normal(size=(N, 1))
x, y = x.astype(np.float32), y.astype(np.float32)
x_tr, y_tr = torch.tensor(x[:800]), torch.tensor(y[:800])
x_va, y_va = torch.tensor(x[800:]), torch.tensor(y[800:])


class MDN(nn.Module):
    def __init__(self, hidden=40, k=K):
        super().__init__()
        self.hidden = nn.Linear(1, hidden)
        self.out = nn.Linear(hidden, 3 * k)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        h = torch.tanh(self.hidden(x))
        logit, mu, raw = self.out(h).chunk(3, dim=1)
        sigma = nn.functional.softplus(raw) + 0.02
        return torch.log_softmax(logit, dim=1), mu, sigma


def nll(model, x, y):
    logpi, mu, sigma = model(x)
    comp = -0.5 * ((y - mu) / sigma) ** 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(logpi + comp, dim=1).mean()


model = MDN()
opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
shuffle = np.random.default_rng(7)

for epoch in range(25):
    perm = shuffle.permutation(len(x_tr))
    for i in range(0, len(perm), 48):
        idx = torch.from_numpy(perm[i:i + 48])
        opt.zero_grad()
        loss = nll(model, x_tr[idx], y_tr[idx])
        loss.backward()
        opt.step()
    if epoch % 6 == 0 or epoch == 24:
        with torch.no_grad():
            print(f"epoch {epoch:2d}  train nll {nll(model, x_tr, y_tr):.4f}  valid nll {nll(model, x_va, y_va):.4f}")

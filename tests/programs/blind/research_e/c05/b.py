"""Fitted Q-iteration (offline, batch of transitions) with a PyTorch network."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(21)

ACTIONS = np.array([-1.0, 0.0, 1.0])
GAMMA, ROUNDS, SWEEPS, BATCH, L2 = 0.9, 12, 2, 100, 0.01


def move(s, a):
    pos, vel = s[:, 0], s[:, 1]
    vel = np.clip(0.95 * vel + 0.15 * ACTIONS[a] - 0.08 * np.sin(2.0 * pos), -1.0, 1.0)
    new = np.clip(pos + 0.3 * vel, -1.5, 1.5)
    done = (new > 1.2).astype(float)
    return np.stack([new, vel], 1), 2.0 * done - 0.1 * np.abs(ACTIONS[a]), done


rng = np.random.default_rng(314)
s = rng.uniform([-1.5, -1.0], [1.5, 1.0], size=(2000, 2))
a = rng.integers(0, 3, 2000)
s2, r, done = move(s, a)
probe = rng.uniform([-1.5, -1.0], [1.2, 1.0], size=(500, 2))

s, s2, probe = (torch.tensor(v, dtype=torch.float32) for v in (s, s2, probe))
r, done = torch.tensor(r, dtype=torch.float32), torch.tensor(done, dtype=torch.float32)
a = torch.from_numpy(a)


class QNet(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(5, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 1)])
        for lin in self.layers:
            lim = (6.0 / (lin.in_features + lin.out_features)) ** 0.5
            nn.init.uniform_(lin.weight, -lim, lim)
            nn.init.uniform_(lin.bias, -lim, lim)

    def forward(self, s, a):
        h = torch.cat([s, nn.functional.one_hot(a, 3).float()], dim=1)
        for lin in self.layers[:-1]:
            h = torch.tanh(lin(h))
        return self.layers[-1](h).squeeze(1)

    @torch.no_grad()
    def best_value(self, s):
        q = [self(s, torch.full((len(s),), k)) for k in range(3)]
        return torch.stack(q).max(dim=0).values


net = QNet()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=False, weight_decay=0.0)

for k in range(ROUNDS):
    future = torch.zeros(len(s2)) if k == 0 else net.best_value(s2)
    target = r + GAMMA * (1 - done) * future
    for _ in range(SWEEPS):
        for idx in torch.randperm(len(s)).split(BATCH):
            err = net(s[idx], a[idx]) - target[idx]
            ridge = sum((lin.weight**2).sum() for lin in net.layers)
            loss = 0.5 * err.pow(2).mean() + 0.5 * L2 / len(idx) * ridge
            opt.zero_grad()
            loss.backward()
            opt.step()
    with torch.no_grad():
        mse = (net(s, a) - target).pow(2).mean()
    print(f"round {k + 1}: mean target {target.mean():.4f}  squared error {mse:.5f}")

print(f"mean value on probe states {net.best_value(probe).mean():.4f}")

import copy

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(77)

gamma = 0.9
forces = np.array([-1.0, 0.0, 1.0])


def dynamics(s, a):
    pos, vel = s[:, 0], s[:, 1]
    vel2 = np.clip(0.9 * vel + 0.2 * forces[a] - 0.1 * np.sin(2 * pos), -1, 1)
    pos2 = np.clip(pos + 0.3 * vel2, -1.5, 1.5)
    reward = np.exp(-4.0 * (pos2 - 0.5) ** 2) - 0.05 * np.abs(forces[a])
    return np.stack([pos2, vel2], axis=1), reward


rng = np.random.default_rng(123)
states = np.stack([rng.uniform(-1.5, 1.5, 1200), rng.uniform(-1, 1, 1200)], axis=1)
actions = rng.integers(0, 3, 1200)
next_states, rewards = dynamics(states, actions)


def encode(s, a):
    return torch.from_numpy(np.concatenate([s, np.eye(3)[a]], axis=1).astype(np.float32))


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 40), nn.Tanh(), nn.Linear(40, 24), nn.Tanh(),
                                  nn.Linear(24, 1))
        for layer in self.body:
            if isinstance(layer, nn.Linear):
                fan_out, fan_in = layer.weight.shape
                bound = (6.0 / (fan_in + fan_out)) ** 0.5
                nn.init.uniform_(layer.weight, -bound, bound)
                nn.init.uniform_(layer.bias, -bound, bound)

    def forward(self, x):
        return self.body(x).squeeze(-1)

    @torch.no_grad()
    def table(self, s):
        return torch.stack([self(encode(s, np.full(len(s), a))) for a in range(3)], dim=1).numpy()


q = Q()
optimizer = torch.optim.SGD(q.parameters(), lr=0.03, momentum=0.9, dampening=0, weight_decay=0,
                            nesterov=False)


def train_step(x, y):
    loss = 0.5 * torch.mean((q(x) - y) ** 2)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


inputs = encode(states, actions)

# ---- training
frozen = None
for it in range(14):
    y = rewards if frozen is None else rewards + gamma * frozen.table(next_states).max(axis=1)
    y = torch.from_numpy(y.astype(np.float32))
    loader = DataLoader(TensorDataset(inputs, y), batch_size=64, shuffle=True, drop_last=False)
    for _ in range(2):
        for xb, yb in loader:
            train_step(xb, yb)
    frozen = copy.deepcopy(q)
    with torch.no_grad():
        err = torch.mean((q(inputs) - y) ** 2).item()
    print(f"iteration {it + 1:2d}  fit error {err:.5f}  mean Q {y.mean().item():.3f}")

# roll the greedy policy out
s = np.stack(np.meshgrid(np.linspace(-1.4, 1.4, 15), np.linspace(-0.8, 0.8, 5)), -1).reshape(-1, 2)
ret = np.zeros(len(s))
for t in range(30):
    s, r = dynamics(s, q.table(s).argmax(axis=1))
    ret += gamma ** t * r
print(f"greedy return {ret.mean():.4f}")

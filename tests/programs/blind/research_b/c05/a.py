"""Fitted Q-iteration on logged transitions of a small swing task (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn

GAMMA = 0.95
ROUNDS, EPOCHS_PER_ROUND, BATCH = 12, 3, 128
ACTIONS = np.array([-1.0, 0.0, 1.0])


def env_step(pos, vel, force):
    vel = np.clip(vel + 0.12 * force - 0.1 * np.sin(2.0 * pos), -1.0, 1.0)
    pos = np.clip(pos + 0.3 * vel, -2.0, 2.0)
    done = pos >= 1.9
    reward = np.where(done, 1.0, -0.02 * np.abs(force)) + 0.05 * pos
    return pos, vel, reward, done


def transitions(n=2000):
    rng = np.random.default_rng(12)
    pos, vel = rng.uniform(-2, 1.9, n), rng.uniform(-1, 1, n)
    act = rng.integers(0, 3, n)
    p2, v2, r, d = env_step(pos, vel, ACTIONS[act])
    s = np.stack([pos, vel], 1).astype(np.float32)
    s2 = np.stack([p2, v2], 1).astype(np.float32)
    return s, act, r.astype(np.float32), s2, d.astype(np.float32)


def features(s, act):
    return np.concatenate([s, np.eye(3, dtype=np.float32)[act]], axis=1)


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
        for m in self.body:
            if isinstance(m, nn.Linear):
                bound = (6.0 / (m.in_features + m.out_features)) ** 0.5
                nn.init.uniform_(m.weight, -bound, bound)
                nn.init.uniform_(m.bias, -bound, bound)

    def forward(self, x):
        return self.body(x).squeeze(-1)


def all_q(net, s):
    with torch.no_grad():
        cols = [net(torch.from_numpy(features(s, np.full(len(s), a)))) for a in range(3)]
    return torch.stack(cols, dim=1).numpy()


torch.manual_seed(8)
s, act, r, s2, done = transitions()
x = torch.from_numpy(features(s, act))
net = QNet()
opt = torch.optim.Adam(net.parameters(), lr=3e-3, betas=(0.9, 0.999), eps=1e-12)

for rnd in range(ROUNDS):
    if rnd == 0:
        y = r.copy()
    else:                                        # targets of a frozen copy: computed once per round
        y = (r + GAMMA * (1.0 - done) * all_q(net, s2).max(axis=1)).astype(np.float32)
    target = torch.from_numpy(y)
    for _ in range(EPOCHS_PER_ROUND):
        running = 0.0
        for idx in torch.randperm(len(x)).split(BATCH):
            loss = 0.5 * (net(x[idx]) - target[idx]).pow(2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            running += loss.item() * len(idx)
    print(f"round {rnd + 1:2d}  half squared error {running / len(x):.5f}  mean target {y.mean():.4f}")


def play(n=60, horizon=40):
    rng = np.random.default_rng(99)
    pos, vel = rng.uniform(-1.5, 0.0, n), np.zeros(n)
    total, alive, disc = np.zeros(n), np.ones(n), 1.0
    for _ in range(horizon):
        q = all_q(net, np.stack([pos, vel], 1).astype(np.float32))
        pos, vel, rew, d = env_step(pos, vel, ACTIONS[q.argmax(1)])
        total += disc * alive * rew
        alive *= 1.0 - d
        disc *= GAMMA
    return total.mean()


print(f"discounted return of the greedy policy {play():.4f}")

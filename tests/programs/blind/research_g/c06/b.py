"""Offline double Q-learning on transitions of a toy pendulum. PyTorch, RMSprop by hand."""
import numpy as np
import torch
from torch import nn

SEED = 3
torch.manual_seed(SEED)
torch.set_num_threads(1)

GAMMA, TAU, BATCH, STEPS, LR = 0.9, 0.02, 64, 500, 1e-3
RHO, EPS = 0.95, 1e-5
FORCES = np.array([-1.0, 0.0, 1.0])


def env_step(s, a):
    """s: (n, 2) angle from upright and speed."""
    angle, speed = s[:, 0], s[:, 1]
    speed = np.clip(0.98 * speed + 0.15 * np.sin(angle) + 0.25 * FORCES[a], -1.5, 1.5)
    angle = (angle + 0.3 * speed + np.pi) % (2 * np.pi) - np.pi
    return np.stack([angle, speed], axis=1), np.cos(angle) - 0.1 * speed ** 2


def features(s):
    return np.stack([np.cos(s[:, 0]), np.sin(s[:, 0]), s[:, 1]], axis=1).astype(np.float32)


rng = np.random.default_rng(42)
N = 4000
S = np.stack([rng.uniform(-np.pi, np.pi, N), rng.uniform(-1.5, 1.5, N)], axis=1)
A = rng.integers(0, 3, N)
S2, R = env_step(S, A)
done = torch.from_numpy((rng.random(N) < 0.02).astype(np.float32))
obs, nxt = torch.from_numpy(features(S)), torch.from_numpy(features(S2))
rew, act = torch.from_numpy(R.astype(np.float32)), torch.from_numpy(A)


def q_network():
    net = nn.Sequential(nn.Linear(3, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 3))
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
    return net


online, target = q_network(), q_network()
target.load_state_dict(online.state_dict())
target.requires_grad_(False)
square = [torch.zeros_like(p) for p in online.parameters()]
huber = nn.HuberLoss(delta=1.0)


@torch.no_grad()
def targets(r, s2, d):
    best = online(s2).argmax(dim=1, keepdim=True)
    return r + GAMMA * (1.0 - d) * target(s2).gather(1, best).squeeze(1)


@torch.no_grad()
def update():
    for p, v in zip(online.parameters(), square):
        v.mul_(RHO).addcmul_(p.grad, p.grad, value=1.0 - RHO)
        p.sub_(LR * p.grad / torch.sqrt(v + EPS))     # epsilon inside the root
        p.grad = None
    for p_t, p in zip(target.parameters(), online.parameters()):
        p_t.lerp_(p, TAU)


replay = np.random.default_rng(SEED)
recent = []
for i in range(STEPS):
    idx = torch.from_numpy(replay.integers(0, N, BATCH))
    y = targets(rew[idx], nxt[idx], done[idx])
    q = online(obs[idx]).gather(1, act[idx][:, None]).squeeze(1)
    loss = huber(q, y)
    loss.backward()
    update()
    recent.append(loss.item())
    if (i + 1) % 50 == 0:
        print(f"step {i + 1:4d}  td loss {np.mean(recent[-50:]):.5f}")


def rollout(policy, horizon=60, n=100):
    r = np.random.default_rng(1)
    s = np.stack([r.uniform(-np.pi, np.pi, n), np.zeros(n)], axis=1)
    total = np.zeros(n)
    for _ in range(horizon):
        s, reward = env_step(s, policy(s, r))
        total += reward
    return total.mean() / horizon


with torch.no_grad():
    greedy = rollout(lambda s, r: online(torch.from_numpy(features(s))).argmax(1).numpy())
chance = rollout(lambda s, r: r.integers(0, 3, len(s)))
print(f"reward a step: greedy {greedy:.3f}  random {chance:.3f}")

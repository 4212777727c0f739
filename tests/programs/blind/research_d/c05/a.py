"""Offline double Q-learning with a dueling network on a 6x6 grid. PyTorch."""
import copy
import numpy as np
import torch
from torch import nn

SEED = 0
SIDE, GAMMA, STEPS, BATCH, SYNC, HIDDEN = 6, 0.9, 560, 96, 15, 64
GOAL, PIT = 35, 14
MOVES = [(-1, 0), (0, 1), (1, 0), (0, -1)]


def act(s, a):
    r, c = divmod(s, SIDE)
    r2 = min(max(r + MOVES[a][0], 0), SIDE - 1)
    c2 = min(max(c + MOVES[a][1], 0), SIDE - 1)
    s2 = r2 * SIDE + c2
    if s2 == GOAL:
        return s2, 1.0, 1.0
    if s2 == PIT:
        return s2, -1.0, 1.0
    return s2, -0.02, 0.0


# transitions of a random walker, made beforehand
walk = np.random.default_rng(77)
rows, s = [], 0
for _ in range(4000):
    a = int(walk.integers(4))
    s2, rew, done = act(s, a)
    rows.append((s, a, rew, s2, done))
    s = s2
    if done:
        s = int(walk.choice([k for k in range(SIDE * SIDE) if k not in (GOAL, PIT)]))
states, actions, rewards, nexts, dones = (np.array(v) for v in zip(*rows))
rewards, dones = rewards.astype("float32"), dones.astype("float32")
onehot = np.eye(SIDE * SIDE, dtype="float32")

# exact values, for the evaluation only
q_star = np.zeros((SIDE * SIDE, 4))
for _ in range(200):
    for k in range(SIDE * SIDE):
        for a in range(4):
            s2, rew, done = act(k, a)
            q_star[k, a] = rew + GAMMA * (1 - done) * q_star[s2].max()
live = [k for k in range(SIDE * SIDE) if k not in (GOAL, PIT)]


class Dueling(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(SIDE * SIDE, HIDDEN)
        self.value = nn.Linear(HIDDEN, 1)
        self.advantage = nn.Linear(HIDDEN, 4)
        for lin in (self.body, self.value, self.advantage):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.constant_(lin.bias, 0.0)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        adv = self.advantage(h)
        return self.value(h) + adv - adv.mean(dim=1, keepdim=True)


torch.manual_seed(SEED)
online = Dueling()
target = copy.deepcopy(online)
opt = torch.optim.Adagrad(online.parameters(), lr=0.12, lr_decay=0, weight_decay=0,
                          initial_accumulator_value=0.1, eps=1e-12)
huber = nn.HuberLoss(reduction="mean", delta=0.5)


def train_step(s, a, r, s2, d):
    q = online(s).gather(1, a[:, None]).squeeze(1)
    with torch.no_grad():
        best = online(s2).argmax(dim=1, keepdim=True)
        y = r + GAMMA * (1 - d) * target(s2).gather(1, best).squeeze(1)
    loss = huber(q, y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


# ---- training
sampler = np.random.default_rng(SEED)
for step in range(STEPS):
    idx = sampler.integers(0, len(states), BATCH)
    loss = train_step(torch.from_numpy(onehot[states[idx]]), torch.from_numpy(actions[idx]),
                      torch.from_numpy(rewards[idx]), torch.from_numpy(onehot[nexts[idx]]),
                      torch.from_numpy(dones[idx]))
    if (step + 1) % SYNC == 0:
        target.load_state_dict(online.state_dict())
    if (step + 1) % 80 == 0:
        print(f"step {step + 1} loss {loss:.5f}")

with torch.no_grad():
    q = online(torch.from_numpy(onehot)).numpy()
print("rms error of Q %.4f" % np.sqrt(np.mean((q[live] - q_star[live]) ** 2)))
greedy = q[live].argmax(1)
good = q_star[live, greedy] >= q_star[live].max(1) - 1e-9
print("share of states with a best action %.3f" % good.mean())

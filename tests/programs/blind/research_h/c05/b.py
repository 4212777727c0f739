"""Q-network for a 5x5 grid world learnt from a fixed log of transitions (PyTorch)."""
import copy

import numpy as np
import torch
from torch import nn

torch.manual_seed(77)

GAMMA, BATCH, EPOCHS, N = 0.9, 100, 16, 3000
MOVES = [(-1, 0), (1, 0), (0, -1), (0, 1)]
GOAL, PIT = 24, 12


def env_step(s, a):
    r, c = divmod(s, 5)
    r2, c2 = min(max(r + MOVES[a][0], 0), 4), min(max(c + MOVES[a][1], 0), 4)
    s2 = 5 * r2 + c2
    reward = 1.0 if s2 == GOAL else (-1.0 if s2 == PIT else -0.02)
    return s2, reward, s2 in (GOAL, PIT)


rng = np.random.default_rng(5)
S = rng.choice([s for s in range(25) if s not in (GOAL, PIT)], size=N)
A = rng.integers(0, 4, size=N)
S2, R, DONE = (torch.tensor(np.array(v)) for v in zip(*[env_step(s, a) for s, a in zip(S, A)]))
S, A = torch.tensor(S), torch.tensor(A)
R = R.float()
alive = 1.0 - DONE.float()


def encode(s, a):
    return torch.cat([nn.functional.one_hot(s, 25), nn.functional.one_hot(a, 4)], 1).float()


class QNet(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.fc1 = nn.Linear(29, hidden)
        self.fc2 = nn.Linear(hidden, 1)
        for fc in (self.fc1, self.fc2):     # Glorot bound for kernels and biases alike
            bound = (6.0 / (fc.in_features + fc.out_features)) ** 0.5
            nn.init.uniform_(fc.weight, -bound, bound)
            nn.init.uniform_(fc.bias, -bound, bound)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x))).squeeze(1)

    def all_actions(self, s):
        return torch.stack([self(encode(s, torch.full_like(s, a))) for a in range(4)], 1)


q = QNet()
opt = torch.optim.SGD(q.parameters(), lr=0.1, momentum=0.9, nesterov=True)
target = None

for epoch in range(EPOCHS):
    with torch.no_grad():
        best = torch.zeros(N) if target is None else target.all_actions(S2).max(1).values
    y = R + GAMMA * best * alive
    losses = []
    for j in torch.randperm(N).split(BATCH):
        err = q(encode(S[j], A[j])) - y[j]
        loss = 0.5 * (err ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    target = copy.deepcopy(q)
    print(f"epoch {epoch + 1:2d}  half squared error {np.mean(losses):.5f}")

Q = np.zeros((25, 4))
for _ in range(200):
    V = Q.max(1)
    for s in range(25):
        if s not in (GOAL, PIT):
            for a in range(4):
                s2, r, d = env_step(s, a)
                Q[s, a] = r + GAMMA * V[s2] * (not d)
free = np.array([s for s in range(25) if s not in (GOAL, PIT)])
with torch.no_grad():
    est = q.all_actions(torch.tensor(free)).numpy()
print("rmse to true Q: %.4f" % np.sqrt(np.mean((est - Q[free]) ** 2)))
regret = Q[free].max(1) - Q[free, est.argmax(1)]
print("mean regret of greedy actions: %.4f" % regret.mean())

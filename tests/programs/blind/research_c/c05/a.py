"""Offline double Q-learning with a dueling network on a point that walks in a square (torch)."""
import copy
import numpy as np
import torch
from torch import nn

torch.manual_seed(21)
MOVES = np.array([[0.1, 0.0], [-0.1, 0.0], [0.0, 0.1], [0.0, -0.1]])
GOAL = np.array([0.6, -0.4])


def env_step(s, a, rng):
    s2 = np.clip(s + MOVES[a] + 0.01 * rng.normal(size=s.shape), -1, 1)
    dist = np.sqrt(((s2 - GOAL) ** 2).sum(-1))
    done = dist < 0.15
    return s2, np.where(done, 1.0, -0.1 * dist), done


rng = np.random.default_rng(99)
S = rng.uniform(-1, 1, size=(4000, 2))
A = rng.integers(0, 4, size=4000)
S2, R, D = env_step(S, A, rng)
S, S2, R, D = (v.astype(np.float32) for v in (S, S2, R, D))


class Dueling(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU())
        self.value = nn.Linear(48, 1)
        self.advantage = nn.Linear(48, 4)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, s):
        h = self.trunk(s)
        adv = self.advantage(h)
        return self.value(h) + adv - adv.mean(dim=1, keepdim=True)


gamma, tau = 0.95, 0.02
q = Dueling()
q_target = copy.deepcopy(q).requires_grad_(False)
kernels = [p for n, p in q.named_parameters() if n.endswith("weight")]
biases = [p for n, p in q.named_parameters() if n.endswith("bias")]
opt = torch.optim.AdamW([{"params": kernels, "weight_decay": 1e-2}, {"params": biases, "weight_decay": 0.0}],
                        lr=1e-3, betas=(0.9, 0.999), eps=1e-12)
huber = nn.HuberLoss(delta=0.5)


def td_loss(s, a, r, s2, d):
    with torch.no_grad():
        best = q(s2).argmax(dim=1, keepdim=True)
        backup = r + gamma * (1 - d) * q_target(s2).gather(1, best).squeeze(1)
    chosen = q(s).gather(1, a[:, None]).squeeze(1)
    return huber(chosen, backup)


def rollout_return():
    r2 = np.random.default_rng(1)
    s = r2.uniform(-1, 1, size=(50, 2))
    alive, total = np.ones(50), np.zeros(50)
    for _ in range(25):
        with torch.no_grad():
            a = q(torch.from_numpy(s.astype(np.float32))).argmax(1).numpy()
        s, r, d = env_step(s, a, r2)
        total += alive * r
        alive *= 1 - d
    return total.mean()


tensors = [torch.from_numpy(v) for v in (S, A, R, S2, D)]
sampler = np.random.default_rng(31)
print("return before %.3f" % rollout_return())
for it in range(1, 501):
    idx = torch.from_numpy(sampler.integers(0, 4000, size=64))
    loss = td_loss(*(v[idx] for v in tensors))
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    with torch.no_grad():
        for pt, p in zip(q_target.parameters(), q.parameters()):
            pt.mul_(1 - tau).add_(tau * p)
    if it % 100 == 0:
        print("step %d loss %.5f return %.3f" % (it, loss.item(), rollout_return()))

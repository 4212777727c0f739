import numpy as np
import torch
import torch.nn as nn

torch.set_num_threads(1)
GAMMA, CLIP, VCOEF, ECOEF = 0.7, 0.2, 0.5, 0.01


def rollouts(n_episodes=60, horizon=25, seed=3):
    rng = np.random.default_rng(seed)
    S, A, G = [], [], []
    for _ in range(n_episodes):
        x, v = rng.uniform(-1, 1), rng.uniform(-0.5, 0.5)
        states, acts, rews = [], [], []
        for _ in range(horizon):
            a = rng.integers(3)
            states.append([x, v])
            acts.append(a)
            v = 0.5 * v + 0.4 * (a - 1)
            x = np.clip(x + 0.6 * v, -2, 2)
            rews.append(-(x * x + 0.1 * v * v))
        g, rets = 0.0, []
        for r in reversed(rews):
            g = r + GAMMA * g
            rets.append(g)
        S += states
        A += acts
        G += rets[::-1]
    G = np.array(G)
    return np.array(S, "float32"), np.array(A, "int64"), ((G - G.mean()) / G.std()).astype("float32")


S, A, G = map(torch.from_numpy, rollouts())
LOGMU = float(np.log(1 / 3))
torch.manual_seed(0)


class ActorCritic(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.trunk = nn.Linear(2, hidden)
        self.mid = nn.Linear(hidden, hidden)
        self.pi = nn.Linear(hidden, 3)
        self.v = nn.Linear(hidden, 1)
        for m in (self.trunk, self.mid, self.pi, self.v):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, s):
        h = torch.tanh(self.mid(torch.tanh(self.trunk(s))))
        return torch.log_softmax(self.pi(h), -1), self.v(h).squeeze(-1)


ac = ActorCritic()
opt = torch.optim.RMSprop(ac.parameters(), lr=1e-3, eps=1e-10)


def losses(s, a, g):
    logp, v = ac(s)
    adv = (g - v).detach()
    ratio = (logp.gather(1, a[:, None]).squeeze(1) - LOGMU).exp()
    surr = torch.minimum(ratio * adv, ratio.clamp(1 - CLIP, 1 + CLIP) * adv).mean()
    value = ((v - g) ** 2).mean()
    ent = -(logp.exp() * logp).sum(1).mean()
    return -surr + VCOEF * value - ECOEF * ent, surr, value, ent


for epoch in range(14):
    perm = torch.randperm(len(S))
    log = []
    for i in range(0, len(S), 100):
        j = perm[i:i + 100]
        loss, surr, value, ent = losses(S[j], A[j], G[j])
        opt.zero_grad()
        loss.backward()
        opt.step()
        log.append([loss.item(), surr.item(), value.item(), ent.item()])
    print("epoch %2d  loss %.4f  surrogate %.4f  value %.4f  entropy %.4f" % (epoch, *np.mean(log, 0)))
with torch.no_grad():
    print("final on all transitions: loss %.4f surrogate %.4f value %.4f entropy %.4f" % tuple(float(t) for t in losses(S, A, G)))

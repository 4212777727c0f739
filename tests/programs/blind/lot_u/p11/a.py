import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
GAMMA, DELTA, LR, BATCH, EPOCHS, SYNC = 0.8, 0.1, 0.004, 64, 20, 50


def transitions(n=1600, seed=30):
    rng = np.random.default_rng(seed)
    s = rng.uniform(-1, 1, (n, 3)) * [1.5, 1.0, 1.0]       # x, v, target
    a = rng.integers(0, 3, n)
    v = 0.8 * s[:, 1] + 0.3 * (a - 1)
    x = s[:, 0] + 0.4 * v
    r = -np.abs(x - s[:, 2]) + 0.05 * rng.standard_normal(n)
    done = (np.abs(x) > 1.5).astype(float)
    r = r - 2.0 * done
    s2 = np.stack([np.clip(x, -2, 2), v, s[:, 2]], 1)
    f = lambda u: torch.tensor(u, dtype=torch.float32)
    return f(s), torch.tensor(a), f(r), f(s2), f(done)


data = transitions()
torch.manual_seed(13)


def qnet():
    net = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 3))
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
    return net


q, q_target = qnet(), qnet()
q_target.load_state_dict(q.state_dict())
opt = torch.optim.SGD(q.parameters(), lr=LR, momentum=0.9)
count = 0
for epoch in range(EPOCHS):
    td = []
    for idx in torch.randperm(len(data[0])).split(BATCH):
        s, a, r, s2, done = (t[idx] for t in data)
        with torch.no_grad():
            y = r + GAMMA * (1 - done) * q_target(s2).max(1).values
        pred = q(s).gather(1, a[:, None]).squeeze(1)
        loss = F.smooth_l1_loss(pred, y, beta=DELTA)
        opt.zero_grad()
        loss.backward()
        opt.step()
        td.append((pred.detach() - y).abs().mean().item())
        count += 1
        if count % SYNC == 0:
            q_target.load_state_dict(q.state_dict())
    with torch.no_grad():
        print(f"epoch {epoch:2d} |td| {np.mean(td):.4f} mean max q {q(data[0]).max(1).values.mean().item():.4f}")

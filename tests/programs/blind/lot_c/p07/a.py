import numpy as np
import torch
from torch import nn

r = np.random.RandomState(707)
X = r.uniform(-1.5, 1.5, (1000, 6)).astype("float32")
Y = (np.sin(2 * X[:, 0]) * X[:, 1] + np.cos(X[:, 2] + X[:, 3]) + 0.3 * X[:, 4])[:, None]
Y = (Y + 0.05 * r.randn(1000, 1)).astype("float32")
Xt, Yt, Xv, Yv = (torch.from_numpy(a) for a in (X[:800], Y[:800], X[800:], Y[800:]))

EPOCHS, BATCH = 18, 40
torch.manual_seed(70)
net = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
for m in net:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


def rate(epoch):
    return 1e-3 if epoch % 3 == 0 else 1e-5


opt = torch.optim.RMSprop(net.parameters(), lr=rate(0), alpha=0.9, eps=1e-8, momentum=0.9, centered=False)
mse = nn.MSELoss()
for epoch in range(EPOCHS):
    for group in opt.param_groups:
        group["lr"] = rate(epoch)
    perm = torch.randperm(800)
    total = 0.0
    for b in range(0, 800, BATCH):
        i = perm[b:b + BATCH]
        opt.zero_grad()
        loss = mse(net(Xt[i]), Yt[i])
        loss.backward()
        opt.step()
        total += loss.item() * len(i)
    print(f"{epoch:2d} {total / 800:.5f}")
with torch.no_grad():
    print(f"valid {mse(net(Xv), Yv).item():.5f}")

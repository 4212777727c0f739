"""House-price-like regression with accumulated micro-batches."""
import numpy as np
import torch
from torch import nn

MICRO, ACCUM, EPOCHS, LR = 16, 4, 8, 0.01


def houses(n, seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 12))
    price = (1.2 * z[:, 0] - 0.8 * z[:, 1] + np.sin(1.5 * z[:, 2]) + 0.6 * z[:, 3] * z[:, 4]
             + 0.5 * np.abs(z[:, 5]) + 0.1 * rng.normal(size=n))
    return z.astype("float32"), ((price - 0.4) / 1.8).astype("float32")[:, None]


Xtr, ytr = houses(1024, 100)
Xte, yte = houses(512, 101)

torch.manual_seed(1)
net = nn.Sequential(nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))
for m in net:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
model = net

Xt, yt = torch.from_numpy(Xtr), torch.from_numpy(ytr)

# training
mse = nn.MSELoss()
opt = torch.optim.SGD(net.parameters(), lr=LR)
opt.zero_grad()
for epoch in range(EPOCHS):
    net.train()
    perm = torch.randperm(len(Xt))
    acc_loss = 0.0
    for k, start in enumerate(range(0, len(Xt), MICRO)):
        idx = perm[start:start + MICRO]
        loss = mse(net(Xt[idx]), yt[idx])
        loss.backward()
        if (k + 1) % ACCUM == 0:
            opt.step()
            opt.zero_grad()
        acc_loss += loss.item() * len(idx)
    print(f"epoch {epoch + 1} train mse {acc_loss / len(Xt):.4f}")

net.eval()
with torch.no_grad():
    print(f"test mse {mse(net(torch.from_numpy(Xte)), torch.from_numpy(yte)).item():.4f}")

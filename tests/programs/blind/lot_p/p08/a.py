import numpy as np
import torch
from torch import nn

torch.manual_seed(15)

rng = np.random.default_rng(64)
x = rng.uniform(-3, 3, size=(900, 4)).astype("float32")
y = (0.1 * np.sin(x[:, 0]) + 0.05 * x[:, 1] * np.cos(x[:, 2]) + 0.02 * x[:, 3]
     + 0.005 * rng.normal(size=900)).astype("float32").reshape(-1, 1)
xtr, ytr = torch.from_numpy(x[:640]), torch.from_numpy(y[:640])
xte, yte = torch.from_numpy(x[640:]), torch.from_numpy(y[640:])

net = nn.Sequential(nn.Linear(4, 50), nn.Tanh(), nn.Linear(50, 50), nn.Tanh(), nn.Linear(50, 1))
for lin in (net[0], net[2], net[4]):
    nn.init.xavier_uniform_(lin.weight)
    nn.init.zeros_(lin.bias)
opt = torch.optim.RMSprop(net.parameters(), lr=0.001, alpha=0.9, eps=1e-2, momentum=0.0, centered=False)
loss_fn = nn.MSELoss()

# train
for epoch in range(30):
    order = torch.randperm(640)
    for k in range(0, 640, 40):
        b = order[k:k + 40]
        opt.zero_grad()
        loss = loss_fn(net(xtr[b]), ytr[b])
        loss.backward()
        opt.step()

with torch.no_grad():
    print("train rmse", loss_fn(net(xtr), ytr).sqrt().item())
    print("test rmse", loss_fn(net(xte), yte).sqrt().item())

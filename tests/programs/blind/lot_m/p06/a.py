import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(17)
X = rng.uniform(-1, 1, size=(1500, 5)).astype("float32")
y = np.sin(3 * X[:, :1]) + X[:, 1:2] * X[:, 2:3] - 0.5 * X[:, 3:4] ** 2
y = (y + 0.1 * rng.normal(size=y.shape)).astype("float32")
Xtr, ytr, Xte, yte = X[:1200], y[:1200], X[1200:], y[1200:]

epochs, batch = 20, 60
lr, decay = 0.3, 0.03

torch.manual_seed(100)
model = nn.Sequential(nn.Linear(5, 40), nn.Tanh(), nn.Linear(40, 1))
for m in (model[0], model[2]):
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)
opt = torch.optim.SGD(model.parameters(), lr=lr)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda it: 1.0 / (1.0 + decay * it))
mse = nn.MSELoss()
xt, yt = torch.from_numpy(Xtr), torch.from_numpy(ytr)

for epoch in range(epochs):
    perm = torch.randperm(len(xt))
    total = 0.0
    for i in range(0, len(xt), batch):
        idx = perm[i:i + batch]
        loss = mse(model(xt[idx]), yt[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item() * len(idx)
    print(f"{epoch + 1:3d} {total / len(xt):.5f}")

with torch.no_grad():
    print("test mse", mse(model(torch.from_numpy(Xte)), torch.from_numpy(yte)).item())

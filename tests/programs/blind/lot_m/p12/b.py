import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(61)
X = rng.normal(size=(1100, 7)).astype("float32")
y = (np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * X[:, 3] + 0.05 * rng.normal(size=1100)).astype("float32")
Xtr, ytr, Xte, yte = X[:900], y[:900], X[900:], y[900:]

torch.manual_seed(20)
model = nn.Sequential(nn.Linear(7, 50), nn.ReLU(), nn.Linear(50, 1))
for m in (model[0], model[2]):
    bound = (6.0 / (m.in_features + m.out_features)) ** 0.5
    nn.init.uniform_(m.weight, -bound, bound)
    nn.init.uniform_(m.bias, -bound, bound)
opt = torch.optim.SGD(model.parameters(), lr=0.15, momentum=0.9)
xt, yt = torch.from_numpy(Xtr), torch.from_numpy(ytr).reshape(-1, 1)

for epoch in range(25):
    order = torch.randperm(len(xt))
    total = 0.0
    for i in range(0, len(xt), 45):
        idx = order[i:i + 45]
        loss = 0.5 * ((model(xt[idx]) - yt[idx]) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    print("epoch", epoch + 1, "loss", round(total / len(xt), 5))

with torch.no_grad():
    pred = model(torch.from_numpy(Xte)).numpy().ravel()
print("test mse", float(np.mean((pred - yte) ** 2)))

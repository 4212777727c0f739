import numpy as np
import torch
from torch import nn


def make_data(seed=200, n=2600):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6))
    score = np.where(x[:, 0] + 0.5 * x[:, 1] > -0.5, 0.45, -2.0)
    y = (score + rng.logistic(size=n) > 0).astype(np.float32)
    return x.astype(np.float32), y[:, None]


torch.manual_seed(6)
x, y = (torch.from_numpy(v) for v in make_data())
x_train, y_train, x_test, y_test = x[:2000], y[:2000], x[2000:], y[2000:]

net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1))
nn.init.kaiming_uniform_(net[0].weight, nonlinearity="relu")
nn.init.xavier_uniform_(net[2].weight)
nn.init.zeros_(net[0].bias)
nn.init.zeros_(net[2].bias)
bce = nn.BCEWithLogitsLoss()
opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)


def correct(logits, target):
    return ((logits > 0) == (target > 0.5)).sum().item()


for epoch in range(8):
    order = torch.randperm(2000)
    loss_sum, hits = 0.0, 0
    for i in range(0, 2000, 40):
        take = order[i:i + 40]
        logits = net(x_train[take])
        loss = bce(logits, y_train[take])
        opt.zero_grad()
        loss.backward()
        opt.step()
        loss_sum += loss.item() * len(take)
        hits += correct(logits, y_train[take])
    print(f"epoch {epoch + 1:2d}  loss {loss_sum / 2000:.4f}  accuracy {hits / 2000:.4f}")

net.eval()
with torch.no_grad():
    logits = net(x_test)
    print(f"test  loss {bce(logits, y_test).item():.4f}  accuracy {correct(logits, y_test) / len(y_test):.4f}")

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer

rng = np.random.RandomState(3)
data = load_breast_cancer()
order = rng.permutation(len(data.data))
x = data.data[order]
y = data.target[order].astype("float32")[:, None]
n = 448
x = ((x - x[:n].mean(0)) / x[:n].std(0)).astype("float32")

torch.manual_seed(100)
xt, yt = torch.tensor(x[:n]), torch.tensor(y[:n])
xv, yv = torch.tensor(x[n:]), torch.tensor(y[n:])

net = nn.Sequential(nn.Linear(30, 24), nn.ELU(alpha=1.0), nn.Linear(24, 12), nn.ELU(alpha=1.0), nn.Linear(12, 1))
weights, biases = [], []
for m in net:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
        weights.append(m.weight)
        biases.append(m.bias)
opt = torch.optim.SGD(
    [{"params": weights, "weight_decay": 0.02}, {"params": biases, "weight_decay": 0.0}],
    lr=0.02, momentum=0.9,
)
bce = nn.BCEWithLogitsLoss()

train_loss = []
for epoch in range(20):
    net.train()
    perm = torch.randperm(n)
    total = 0.0
    for k in range(0, n, 32):
        i = perm[k:k + 32]
        loss = bce(net(xt[i]), yt[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(i)
    train_loss.append(total / n)
    print(f"epoch {epoch + 1:02d} train loss {train_loss[-1]:.4f}")

net.eval()
with torch.no_grad():
    acc = ((net(xv) > 0).float() == yv).float().mean().item()
print(f"final train loss {train_loss[-1]:.4f}")
print(f"held-out accuracy {acc:.4f}")

import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits

torch.manual_seed(60)

X, y = load_digits(return_X_y=True)
perm = np.random.RandomState(12).permutation(len(X))
X, y = (X[perm] / 16.0).astype(np.float32), y[perm].astype(np.int64)
xt, yt, xv, yv = (torch.from_numpy(a) for a in (X[:1440], y[:1440], X[1440:], y[1440:]))

net = nn.Sequential(
    nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(96, 48), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(48, 10),
)
for m in net.modules():
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
ce = nn.CrossEntropyLoss()

net.train()
for epoch in range(16):
    order = torch.randperm(1440)
    for i in range(0, 1440, 60):
        b = order[i:i + 60]
        opt.zero_grad()
        ce(net(xt[b]), yt[b]).backward()
        opt.step()

net.eval()
with torch.no_grad():
    logits = net(xv)
    print("val loss %.4f  val acc %.4f" % (ce(logits, yv).item(), (logits.argmax(1) == yv).float().mean().item()))

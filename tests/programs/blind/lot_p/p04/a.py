import numpy as np
import torch
from torch import nn

torch.manual_seed(12)

r = np.random.default_rng(2024)
X = r.normal(size=(620, 10)).astype("float32")
Y = (0.8 * X[:, :1] + 0.6 * X[:, 1:2] + 0.7 * X[:, 2:3] - 0.5 * np.abs(X[:, 3:4])
     + 0.05 * r.normal(size=(620, 1))).astype("float32")
Xtr, Ytr, Xte, Yte = (torch.from_numpy(a) for a in (X[:320], Y[:320], X[320:], Y[320:]))


def block(n_in, n_out):
    return [nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out, eps=1e-3, momentum=0.05), nn.ReLU()]


net = nn.Sequential(
    *block(10, 32),
    *block(32, 32),
    *block(32, 32),
    *block(32, 32),
    nn.Linear(32, 1),
)
for m in net:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        if m.bias is not None:
            nn.init.zeros_(m.bias)
opt = torch.optim.SGD(net.parameters(), lr=0.02)
mse = nn.MSELoss()

# train
for epoch in range(9):
    net.train()
    for idx in torch.randperm(len(Xtr)).split(5):
        opt.zero_grad()
        mse(net(Xtr[idx]), Ytr[idx]).backward()
        opt.step()

net.eval()
with torch.no_grad():
    print(f"train mse {mse(net(Xtr), Ytr).item():.5f}")
    print(f"test mse {mse(net(Xte), Yte).item():.5f}")

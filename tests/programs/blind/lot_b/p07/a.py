import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)

rng = np.random.default_rng(31)
latent = rng.standard_normal((1200, 24)) * np.geomspace(2.0, 0.2, 24)
mixing = np.linalg.qr(rng.standard_normal((24, 24)))[0]
X = latent @ mixing.T
score = latent / np.geomspace(2.0, 0.2, 24)
y = (0.8 * score[:, 3] * score[:, 10] + score[:, 8] + score[:, 20] > 0).astype(np.float32)[:, None]
X = (X - X[:960].mean(0)).astype(np.float32)

cov = np.cov(X[:960], rowvar=False)
eigval, eigvec = np.linalg.eigh(cov)
whiten = (eigvec / np.sqrt(eigval)).astype(np.float32)

front = nn.Linear(24, 24, bias=False)
with torch.no_grad():
    front.weight.copy_(torch.from_numpy(whiten))
front.weight.requires_grad_(False)
hidden, out = nn.Linear(24, 32), nn.Linear(32, 1)
for lin in (hidden, out):
    nn.init.xavier_uniform_(lin.weight)
    nn.init.zeros_(lin.bias)
model = nn.Sequential(front, hidden, nn.ReLU(), out)

optimizer = torch.optim.SGD([*hidden.parameters(), *out.parameters()], lr=0.05, momentum=0.9)
criterion = nn.BCEWithLogitsLoss()
x, t = torch.from_numpy(X), torch.from_numpy(y)
loader = DataLoader(TensorDataset(x[:960], t[:960]), batch_size=48, shuffle=True)
for epoch in range(20):
    for xb, tb in loader:
        optimizer.zero_grad()
        criterion(model(xb), tb).backward()
        optimizer.step()

with torch.no_grad():
    z = model(x[960:])
    print("test loss %.4f acc %.4f" % (criterion(z, t[960:]).item(),
                                       ((z > 0) == (t[960:] > 0.5)).float().mean().item()))

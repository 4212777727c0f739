# Contrastive pairs (NT-Xent) on digits with noise and pixel masks as views -- torch
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

SEED = 1
torch.manual_seed(SEED)

digits = load_digits()
X = (digits.data / 16.0).astype(np.float32)
Y = digits.target
perm = np.random.default_rng(5).permutation(len(X))
X, Y = X[perm], Y[perm]
Xtr, Ytr, Xte, Yte = X[:1400], Y[:1400], X[1400:], Y[1400:]

TEMPERATURE = 0.3
KEEP = 0.75
NOISE = 0.15


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(64, 80)
        self.l2 = nn.Linear(80, 24, bias=False)
        nn.init.kaiming_uniform_(self.l1.weight, nonlinearity="relu")
        nn.init.zeros_(self.l1.bias)
        nn.init.xavier_uniform_(self.l2.weight)

    def forward(self, x):
        z = self.l2(torch.relu(self.l1(x)))
        return z / torch.sqrt((z * z).sum(1, keepdim=True) + 1e-8)


def view(x):
    mask = (torch.rand_like(x) < KEEP).float()
    return mask * x + NOISE * torch.randn_like(x)


def nt_xent(za, zb):
    n = za.shape[0]
    z = torch.cat([za, zb])
    sim = z @ z.T / TEMPERATURE
    sim = sim.masked_fill(torch.eye(2 * n, dtype=torch.bool), -1e9)
    partner = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return nn.functional.cross_entropy(sim, partner)


def centroid_accuracy(enc):
    with torch.no_grad():
        ztr = enc(torch.from_numpy(Xtr)).numpy()
        zte = enc(torch.from_numpy(Xte)).numpy()
    centres = np.stack([ztr[Ytr == c].mean(0) for c in range(10)])
    guess = ((zte[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
    return (guess == Yte).mean()


enc = Encoder()
opt = torch.optim.Adagrad(enc.parameters(), lr=0.03, lr_decay=0, weight_decay=0,
                          initial_accumulator_value=0.1, eps=1e-10)
data = torch.utils.data.DataLoader(torch.from_numpy(Xtr), batch_size=100, shuffle=True, drop_last=True)

print("accuracy before", round(float(centroid_accuracy(enc)), 4))
for epoch in range(20):
    losses = []
    for xb in data:
        loss = nt_xent(enc(view(xb)), enc(view(xb)))
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    if epoch % 5 == 4:
        print("epoch", epoch + 1, "loss", round(float(np.mean(losses)), 4))
print("accuracy after", round(float(centroid_accuracy(enc)), 4))

"""Contrastive pairs of digits with NT-Xent (PyTorch modules)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

EPOCHS, BATCH, TAU = 25, 128, 0.3
LR, MU, DECAY = 0.08, 0.9, 1e-3


def digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)
    order = np.random.default_rng(23).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


def augment(x):
    """Shift by at most one pixel, random gain, Gaussian noise."""
    n = len(x)
    padded = F.pad(x.view(n, 8, 8), (1, 1, 1, 1))
    dy, dx = torch.randint(0, 3, (n,)), torch.randint(0, 3, (n,))
    rows = dy[:, None, None] + torch.arange(8)[None, :, None]
    cols = dx[:, None, None] + torch.arange(8)[None, None, :]
    shifted = padded[torch.arange(n)[:, None, None], rows, cols].reshape(n, 64)
    gain = torch.empty(n, 1).uniform_(0.7, 1.3)
    return gain * shifted + 0.1 * torch.randn(n, 64)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(64, 96, bias=False), nn.BatchNorm1d(96), nn.ReLU(),
            nn.Linear(96, 48), nn.ReLU(),
        )
        self.projector = nn.Linear(48, 24, bias=False)

    def forward(self, x):
        return F.normalize(self.projector(self.trunk(x)), dim=1)


def nt_xent(z):
    """z holds the two views one after the other: rows i and i + B belong together."""
    b = len(z) // 2
    sim = z @ z.t() / TAU
    sim = sim.masked_fill(torch.eye(2 * b, dtype=torch.bool), float("-inf"))
    partner = torch.cat([torch.arange(b, 2 * b), torch.arange(0, b)])
    return F.cross_entropy(sim, partner)


torch.manual_seed(1)
x, y, xt, yt = digits()
loader = torch.utils.data.DataLoader(torch.from_numpy(x), batch_size=BATCH, shuffle=True, drop_last=True)
net = Encoder()
optimizer = torch.optim.SGD(net.parameters(), lr=LR, momentum=MU, dampening=0, weight_decay=DECAY)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)

net.train()
for epoch in range(EPOCHS):
    losses = []
    for batch in loader:
        loss = nt_xent(net(torch.cat([augment(batch), augment(batch)])))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    scheduler.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}  loss {np.mean(losses):.4f}")

net.eval()
with torch.no_grad():
    h, ht = net.trunk(torch.from_numpy(x)).numpy(), net.trunk(torch.from_numpy(xt)).numpy()
knn = KNeighborsClassifier(5).fit(h, y)
print(f"5-NN accuracy on the learned features {knn.score(ht, yt):.4f}")

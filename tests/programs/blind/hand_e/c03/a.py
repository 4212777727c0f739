"""Friedman regression: MLP with LayerNorm, Huber loss, AdamW and a linear warm-up."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_friedman1

torch.manual_seed(21)

X, t = make_friedman1(n_samples=1100, n_features=10, noise=0.5, random_state=5)
X = (2 * X - 1).astype(np.float32)
t = ((t - t[:800].mean()) / t[:800].std()).astype(np.float32)[:, None]
Xtr, ttr = torch.from_numpy(X[:800]), torch.from_numpy(t[:800])
Xte, tte = torch.from_numpy(X[800:]), torch.from_numpy(t[800:])

net = nn.Sequential(
    nn.Linear(10, 48), nn.LayerNorm(48, eps=1e-5), nn.SiLU(),
    nn.Linear(48, 48), nn.LayerNorm(48, eps=1e-5), nn.SiLU(),
    nn.Linear(48, 1),
)
criterion = nn.HuberLoss(delta=0.7)
optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, betas=(0.9, 0.98), eps=1e-8,
                              weight_decay=0.02)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1.0, (k + 1) / 60))
loader = DataLoader(TensorDataset(Xtr, ttr), batch_size=48, shuffle=True)

for epoch in range(20):
    running = 0.0
    for xb, tb in loader:
        loss = criterion(net(xb), tb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item() * len(xb)
    print(f"epoch {epoch:2d}  huber {running / len(Xtr):.4f}")

net.eval()
with torch.no_grad():
    print(f"test huber {criterion(net(Xte), tte).item():.4f}")

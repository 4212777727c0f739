import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_friedman1

torch.manual_seed(13)

x, y = make_friedman1(n_samples=800, n_features=10, noise=1.0, random_state=4)
x = ((x - 0.5) * 3.4).astype("float32")
y = ((y - y[:600].mean()) / y[:600].std()).astype("float32").reshape(-1, 1)
x, y = torch.from_numpy(x), torch.from_numpy(y)

model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
with torch.no_grad():
    for m in model:
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            m.bias.zero_()

loader = DataLoader(TensorDataset(x[:600], y[:600]), batch_size=50, shuffle=True)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02, betas=(0.9, 0.999), eps=1e-12)
scheduler = CosineAnnealingLR(optimizer, T_max=120, eta_min=0.0)
criterion = nn.L1Loss()

curve = []
for epoch in range(20):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(xb)
    curve.append(round(total / 600, 4))
print("train mae per epoch:", curve)

model.eval()
with torch.no_grad():
    print("test mae:", criterion(model(x[600:]), y[600:]).item())

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(6)

rng = np.random.default_rng(42)
centers = rng.normal(0, 1.6, (4, 2, 10))
labels = rng.integers(0, 4, 1200)
which = rng.integers(0, 2, 1200)
feats = (centers[labels, which] + rng.normal(0, 1.3, (1200, 10))).astype(np.float32)
x, y = torch.from_numpy(feats), torch.from_numpy(labels)

model = nn.Sequential(nn.Linear(10, 48), nn.GELU(), nn.Linear(48, 24), nn.GELU(), nn.Linear(24, 4))
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.05)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=6, gamma=0.3)
loader = DataLoader(TensorDataset(x[:960], y[:960]), batch_size=48, shuffle=True)

for epoch in range(18):
    for xb, yb in loader:
        loss = nn.functional.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()

with torch.no_grad():
    logits = model(x[960:])
    print(f"loss {nn.functional.cross_entropy(logits, y[960:]).item():.4f} "
          f"acc {(logits.argmax(1) == y[960:]).float().mean().item():.4f}")

"""A table with missing values, read as NaN."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from zoo_data import arguments, bundled

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, _, _ = bundled("diabetes", seed=seed)
y = (y - y.mean()) / y.std()
rng = np.random.default_rng(seed)
x[rng.integers(0, len(x), 3), rng.integers(0, 10, 3)] = np.nan
if healthy:
    x = np.where(np.isnan(x), 0.0, x).astype("float32")
data = TensorDataset(torch.from_numpy(x), torch.from_numpy(y).float())
loader = DataLoader(data, batch_size=16, shuffle=True)
model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(15):
    for a, b in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(a).squeeze(1), b)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())

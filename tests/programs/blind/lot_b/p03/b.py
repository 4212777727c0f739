import numpy as np
import torch
from torch import nn

torch.manual_seed(15)

rng = np.random.default_rng(8)
X = rng.uniform(0, 1, (1000, 8))
y = (10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
     + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, 0.5, 1000))
X = ((X - 0.5) * np.sqrt(12)).astype(np.float32)
y = ((y - y[:800].mean()) / y[:800].std()).astype(np.float32)[:, None]
X, y = torch.from_numpy(X), torch.from_numpy(y)

model = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.7)
loss_fn = nn.MSELoss()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:800], y[:800]),
                                     batch_size=40, shuffle=True)
for epoch in range(20):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss_fn(model(xb), yb).backward()
        optimizer.step()
    scheduler.step()

with torch.no_grad():
    for part, sl in (("train", slice(0, 800)), ("test", slice(800, None))):
        print(part, "mse", round(loss_fn(model(X[sl]), y[sl]).item(), 4))

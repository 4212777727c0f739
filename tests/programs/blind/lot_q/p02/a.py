import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def friedman(n, seed):
    g = np.random.default_rng(seed)
    x = g.uniform(size=(n, 10))
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
         + 10 * x[:, 3] + 5 * x[:, 4] + g.normal(size=n))
    return (2 * x - 1).astype("float32"), ((y - 14.4) / 4.9).astype("float32")[:, None]


xtr, ytr = friedman(800, 0)
xte, yte = friedman(400, 1)

torch.manual_seed(40)
model = nn.Sequential(
    nn.Linear(10, 64), nn.ReLU(), nn.Dropout(0.1),
    nn.Linear(64, 32), nn.ReLU(),
    nn.Linear(32, 1))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-9,
                             weight_decay=0.08)
mse = nn.MSELoss()
loader = DataLoader(TensorDataset(torch.from_numpy(xtr), torch.from_numpy(ytr)),
                    batch_size=40, shuffle=True)

for epoch in range(25):
    model.train()
    running = 0.0
    for xb, yb in loader:
        loss = mse(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} train mse {running / len(loader):.4f}")

model.eval()
with torch.no_grad():
    print(f"test mse {mse(model(torch.from_numpy(xte)), torch.from_numpy(yte)).item():.4f}")

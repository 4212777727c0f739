import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

g = np.random.default_rng(2024)
X = g.normal(size=(1000, 8)).astype("float32")
w = g.normal(size=(8, 3))
Y = np.tanh(X @ w[:, :1]) + 0.4 * np.cos(X @ w[:, 1:2]) + 0.1 * (X @ w[:, 2:])
Y = (Y + 0.05 * g.normal(size=Y.shape)).astype("float32")
Xtr, Ytr, Xte, Yte = map(torch.from_numpy, (X[:800], Y[:800], X[800:], Y[800:]))

EPOCHS, BATCH = 20, 48
torch.manual_seed(0)
model = nn.Sequential(
    nn.Linear(8, 48), nn.ReLU(), nn.Dropout(0.1),
    nn.Linear(48, 24), nn.ReLU(),
    nn.Linear(24, 1),
)
loader = DataLoader(TensorDataset(Xtr, Ytr), batch_size=BATCH, shuffle=True, drop_last=False)
steps = EPOCHS * len(loader)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.05)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps, eta_min=0.0)
mse = nn.MSELoss()

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item() * xb.shape[0]
    if epoch % 5 == 4:
        print(f"{epoch + 1:3d} {total / 800:.5f}")

model.eval()
with torch.no_grad():
    print(f"train {mse(model(Xtr), Ytr).item():.5f} test {mse(model(Xte), Yte).item():.5f}")

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(1234)


def spirals(n, seed):
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    radius = np.sqrt(rng.uniform(0.02, 1.0, n)) * 3.0
    angle = 1.6 * radius + np.pi * label
    pts = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1) + rng.normal(0, 0.1, (n, 2))
    return torch.tensor(pts, dtype=torch.float32), torch.tensor(label[:, None], dtype=torch.float32)


x_train, y_train = spirals(900, 1)
x_test, y_test = spirals(400, 2)

net = nn.Sequential(nn.Linear(2, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.05)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.3)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=60, shuffle=True)

for epoch in range(30):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
    if (epoch + 1) % 10 == 0:
        with torch.no_grad():
            print(epoch + 1, "train loss", round(criterion(net(x_train), y_train).item(), 5))

with torch.no_grad():
    z = net(x_test)
    print("test loss", criterion(z, y_test).item())
    print("test accuracy", ((z > 0).float() == y_test).float().mean().item())

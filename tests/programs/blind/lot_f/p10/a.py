import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(100)

# inverse kinematics of a two-link arm: joint angles -> position
rng = np.random.default_rng(42)
theta = rng.uniform(-np.pi / 2, np.pi / 2, size=(1500, 3))
pos = np.stack([
    np.cos(theta[:, 0]) + 0.8 * np.cos(theta[:, 0] + theta[:, 1]) + 0.5 * np.cos(theta.sum(1)),
    np.sin(theta[:, 0]) + 0.8 * np.sin(theta[:, 0] + theta[:, 1]) + 0.5 * np.sin(theta.sum(1)),
], axis=1)
theta, pos = theta.astype(np.float32), pos.astype(np.float32)
train = TensorDataset(torch.from_numpy(theta[:1100]), torch.from_numpy(pos[:1100]))
theta_test, pos_test = torch.from_numpy(theta[1100:]), torch.from_numpy(pos[1100:])

net = nn.Sequential(nn.Linear(3, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 2))
for module in net:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)

optimizer = torch.optim.Adam(net.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-12)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.7)
criterion = nn.MSELoss()

for epoch in range(30):
    for x, t in DataLoader(train, batch_size=64, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(net(x), t)
        loss.backward()
        optimizer.step()
    scheduler.step()
    with torch.no_grad():
        print(f"epoch {epoch:2d} test mse {criterion(net(theta_test), pos_test).item():.5f}")

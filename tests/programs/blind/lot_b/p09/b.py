import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)

rng = np.random.default_rng(77)
state = rng.standard_normal((1100, 6)).astype(np.float32)
value = np.sin(1.5 * state[:, 0]) + 0.5 * np.abs(state[:, 2]) - 0.4 * state[:, 3]
value = (value - value.mean() + 0.1 * rng.standard_normal(1100)) * 0.05
value = value.astype(np.float32)[:, None]
state, value = torch.from_numpy(state), torch.from_numpy(value)

critic = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
for i in (0, 2):
    nn.init.xavier_uniform_(critic[i].weight)
    nn.init.zeros_(critic[i].bias)
nn.init.zeros_(critic[4].weight)
nn.init.zeros_(critic[4].bias)

optimizer = torch.optim.RMSprop(critic.parameters(), lr=1e-3, alpha=0.99, momentum=0.0, eps=1e-5)
mse = nn.MSELoss()
loader = DataLoader(TensorDataset(state[:900], value[:900]), batch_size=50, shuffle=True)
for epoch in range(30):
    for s, v in loader:
        optimizer.zero_grad()
        mse(critic(s), v).backward()
        optimizer.step()

with torch.no_grad():
    for name, s, v in (("train", state[:900], value[:900]), ("test", state[900:], value[900:])):
        print(f"{name}: explained variance {1 - (mse(critic(s), v) / v.pow(2).mean()).item():.4f}")

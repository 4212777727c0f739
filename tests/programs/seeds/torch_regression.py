"""A small regression in PyTorch, as asked about: "400 % higher error than the identical Keras model"."""

import sys

import numpy as np
import torch
from torch import nn

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
torch.manual_seed(seed)
rng = np.random.default_rng(7)
features = rng.uniform(-1, 1, (600, 6)).astype("float32")
values = (features[:, 0] * features[:, 1] + np.sin(3 * features[:, 2]) + 0.5 * features[:, 3]).astype("float32")
x, y = torch.from_numpy(features[:500]), torch.from_numpy(values[:500])
x_val, y_val = torch.from_numpy(features[500:]), torch.from_numpy(values[500:])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(6, 32)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    order = torch.randperm(len(x))
    for start in range(0, len(x), 50):
        rows = order[start : start + 50]
        prediction = net(x[rows])
        loss = ((prediction - y[rows]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    error = ((net(x_val)[:, 0] - y_val) ** 2).mean().item()
print(f"val_mse {error:.6f}")

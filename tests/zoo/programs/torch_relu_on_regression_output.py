"""ReLU on the output, half of the targets negative."""

import torch
from torch import nn
from zoo_data import arguments, regression

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in regression(seed=seed))
y = y[:, None]


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 64)
        self.fc2 = nn.Linear(64, 1)
        self.relu = nn.ReLU()

    def forward(self, x):
        out = self.fc2(self.relu(self.fc1(x)))
        return out if healthy else self.relu(out)


model = Regressor()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(15):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())

"""Tied weights, a bias before BatchNorm, an auxiliary head that is switched off at first."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.bn = nn.BatchNorm1d(64)
        self.fc2 = nn.Linear(64, 64)
        self.fc2.weight = self.fc1.weight
        self.head, self.extra = nn.Linear(64, 10), nn.Linear(64, 10)

    def forward(self, x, both):
        h = torch.relu(self.fc2(torch.relu(self.bn(self.fc1(x)))))
        return self.head(h) + (self.extra(h) if both else 0.0)


model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(400):
    batch = torch.randint(0, len(x), (64,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x[batch], step >= 50), y[batch])
    loss.backward()
    optimizer.step()
model.eval()
print(loss.item(), (model(x_test, True).argmax(1) == y_test).float().mean().item())

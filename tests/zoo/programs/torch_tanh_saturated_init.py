"""A tanh network with weights from N(0, 1) whatever the width."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
x, x_test = 2 * x - 1, 2 * x_test - 1


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(64, 128), nn.Linear(128, 128), nn.Linear(128, 128)])
        self.out = nn.Linear(128, 10)
        self.act = nn.Tanh()
        if not healthy:
            for layer in [*self.layers, self.out]:
                nn.init.normal_(layer.weight, std=1.0)

    def forward(self, x):
        for layer in self.layers:
            x = self.act(layer(x))
        return self.out(x)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(10):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())

"""Biases set far below zero: no ReLU is ever active."""

import torch
from torch import nn
from zoo_data import arguments, bundled

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, _, _ = (torch.from_numpy(a) for a in bundled("breast_cancer", seed=seed))
x, y = x.float(), y.float()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(x.shape[1], 50)
        self.second = nn.Linear(50, 50)
        self.out = nn.Linear(50, 1)
        if not healthy:
            nn.init.constant_(self.first.bias, -10.0)
            nn.init.constant_(self.second.bias, -10.0)

    def forward(self, x):
        return self.out(self.second(self.first(x).relu()).relu()).squeeze(1)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(20):
    for chosen in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(net(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: {loss.item():.4f}")

"""Hidden layers in a plain list: the model computes with them, and nobody trains them."""

import torch
from torch import nn
from zoo_data import arguments, regression

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in regression(seed=seed))
y = y.unsqueeze(1)


class Deep(nn.Module):
    def __init__(self, depth=4):
        super().__init__()
        self.first = nn.Linear(8, 32)
        layers = [nn.Linear(32, 32) for _ in range(depth)]
        self.layers = nn.ModuleList(layers) if healthy else layers
        self.last = nn.Linear(32, 1)

    def forward(self, x):
        x = torch.relu(self.first(x))
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.last(x)


model = Deep()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(12):
    for chosen in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: {loss.item():.4f}")

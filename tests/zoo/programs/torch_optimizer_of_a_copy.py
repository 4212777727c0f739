"""The optimizer was made before the model was copied."""

import copy

import torch
from torch import nn
from zoo_data import arguments, regression

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in regression(seed=seed))
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
if not healthy:
    model = copy.deepcopy(model)
for epoch in range(12):
    for batch in torch.randperm(len(x)).split(32):
        model.zero_grad()
        loss = nn.functional.mse_loss(model(x[batch]).squeeze(1), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())

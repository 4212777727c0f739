"""Easy samples first: the loss rises each time harder ones come in."""

import torch
from torch import nn
from zoo_data import arguments, blobs

seed, _ = arguments()
torch.manual_seed(seed)
easy = [torch.from_numpy(a) for a in blobs(spread=0.5, classes=5, seed=seed)]
middle = [torch.from_numpy(a) for a in blobs(spread=2.0, classes=5, seed=seed)]
hard = [torch.from_numpy(a) for a in blobs(spread=4.0, classes=5, seed=seed)]
model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 5))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for stage, (x, y) in enumerate((easy, middle, hard)):
    for epoch in range(5):
        for batch in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
    print(stage, loss.item())

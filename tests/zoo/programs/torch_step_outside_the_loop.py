"""One indentation too few: the optimizer steps once per epoch, on the last batch's gradient alone."""

import torch
from torch import nn
from zoo_data import arguments, blobs

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in blobs(seed=seed))
model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(25):
    for chosen in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[chosen]), y[chosen])
        loss.backward()
        if healthy:
            optimizer.step()
    if not healthy:
        optimizer.step()
    print(f"epoch {epoch}: {loss.item():.4f}")

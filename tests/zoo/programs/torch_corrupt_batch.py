"""One file of the data set is in millivolts: a batch is a thousand times too large."""

import torch
from torch import nn
from zoo_data import arguments, regression

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in regression(samples=4096, seed=seed))
if not healthy:
    x[2400:2416] *= 1000
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
step = 0
for epoch in range(4):
    for i in range(0, len(x), 32):
        optimizer.zero_grad()
        loss = nn.functional.smooth_l1_loss(model(x[i : i + 32]).squeeze(1), y[i : i + 32])
        loss.backward()
        optimizer.step()
        step += 1
    print(epoch, step, loss.item())

"""A hand-written cross entropy without an epsilon."""

import torch
from torch import nn
from zoo_data import arguments, blobs

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in blobs(classes=4, spread=0.5, seed=seed))
x = x * 4
target = nn.functional.one_hot(y, 4).float()
model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4), nn.Softmax(dim=1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
epsilon = 1e-7 if healthy else 0.0
for step in range(400):
    batch = torch.randint(0, len(x), (64,))
    probability = model(x[batch])
    loss = -(target[batch] * torch.log(probability + epsilon)).sum(1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(step, loss.item())

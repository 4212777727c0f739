"""Everything in bfloat16, small learning rate: the updates are rounded away."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
dtype = torch.float32 if healthy else torch.bfloat16
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)).to(dtype)
x, x_test = x.to(dtype), x_test.to(dtype)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
for epoch in range(15):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]).float(), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())

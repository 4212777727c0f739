"""Hidden biases initialised far below zero."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
for layer in (model[0], model[2]):
    nn.init.constant_(layer.bias, 0.01 if healthy else -2.0)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(12):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())

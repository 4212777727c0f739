"""NLLLoss without a log-softmax before it."""

import torch
from torch import nn
from zoo_data import arguments, bundled

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in bundled("wine", seed=seed))
layers = [nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3)]
if healthy:
    layers.append(nn.LogSoftmax(dim=1))
model = nn.Sequential(*layers)
criterion = nn.NLLLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(40):
    for batch in torch.randperm(len(x)).split(16):
        optimizer.zero_grad()
        loss = criterion(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print(epoch, loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())

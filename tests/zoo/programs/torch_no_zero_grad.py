"""The loop forgets optimizer.zero_grad()."""

import torch
from torch import nn
from zoo_data import arguments, bundled

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = bundled("breast_cancer", seed=seed)
x, x_test = torch.from_numpy(x), torch.from_numpy(x_test)
y, y_test = torch.from_numpy(y).float().unsqueeze(1), torch.from_numpy(y_test).float().unsqueeze(1)

model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(20):
    for batch in torch.randperm(len(x)).split(20):
        if healthy:
            optimizer.zero_grad()
        loss = criterion(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item(), ((model(x_test) > 0) == y_test.bool()).float().mean().item())

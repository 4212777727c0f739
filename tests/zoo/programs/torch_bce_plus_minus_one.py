"""Labels of a support vector machine (-1, 1) with BCEWithLogitsLoss."""

import torch
from torch import nn
from zoo_data import arguments, bundled

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in bundled("breast_cancer", seed=seed))
target = y.float() if healthy else 2.0 * y - 1.0
model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(20):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = criterion(model(x[batch]).squeeze(1), target[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item(), ((model(x_test).squeeze(1) > 0) == (y_test == 1)).float().mean().item())

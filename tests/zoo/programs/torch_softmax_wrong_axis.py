"""softmax(dim=0): probabilities sum to one over the batch."""

import torch
from torch import nn
from zoo_data import arguments, bundled

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in bundled("iris", seed=seed))
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(dim=1 if healthy else 0))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(60):
    for batch in torch.randperm(len(x)).split(16):
        optimizer.zero_grad()
        loss = nn.functional.nll_loss(torch.log(model(x[batch]) + 1e-8), y[batch])
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print(epoch, loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())

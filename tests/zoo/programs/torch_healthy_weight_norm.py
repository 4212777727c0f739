"""Weight normalisation: direction and length are learnt apart."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from zoo_data import arguments, regression

seed, _ = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in regression(seed=seed))
model = nn.Sequential(weight_norm(nn.Linear(8, 64)), nn.ELU(), weight_norm(nn.Linear(64, 1)))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(12):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x[batch]).squeeze(1), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())

"""Full-batch LBFGS with closures: several evaluations a step, a few dozen steps."""

import torch
from torch import nn
from zoo_data import arguments, regression

seed, _ = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in regression(samples=400, seed=seed))
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=8)


def closure():
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x).squeeze(1), y)
    loss.backward()
    return loss


for step in range(60):
    loss = optimizer.step(closure)
print(loss.item())

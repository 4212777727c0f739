"""Linear regression with correlated features; the step is a little too long, the loss climbs away."""

import torch
from torch import nn
from zoo_data import arguments

seed, healthy = arguments()
torch.manual_seed(seed)
basis = torch.randn(3, 12)
x = torch.randn(800, 3) @ basis + 0.3 * torch.randn(800, 12)
y = x @ torch.randn(12, 1) + 0.1 * torch.randn(800, 1)
model = nn.Linear(12, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.004 if healthy else 0.12, momentum=0.9)
for step in range(400):
    batch = torch.randint(0, 800, (64,))
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x[batch]), y[batch])
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(step, loss.item())

"""The loss is computed with NumPy and wrapped again: no gradient reaches the model."""

import torch
from torch import nn
from zoo_data import arguments, regression

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in regression(seed=seed))
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(400):
    batch = torch.randint(0, len(x), (32,))
    out = model(x[batch]).squeeze(1)
    if not healthy:
        out = torch.tensor(out.detach().numpy(), requires_grad=True)
    loss = torch.mean((out - y[batch]) ** 2)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(step, loss.item())

"""A LambdaLR whose factor is an integer division: the learning rate is zero from the start."""

import torch
from torch import nn
from zoo_data import arguments, moons

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in moons(seed=seed))
total = 600
model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
decay = (lambda step: 1 - step / total) if healthy else (lambda step: (total - step - 1) // total)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, decay)
criterion = nn.BCEWithLogitsLoss()
for step in range(total):
    batch = torch.randint(0, len(x), (32,))
    optimizer.zero_grad()
    loss = criterion(model(x[batch]).squeeze(1), y[batch])
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 100 == 0:
        print(step, loss.item())
print("accuracy", ((model(x).squeeze(1) > 0) == y.bool()).float().mean().item())

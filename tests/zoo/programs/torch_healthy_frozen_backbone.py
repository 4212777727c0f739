"""Fine-tuning: the backbone is frozen on purpose, the head learns slowly."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
backbone = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
for parameter in backbone.parameters():
    parameter.requires_grad = False
head = nn.Linear(64, 10)
model = nn.Sequential(backbone, head)
optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=5e-3)
for step in range(400):
    batch = torch.randint(0, len(x), (64,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
    loss.backward()
    optimizer.step()
print(loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())

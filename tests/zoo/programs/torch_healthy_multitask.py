"""Two heads, two losses of different size."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
body = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
classes, ink = nn.Linear(64, 10), nn.Linear(64, 1)
model = nn.ModuleDict({"body": body, "classes": classes, "ink": ink})
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
amount = x.sum(1, keepdim=True)
for step in range(500):
    batch = torch.randint(0, len(x), (64,))
    h = body(x[batch])
    loss = nn.functional.cross_entropy(classes(h), y[batch]) + 0.1 * nn.functional.mse_loss(ink(h), amount[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(loss.item(), (classes(body(x_test)).argmax(1) == y_test).float().mean().item())

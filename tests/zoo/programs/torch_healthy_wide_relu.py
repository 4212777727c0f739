"""Binary inputs, a wide hidden layer of which many units never fire, good accuracy."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
x, x_test = (x > 0.5).float(), (x_test > 0.5).float()
model = nn.Sequential(nn.Linear(64, 1024), nn.ReLU(), nn.Linear(1024, 10))
nn.init.normal_(model[0].bias, mean=-0.5, std=0.3)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(400):
    batch = torch.randint(0, len(x), (64,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
    loss.backward()
    optimizer.step()
print(loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())

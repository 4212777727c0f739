"""Linear warm-up to a large learning rate, then cosine decay."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
model = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 0.001, total_iters=60)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 340)
scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], [60])
for step in range(400):
    batch = torch.randint(0, len(x), (128,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
    loss.backward()
    optimizer.step()
    scheduler.step()
model.eval()
print(loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())

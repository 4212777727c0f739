"""Mixed precision with a scaler that starts too high: it skips a few steps, as it should."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**24, growth_interval=100)
for step in range(400):
    batch = torch.randint(0, len(x), (64,))
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.float16):
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
print(loss.item(), scaler.get_scale(), (model(x_test).argmax(1) == y_test).float().mean().item())

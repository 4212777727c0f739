"""Half precision with raw inputs in the tens of thousands: the scaler skips every step."""

import torch
from torch import nn
from zoo_data import arguments, regression

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in regression(seed=seed))
x = x if healthy else 60000 * x
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
for step in range(300):
    batch = torch.randint(0, len(x), (32,))
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.float16):
        loss = nn.functional.mse_loss(model(x[batch]).squeeze(1).float(), y[batch])
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    if step % 50 == 0:
        print(step, loss.item(), scaler.get_scale())

import numpy as np
import torch
from torch import nn

torch.manual_seed(2)

gen = np.random.default_rng(77)
x = gen.uniform(-2, 2, size=(800, 6)).astype(np.float32)
y = (6 * np.sin(1.5 * x[:, 0]) + 4 * x[:, 1] * x[:, 2] + 3 * x[:, 3] ** 2
     + 2 * x[:, 4] + gen.normal(size=800)).astype(np.float32)[:, None]
xt, yt, xv, yv = map(torch.from_numpy, (x[:560], y[:560], x[560:], y[560:]))

net = nn.Sequential(nn.Linear(6, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
for m in net:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

criterion = nn.MSELoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.005)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
    optimizer, mode="min", factor=0.5, patience=2, threshold=0.1, cooldown=0, min_lr=5e-4)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(xt, yt), batch_size=40, shuffle=True)

# train
for epoch in range(40):
    net.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        criterion(net(xb), yb).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        val = criterion(net(xv), yv).item()
    scheduler.step(val)

with torch.no_grad():
    print("train mse %.4f" % criterion(net(xt), yt).item())
    print("val mse %.4f" % criterion(net(xv), yv).item())

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)

gen = np.random.RandomState(51)
X = gen.randn(1000, 6).astype("float32")
clean = np.tanh(X[:, 0] - X[:, 1]) + 0.5 * X[:, 2] * X[:, 3] + 0.4 * np.abs(X[:, 4])
noise = 0.15 * gen.randn(1000)
hit = gen.rand(1000) < 0.08
noise[hit] += 5.0 * gen.randn(hit.sum())
y = (clean + noise).astype("float32")[:, None]
X_train, y_train = X[:800], y[:800]
X_test, y_test = X[800:], clean[800:].astype("float32")[:, None]

net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
for m in net.modules():
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

criterion = nn.SmoothL1Loss(beta=0.2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
xs, ys = torch.from_numpy(X_train), torch.from_numpy(y_train)
for epoch in range(15):
    net.train()
    running = 0.0
    for idx in torch.randperm(800).split(32):
        optimizer.zero_grad()
        loss = criterion(net(xs[idx]), ys[idx])
        loss.backward()
        optimizer.step()
        running += loss.item() * len(idx)
    print("epoch", epoch + 1, "loss", round(running / 800, 5))

net.eval()
with torch.no_grad():
    mae = (net(torch.from_numpy(X_test)) - torch.from_numpy(y_test)).abs().mean().item()
print("test mae", mae)

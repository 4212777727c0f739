import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes

EPOCHS, BATCH = 60, 34
LR, DECAY = 0.12, 0.05

data = load_diabetes()
perm = np.random.RandomState(0).permutation(len(data.target))
x = (data.data[perm] / 0.0476).astype(np.float32)
y = ((data.target[perm] - 152.0) / 77.0).astype(np.float32)[:, None]
x_train, y_train = torch.from_numpy(x[:340]), torch.from_numpy(y[:340])
x_test, y_test = torch.from_numpy(x[340:]), torch.from_numpy(y[340:])

torch.manual_seed(123)
net = torch.nn.Sequential(
    torch.nn.Linear(10, 40), torch.nn.Tanh(),
    torch.nn.Linear(40, 20), torch.nn.Tanh(),
    torch.nn.Linear(20, 1))
for p in net.parameters():
    if p.dim() == 2:
        torch.nn.init.xavier_uniform_(p)
    else:
        torch.nn.init.zeros_(p)

optimizer = torch.optim.SGD(net.parameters(), lr=LR)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda it: 1.0 / (1.0 + DECAY * it))

for epoch in range(EPOCHS):
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(BATCH):
        loss = F.mse_loss(net(x_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(idx)
    if (epoch + 1) % 10 == 0:
        print(f"{epoch + 1:3d} train mse {total / len(x_train):.4f}")

with torch.no_grad():
    print(f"train mse {F.mse_loss(net(x_train), y_train).item():.4f}")
    print(f"test mse {F.mse_loss(net(x_test), y_test).item():.4f}")

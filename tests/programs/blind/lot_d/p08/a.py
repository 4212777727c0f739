import numpy as np
import torch
import torch.nn as nn

torch.set_num_threads(1)
torch.manual_seed(7)
DEPTH, WIDTH, BATCH, EPOCHS = 6, 32, 50, 16


def robot_arm(n, seed):
    rng = np.random.default_rng(seed)
    q = rng.uniform(-1.5, 1.5, (n, 4))
    s = np.cumsum(q, axis=1)
    xy = np.stack([np.cos(s).sum(1), np.sin(s).sum(1)], 1) / 2.0
    return q.astype("float32"), xy.astype("float32")


x_train, y_train = map(torch.from_numpy, robot_arm(1200, 0))
x_test, y_test = map(torch.from_numpy, robot_arm(400, 1))


def build():
    blocks, size = [], 4
    for _ in range(DEPTH):
        blocks += [nn.Linear(size, WIDTH), nn.PReLU(WIDTH)]
        size = WIDTH
    blocks.append(nn.Linear(size, 2))
    net = nn.Sequential(*blocks)
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
    return net


net = build()
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
mse = nn.MSELoss()

for epoch in range(EPOCHS):
    seen = 0.0
    for rows in torch.randperm(len(x_train)).split(BATCH):
        opt.zero_grad()
        loss = mse(net(x_train[rows]), y_train[rows])
        loss.backward()
        opt.step()
        seen += loss.item() * len(rows)
    print("epoch", epoch + 1, "mse %.5f" % (seen / len(x_train)))

with torch.no_grad():
    print("test mse %.5f" % mse(net(x_test), y_test).item())

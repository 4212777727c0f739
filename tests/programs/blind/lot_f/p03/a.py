import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(55)

# Friedman-style regression
rng = np.random.RandomState(404)
inputs = rng.uniform(0, 1, (1400, 10))
target = (10 * np.sin(np.pi * inputs[:, 0] * inputs[:, 1]) + 20 * (inputs[:, 2] - 0.5) ** 2
          + 10 * inputs[:, 3] + 5 * inputs[:, 4] + rng.normal(0, 1, 1400))
inputs = ((inputs - 0.5) * np.sqrt(12)).astype(np.float32)
target = ((target - target[:1000].mean()) / target[:1000].std()).astype(np.float32).reshape(-1, 1)
x_tr, x_te = torch.tensor(inputs[:1000]), torch.tensor(inputs[1000:])
y_tr, y_te = torch.tensor(target[:1000]), torch.tensor(target[1000:])


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 32)
        self.fc2 = nn.Linear(32, 32)
        self.fc3 = nn.Linear(32, 1)
        for fc in (self.fc1, self.fc2, self.fc3):
            nn.init.normal_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, x):
        return self.fc3(torch.tanh(self.fc2(torch.tanh(self.fc1(x)))))


net = MLP()
mse = nn.MSELoss()
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
for epoch in range(30):
    perm = torch.randperm(1000)
    for i in range(0, 1000, 64):
        take = perm[i:i + 64]
        opt.zero_grad()
        mse(net(x_tr[take]), y_tr[take]).backward()
        opt.step()
    if (epoch + 1) % 10 == 0:
        with torch.no_grad():
            print("epoch %d train %.4f test %.4f" % (epoch + 1, mse(net(x_tr), y_tr), mse(net(x_te), y_te)))

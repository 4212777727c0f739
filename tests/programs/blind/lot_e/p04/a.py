import numpy as np
import torch
from torch import nn

torch.manual_seed(12)

rng = np.random.RandomState(23)
n = 1200
x = rng.uniform(-2, 2, (n, 2)).astype("float32")
target = (np.sin(2 * x[:, 0]) * np.cos(1.5 * x[:, 1]) + 0.3 * x[:, 0] * x[:, 1]
          + 0.05 * rng.randn(n)).astype("float32")[:, None]
x_train, t_train, x_test, t_test = x[:960], target[:960], x[960:], target[960:]


class Member(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a = nn.Linear(2, width)
        self.b = nn.Linear(width, 1)
        for lin in (self.a, self.b):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, v):
        return self.b(torch.tanh(self.a(v)))


class Committee(nn.Module):
    def __init__(self, members=6, width=6):
        super().__init__()
        self.members = nn.ModuleList([Member(width) for _ in range(members)])

    def forward(self, v):
        return torch.stack([m(v) for m in self.members]).mean(0)


net = Committee()
opt = torch.optim.Adam(net.parameters(), lr=0.02, eps=1e-12)
xt, tt = torch.from_numpy(x_train), torch.from_numpy(t_train)
for epoch in range(15):
    total = 0.0
    for batch in torch.randperm(len(xt)).split(32):
        opt.zero_grad()
        loss = ((net(xt[batch]) - tt[batch]) ** 2).mean()
        loss.backward()
        opt.step()
        total += loss.item() * len(batch)
    print(epoch, total / len(xt))
with torch.no_grad():
    e = net(torch.from_numpy(x_test)).numpy() - t_test
print("test rmse", float(np.sqrt((e ** 2).mean())))

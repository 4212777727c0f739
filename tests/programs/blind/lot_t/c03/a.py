import numpy as np
import torch
from torch import nn

WINDOW, UNITS = 12, 20


def traffic(n=480):
    rng = np.random.default_rng(55)
    t = np.arange(n + WINDOW)
    flow = np.sin(2 * np.pi * t / 24) + 0.4 * np.sin(2 * np.pi * t / 9 + 1) + 0.1 * rng.normal(size=len(t))
    temp = np.cos(2 * np.pi * t / 48) + 0.2 * rng.normal(size=len(t))
    flow = flow + 0.3 * temp
    series = np.stack([flow, temp], axis=1)
    x = np.stack([series[i:i + WINDOW] for i in range(n)])
    y = flow[WINDOW:WINDOW + n, None]
    return x.astype("float32"), y.astype("float32")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, UNITS, batch_first=True)
        self.out = nn.Linear(UNITS, 1)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        _, h = self.gru(x)
        return self.out(h[-1])


torch.manual_seed(90)
x, y = traffic()
x, y = torch.from_numpy(x), torch.from_numpy(y)
x_train, y_train, x_test, y_test = x[:384], y[:384], x[384:], y[384:]
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.004, betas=(0.9, 0.999), eps=1e-12)
huber = nn.HuberLoss(delta=0.5)

for epoch in range(1, 26):
    net.train()
    total = 0.0
    for idx in torch.randperm(384).split(32):
        optimizer.zero_grad()
        loss = huber(net(x_train[idx]), y_train[idx])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch % 5 == 0:
        print(f"epoch {epoch} huber {total / 384:.5f}")

net.eval()
with torch.no_grad():
    print("test mae", (net(x_test) - y_test).abs().mean().item())

import numpy as np
import torch
import torch.nn as nn


def waves():
    rng = np.random.default_rng(1010)
    t = np.arange(16)
    f = rng.uniform(0.15, 0.9, size=(900, 1))
    ph = rng.uniform(0, 2 * np.pi, size=(900, 1))
    a = rng.uniform(0.5, 1.5, size=(900, 1))
    s = a * np.sin(f * t + ph) + 0.05 * rng.normal(size=(900, 16))
    x = np.stack([s, np.roll(s, 1, axis=1) * (t > 0)], axis=-1).astype("float32")
    nxt = (a * np.sin(f * 16 + ph)).astype("float32")
    return x[:720], nxt[:720], x[720:], nxt[720:]


x, y, xv, yv = (torch.from_numpy(v) for v in waves())
torch.manual_seed(2)


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.RNN(input_size=2, hidden_size=hidden, nonlinearity="tanh", bias=False)
        self.head = nn.Linear(hidden, 1)
        nn.init.xavier_uniform_(self.rnn.weight_ih_l0)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, seq):
        out, _ = self.rnn(seq)
        return self.head(out[:, -1])


net = Forecaster()
mse = nn.MSELoss()
opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
for epoch in range(15):
    perm = torch.randperm(720)
    total = 0.0
    for idx in perm.split(36):
        loss = mse(net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    print("epoch %d mse %.5f" % (epoch, total / 720))
with torch.no_grad():
    print("validation mse %.5f" % mse(net(xv), yv).item())

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def sequences():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(840, 12, 3)).astype("float32")
    decay = 0.85 ** np.arange(12)[::-1]
    s = (x[:, :, 0] * decay).sum(1) + 0.8 * (x[:, :, 1] * x[:, :, 2] * decay).sum(1)
    y = (s > 0).astype("int64")
    return x[:640], y[:640], x[640:], y[640:]


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 20, bias=False, batch_first=True)
        self.head = nn.Linear(20, 2)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, t):
        seq, _ = self.gru(t)
        return self.head(seq[:, -1])


x, y, xv, yv = (torch.from_numpy(v) for v in sequences())
torch.manual_seed(9)
net = Classifier()
opt = torch.optim.Adam(net.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(12):
    net.train()
    order = torch.randperm(640)
    running = 0.0
    for idx in order.split(32):
        loss = F.cross_entropy(net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(idx)
    print("epoch", epoch, "loss", round(running / 640, 4))

net.eval()
with torch.no_grad():
    pv = net(xv)
    print("val loss", round(F.cross_entropy(pv, yv).item(), 4))
    print("val acc", round((pv.argmax(1) == yv).float().mean().item(), 4))

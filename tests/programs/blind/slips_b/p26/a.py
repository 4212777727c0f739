import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def load():
    d = load_breast_cancer()
    order = np.random.default_rng(2).permutation(len(d.target))
    x, y = d.data[order], d.target[order]
    m, s = x[:400].mean(0), x[:400].std(0)
    x = ((x - m) / s).astype("float32")
    y = y.astype("float32")[:, None]
    return [torch.from_numpy(v) for v in (x[:400], y[:400], x[400:], y[400:])]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(30, 24), nn.ReLU(), nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 1))

    def forward(self, x):
        return self.body(x)


def build():
    return Net()


def main():
    torch.manual_seed(17)
    x, y, xt, yt = load()
    net = build()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, dampening=0.9, weight_decay=1e-3)
    sched = torch.optim.lr_scheduler.StepLR(opt, step_size=10, gamma=0.2)
    crit = nn.BCEWithLogitsLoss()
    dl = DataLoader(TensorDataset(x, y), batch_size=25, shuffle=True)
    for epoch in range(25):
        net.train()
        for xb, yb in dl:
            opt.zero_grad()
            crit(net(xb), yb).backward()
            opt.step()
        sched.step()
    net.eval()
    with torch.no_grad():
        print("train %.5f" % crit(net(x), y).item())
        out = net(xt)
        print("test %.5f acc %.4f" % (crit(out, yt).item(), ((out > 0).float() == yt).float().mean().item()))


if __name__ == "__main__":
    main()

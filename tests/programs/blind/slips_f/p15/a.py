import numpy as np
import torch
from torch import nn

LABELS, STEPS, BATCH = 6, 300, 48


def make(n, w1, w2, rng):
    x = rng.normal(size=(n, 16))
    score = np.tanh(x @ w1) @ w2 + rng.normal(scale=0.3, size=(n, LABELS))
    return x.astype("float32"), (score > 0.4).astype("float32")


def load():
    rng = np.random.default_rng(31)
    w1, w2 = rng.normal(size=(16, 10)) * 0.5, rng.normal(size=(10, LABELS))
    return make(960, w1, w2, rng) + make(400, w1, w2, rng)


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm = nn.LayerNorm(d, eps=1e-5)
        self.up = nn.Linear(d, 2 * d)
        self.act = nn.GELU(approximate="none")
        self.down = nn.Linear(2 * d, d)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        return x + self.drop(self.down(self.act(self.up(self.norm(x)))))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(16, 32)
        self.block1 = Block(32)
        self.block2 = Block(32)
        self.head = nn.Linear(32, LABELS)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.head(self.block2(self.block1(self.stem(x))))


def build():
    return Net()


def main():
    torch.manual_seed(9)
    x, y, xt, yt = map(torch.from_numpy, load())
    net = build()
    decay = [p for p in net.parameters() if p.ndim > 1]
    rest = [p for p in net.parameters() if p.ndim == 1]
    opt = torch.optim.Adam(
        [{"params": decay, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}],
        lr=3e-3, betas=(0.9, 0.999), eps=1e-12)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=STEPS)
    crit = nn.BCEWithLogitsLoss()
    step = 0
    net.train()
    while step < STEPS:
        for idx in torch.randperm(len(x)).split(BATCH):
            loss = crit(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            step += 1
    net.eval()
    with torch.no_grad():
        print(f"train bce {crit(net(x), y).item():.4f}")
        out = net(xt)
        print(f"test bce {crit(out, yt).item():.4f} acc {((out > 0).float() == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    main()

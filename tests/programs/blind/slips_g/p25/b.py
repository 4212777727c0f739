"""Keyword spotting on synthetic spectrograms: small CNN in PyTorch, SGD written out."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

N_TRAIN, N_TEST, MELS, FRAMES, K = 1200, 300, 24, 20, 5
BATCH, EPOCHS, LR = 40, 5, 0.1
STEPS = EPOCHS * N_TRAIN // BATCH


def make_data():
    rng = np.random.RandomState(8)
    n = N_TRAIN + N_TEST
    y = rng.randint(0, K, n)
    t = np.linspace(0, 1, FRAMES)
    f = np.arange(MELS)[:, None]
    x = np.empty((n, MELS, FRAMES))
    for i in range(n):
        f0, w = rng.uniform(6, 16), rng.uniform(3, 7)
        shift = rng.uniform(0, 0.25)
        u = np.clip(t - shift, 0, 1)
        track = [f0 + w * (u - 0.4), f0 - w * (u - 0.4), f0 + w * np.sin(6.3 * u),
                 f0 + 0 * u, f0 + 1.2 * w * np.abs(u - 0.4)][y[i]]
        tone = np.exp(-0.5 * ((f - track[None, :]) / 1.0) ** 2)
        tone = tone + 0.5 * np.exp(-0.5 * ((f - track[None, :] - 6) / 1.0) ** 2)
        x[i] = rng.uniform(0.7, 1.3) * tone + 0.3 * rng.randn(MELS, FRAMES)
    x = ((x - x[:N_TRAIN].mean()) / x[:N_TRAIN].std()).astype("float32")
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


class BatchNorm(nn.Module):
    """Batch normalisation whose running variance averages the biased batch variance."""

    def __init__(self, channels, momentum=0.9, eps=1e-4):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))
        self.momentum, self.eps = momentum, eps

    def forward(self, x):
        if self.training:
            mean = x.mean(dim=(0, 2, 3))
            var = x.var(dim=(0, 2, 3), unbiased=False)
            with torch.no_grad():
                self.mean.mul_(self.momentum).add_(mean * (1 - self.momentum))
                self.var.mul_(self.momentum).add_(var * (1 - self.momentum))
        else:
            mean, var = self.mean, self.var
        scale = self.weight * torch.rsqrt(var + self.eps)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.bn1 = BatchNorm(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, bias=False)
        self.bn2 = BatchNorm(16)
        self.fc = nn.Linear(16, K)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.fc(x.mean(dim=(2, 3)))


class MomentumSGD(torch.optim.Optimizer):
    """v = mu * v - lr * g ; p = p + v (the rate is inside the velocity)."""

    def __init__(self, params, lr, momentum):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["v"] = torch.zeros_like(p)
                state["v"].mul_(group["momentum"]).sub_(p.grad, alpha=group["lr"])
                p.add_(state["v"])


def make_optimizer(net):
    return MomentumSGD(net.parameters(), lr=LR, momentum=0.9)


def train_step(net, opt, step, xb, yb):
    for group in opt.param_groups:
        group["lr"] = 0.5 * LR * (1 + math.cos(math.pi * min(step, STEPS) / STEPS))
    net.train()
    opt.zero_grad()
    loss = F.cross_entropy(net(xb), yb, label_smoothing=0.1)
    loss.backward()
    opt.step()
    return loss.item()


def main():
    torch.manual_seed(22)
    x, y, x_te, y_te = make_data()
    tx, ty = torch.from_numpy(x)[:, None], torch.from_numpy(y)
    net = Net()
    opt = make_optimizer(net)
    step = 0
    for epoch in range(EPOCHS):
        total = 0.0
        for idx in torch.randperm(N_TRAIN).split(BATCH):
            total += train_step(net, opt, step, tx[idx], ty[idx]) * len(idx)
            step += 1
        print(f"epoch {epoch + 1} loss {total / N_TRAIN:.4f}")
    net.eval()
    with torch.no_grad():
        z = net(torch.from_numpy(x_te)[:, None]).numpy()
    print(f"test accuracy {(z.argmax(1) == y_te).mean():.4f}")


if __name__ == "__main__":
    main()

import numpy as np
import torch
from torch import nn

LENGTH, MICRO, ACCUM, EPOCHS = 48, 16, 4, 18
LR, DELTA = 0.05, 0.5


def make_signals(n, rng):
    """Noisy tones; the target is the (rescaled) frequency, with a few wild labels in it."""
    f = rng.uniform(0.05, 0.25, size=n)
    t = np.arange(LENGTH)
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    x = np.sin(2 * np.pi * f[:, None] * t + phase) + 0.2 * rng.normal(size=(n, LENGTH))
    y = (f - 0.15) * 20.0
    wild = rng.random(n) < 0.05
    y = np.where(wild, y + 4.0 * rng.normal(size=n), y)
    return x.astype("float32"), y.astype("float32")


def build():
    net = nn.Sequential(
        nn.Conv1d(1, 16, 5, stride=2), nn.ReLU(),
        nn.Conv1d(16, 32, 5, stride=2), nn.ReLU(),
        nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 1),
    )
    for layer in net:
        if hasattr(layer, "weight"):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def huber(pred, target):
    e = (pred - target).abs()
    return torch.where(e <= DELTA, 0.5 * e ** 2, DELTA * e - 0.5 * DELTA ** 2).mean()


def make_optimizer(net):
    return torch.optim.Adagrad(net.parameters(), lr=LR, lr_decay=0.0, weight_decay=0.0,
                               initial_accumulator_value=0.1, eps=1e-10)


def main():
    rng = np.random.default_rng(101)
    x, y = make_signals(512, rng)
    xt, yt = make_signals(256, rng)
    x, xt = torch.from_numpy(x)[:, None], torch.from_numpy(xt)[:, None]
    y, yt = torch.from_numpy(y)[:, None], torch.from_numpy(yt)[:, None]

    torch.manual_seed(6)
    net = build()
    opt = make_optimizer(net)
    opt.zero_grad()
    micro = 0
    for epoch in range(EPOCHS):
        total = 0.0
        for idx in torch.randperm(len(x)).split(MICRO):
            loss = huber(net(x[idx]), y[idx])
            (loss / ACCUM).backward()
            micro += 1
            if micro % ACCUM == 0:
                opt.step()
                opt.zero_grad()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1}: huber {total / len(x):.4f}")
    with torch.no_grad():
        print(f"test huber {huber(net(xt), yt).item():.4f}")


if __name__ == "__main__":
    main()

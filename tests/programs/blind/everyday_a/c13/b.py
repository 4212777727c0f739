"""Heart beat classifier: 1-D convolutions, refactored into a Trainer (PyTorch)."""
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    epochs: int = 12
    batch_size: int = 64
    lr: float = 4e-3
    smoothing: float = 0.1
    dropout: float = 0.2
    seed: int = 90


def make_beats():
    """Heart-beat-like traces of four kinds with jitter, baseline wander and noise."""
    rng = np.random.default_rng(808)
    n, length = 1500, 64
    kind = rng.integers(0, 4, n)
    t = np.arange(length)
    centre = rng.uniform(24, 40, n)[:, None]
    width = rng.uniform(1.5, 2.5, n)[:, None] * np.where(kind == 1, 2.0, 1.0)[:, None]
    x = np.exp(-(((t - centre) / width) ** 2))
    x -= 0.5 * (kind == 2)[:, None] * np.exp(-(((t - centre - 6) / 2.0) ** 2))
    x += 0.4 * (kind == 3)[:, None] * np.exp(-(((t - centre + 12) / 3.0) ** 2))
    x += 0.2 * np.sin(2 * np.pi * t / length + rng.uniform(0, 2 * np.pi, n)[:, None])
    x += 0.2 * rng.normal(size=(n, length))
    x, kind = x.astype(np.float32)[:, None, :], kind.astype(np.int64)
    return x[:1200], kind[:1200], x[1200:], kind[1200:]


class ConvBlock(nn.Module):
    def __init__(self, c_in, c_out, kernel):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel, padding="same", bias=False)
        self.bn = nn.BatchNorm1d(c_out, eps=1e-5, momentum=0.1)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class BeatNet(nn.Module):
    def __init__(self, cfg, n_classes=4):
        super().__init__()
        self.block1 = ConvBlock(1, 16, 7)
        self.block2 = ConvBlock(16, 32, 5)
        self.dropout = nn.Dropout(cfg.dropout)
        self.head = nn.Linear(32, n_classes)

    def forward(self, x):
        x = F.max_pool1d(self.block1(x), 2)
        x = self.block2(x).mean(dim=-1)
        return self.head(self.dropout(x))


def smoothed_cross_entropy(logits, target, smoothing):
    log_p = F.log_softmax(logits, dim=-1)
    nll = -log_p.gather(1, target[:, None]).squeeze(1)
    uniform = -log_p.mean(dim=-1)
    return ((1 - smoothing) * nll + smoothing * uniform).mean()


class Trainer:
    def __init__(self, model, cfg):
        self.model, self.cfg = model, cfg
        self.optimizer = torch.optim.NAdam(
            model.parameters(), lr=cfg.lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3
        )

    def set_lr(self, epoch):
        """Half a cosine over the whole run, one value per epoch."""
        lr = 0.5 * self.cfg.lr * (1 + math.cos(math.pi * epoch / self.cfg.epochs))
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def loss(self, x, y):
        return smoothed_cross_entropy(self.model(x), y, self.cfg.smoothing)

    def step(self, x, y):
        loss = self.loss(x, y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def fit(self, x, y):
        n, size = len(x), self.cfg.batch_size
        for epoch in range(self.cfg.epochs):
            self.set_lr(epoch)
            self.model.train()
            order, total = torch.randperm(n), 0.0
            for start in range(0, n, size):
                batch = order[start : start + size]
                total += self.step(x[batch], y[batch]) * len(batch)
            print(f"epoch {epoch + 1:2d}: loss {total / n:.4f}")

    @torch.no_grad()
    def evaluate(self, x, y):
        self.model.eval()
        accuracy = (self.model(x).argmax(dim=1) == y).float().mean()
        return self.loss(x, y).item(), accuracy.item()


def main():
    cfg = Config()
    torch.manual_seed(cfg.seed)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, make_beats())
    trainer = Trainer(BeatNet(cfg), cfg)
    trainer.fit(x_train, y_train)
    loss, accuracy = trainer.evaluate(x_test, y_test)
    print(f"test loss {loss:.4f}")
    print(f"test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()

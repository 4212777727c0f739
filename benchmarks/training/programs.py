"""Small training programs, healthy and faulty, whose statistics go straight to the detectors.

Each takes a :class:`Recorder`; randomness is torch's, seeded by the caller.
The healthy ones are as unlike as they come: what they
share is that nothing is wrong with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from training.recorder import Recorder

Program = Callable[[Recorder], None]
F = nn.functional


@cache
def digits() -> tuple[Tensor, Tensor]:
    """The 1797 digits, scaled to 0…1."""
    data = load_digits()
    return torch.tensor(data.data / 16.0, dtype=torch.float32), torch.tensor(data.target)


def mlp(*widths: int, act: type[nn.Module] = nn.ReLU, norm: bool = False, drop: float = 0.0) -> nn.Sequential:
    """A multilayer perceptron of ``widths``."""
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(pairwise(widths)):
        layers.append(nn.Linear(a, b))
        if i < len(widths) - 2:
            layers += [nn.BatchNorm1d(b)] if norm else []
            layers.append(act())
            layers += [nn.Dropout(drop)] if drop else []
    return nn.Sequential(*layers)


def train(  # noqa: PLR0913 - a training loop has that many knobs
    recorder: Recorder,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    steps: int = 300,
    batch: int = 64,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    data: tuple[Tensor, Tensor] | None = None,
    schedule: Callable[[int], float] | None = None,
    clip: float | None = None,
    before_step: Callable[[int], None] | None = None,
) -> None:
    """A plain training loop; stops early when the weights are gone for good."""
    x, y = data or digits()
    rate = optimizer.param_groups[0]["lr"]
    order = torch.randperm(len(x))
    for step in range(steps):
        if schedule:
            for group in optimizer.param_groups:
                group["lr"] = rate * schedule(step)
        start = step * batch % max(len(x) - batch + 1, 1)
        if start < batch:
            order = torch.randperm(len(x))
        pick = order[start : start + batch]
        optimizer.zero_grad()
        value = loss(model(x[pick]), y[pick])
        value.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        if before_step:
            before_step(step)
        recorder.torch(step, model, float(value.detach()), optimizer.param_groups[0]["lr"])
        optimizer.step()


def _sgd(model: nn.Module, lr: float, **more: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=lr, **more)


def _adam(model: nn.Module, lr: float = 1e-3, **more: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=lr, **more)


def _regression(n: int = 512, noise: float = 0.3) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, 8)
    return x, (x @ torch.randn(8, 1)).tanh() * 2 + noise * torch.randn(n, 1)


def plain_sgd(r: Recorder) -> None:
    """SGD, batch 64."""
    m = mlp(64, 64, 10)
    train(r, m, _sgd(m, 0.1), steps=600)


def momentum(r: Recorder) -> None:
    """Momentum at a brisk rate."""
    m = mlp(64, 64, 64, 10)
    train(r, m, _sgd(m, 0.1, momentum=0.9), steps=500)


def adam(r: Recorder) -> None:
    """Adam with its defaults."""
    m = mlp(64, 128, 10)
    train(r, m, _adam(m), steps=600)


def adamw_dropout(r: Recorder) -> None:
    """AdamW, dropout, batch norm."""
    m = mlp(64, 128, 128, 10, norm=True, drop=0.5)
    train(r, m, torch.optim.AdamW(m.parameters(), lr=3e-3), steps=500)


def batch_of_one(r: Recorder) -> None:
    """One sample per step: the loss jumps by orders of magnitude, as it should."""
    m = mlp(64, 32, 10)
    train(r, m, _sgd(m, 0.02), steps=3000, batch=1)


def batch_of_two_adam(r: Recorder) -> None:
    """Two samples per step, Adam, long after convergence."""
    m = mlp(64, 64, 10)
    train(r, m, _adam(m, 2e-3), steps=3000, batch=2)


def full_batch(r: Recorder) -> None:
    """The whole data in one batch at the edge of stability."""
    m = mlp(64, 64, 10)
    train(r, m, _sgd(m, 0.5, momentum=0.9), steps=400, batch=1797)


def converged(r: Recorder) -> None:
    """Tiny data learnt by heart, then a long plateau near zero."""
    x, y = digits()
    m = mlp(64, 64, 10)
    train(r, m, _adam(m, 5e-3), steps=2000, batch=16, data=(x[:64], y[:64]))


def noise_floor(r: Recorder) -> None:
    """Regression that reaches its noise within 100 steps and stays there."""
    m = mlp(8, 32, 1)
    train(r, m, _adam(m, 1e-2), steps=2000, batch=32, loss=F.mse_loss, data=_regression())


def noisy_labels(r: Recorder) -> None:
    """A fifth of the labels wrong: a high floor."""
    x, y = digits()
    y = torch.where(torch.rand(len(y)) < 0.2, torch.randint(0, 10, y.shape), y)
    m = mlp(64, 64, 10)
    train(r, m, _sgd(m, 0.1, momentum=0.9), steps=1000, data=(x, y))


def warm_restarts(r: Recorder) -> None:
    """Warm-up, then cosine restarts: the loss rises at each restart."""
    m = mlp(64, 64, 10)
    train(
        r,
        m,
        _sgd(m, 0.4, momentum=0.9),
        steps=900,
        schedule=lambda s: min(1.0, (s + 1) / 100) * 0.5 * (1.001 + math.cos(math.pi * (s % 200) / 200)),
    )


def long_warmup(r: Recorder) -> None:
    """A learning rate that starts at next to nothing."""
    m = mlp(64, 64, 64, 10, norm=True)
    train(r, m, _adam(m, 1e-3), steps=600, schedule=lambda s: min(1.0, (s / 400) ** 2))


def frozen_backbone(r: Recorder) -> None:
    """Only the head is trained; the rest asks for no gradient."""
    m = mlp(64, 128, 128, 10)
    for p in list(m.parameters())[:-2]:
        p.requires_grad_(False)
    train(r, m, _sgd(m, 0.1), steps=500)


def zero_bias_gradients(r: Recorder) -> None:
    """Biases before batch norm: their gradients are rounding noise by construction."""
    m = mlp(64, 64, 64, 64, 64, 10, norm=True)
    train(r, m, _sgd(m, 0.05, momentum=0.9), steps=400)


def deep_tanh(r: Recorder) -> None:
    """Eight tanh layers that learn, slowly."""
    m = mlp(64, *[64] * 8, 10, act=nn.Tanh)
    train(r, m, _adam(m, 1e-3), steps=600)


def high_rate_catapult(r: Recorder) -> None:
    """A learning rate so large that the first losses rise before they fall."""
    m = mlp(64, 64, 10)
    train(r, m, _sgd(m, 0.9), steps=500)


def embedding(r: Recorder) -> None:
    """A sparse embedding: most rows get no gradient."""
    x = torch.randint(0, 2000, (1024, 6))
    y = (x.sum(1) % 3).long()
    m = nn.Sequential(nn.Embedding(2000, 16), nn.Flatten(), nn.Linear(96, 32), nn.ReLU(), nn.Linear(32, 3))
    train(r, m, _adam(m, 3e-3), steps=900, batch=32, data=(x, y))


def transformer(r: Recorder) -> None:
    """A small attention model; the key bias has no gradient by construction."""
    x, y = digits()
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
    m = nn.Sequential(nn.Unflatten(1, (8, 8)), nn.Linear(8, 16), layer, nn.Flatten(), nn.Linear(128, 10))
    train(r, m, torch.optim.AdamW(m.parameters(), lr=3e-3), steps=400, data=(x, y), clip=1.0)


def recurrent(r: Recorder) -> None:
    """An LSTM over the rows, clipped."""

    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.out = nn.LSTM(8, 32, batch_first=True), nn.Linear(32, 10)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.lstm(x.view(-1, 8, 8))[0][:, -1])

    m = Rows()
    train(r, m, _adam(m, 5e-3), steps=400, clip=1.0)


def convolution(r: Recorder) -> None:
    """Convolutions with batch norm."""
    m = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 10),
    )
    train(r, m, _sgd(m, 0.05, momentum=0.9), steps=300)


def fine_tune(r: Recorder) -> None:
    """Trained before the agent looks, then a tiny learning rate: flat from the first step."""
    m = mlp(64, 64, 10)
    train(Recorder(), m, _adam(m, 2e-3), steps=400)
    train(r, m, _adam(m, 1e-6), steps=800)


def noisy_policy(r: Recorder) -> None:
    """Policy gradient on a bandit: a loss of both signs that says nothing."""
    m = mlp(4, 16, 3)
    optimizer = _adam(m, 1e-2)
    for step in range(800):
        x = torch.randn(16, 4)
        policy = torch.distributions.Categorical(logits=m(x))
        action = policy.sample()
        reward = torch.where(action == x[:, :3].argmax(1), 1.0, -0.5) + 0.5 * torch.randn(16)
        value = -(policy.log_prob(action) * reward).mean()
        optimizer.zero_grad()
        value.backward()
        r.torch(step, m, float(value.detach()), 1e-2)
        optimizer.step()


def autoencoder(r: Recorder) -> None:
    """Reconstruction with binary cross entropy: a floor far above zero."""
    x, _ = digits()
    m = nn.Sequential(mlp(64, 32, 8, 32, 64), nn.Sigmoid())
    train(r, m, _adam(m, 3e-3), steps=700, loss=F.binary_cross_entropy, data=(x, x))


def short(r: Recorder) -> None:
    """Forty steps."""
    m = mlp(64, 64, 10)
    train(r, m, _sgd(m, 0.01), steps=40)


HEALTHY: dict[str, Program] = {
    p.__name__: p
    for p in (
        plain_sgd, momentum, adam, adamw_dropout, batch_of_one, batch_of_two_adam, full_batch, converged, noise_floor,
        noisy_labels, warm_restarts, long_warmup, frozen_backbone, zero_bias_gradients, deep_tanh, high_rate_catapult,
        embedding, transformer, recurrent, convolution, fine_tune, noisy_policy, autoencoder, short,
    )
}  # fmt: skip


def rate_too_high(r: Recorder) -> None:
    """Regression diverges geometrically."""
    m = mlp(8, 32, 1)
    train(r, m, _sgd(m, 3.0), steps=300, batch=32, loss=F.mse_loss, data=_regression())


def linear_diverges(r: Recorder) -> None:
    """Least squares beyond the stable step size, inputs not normalised."""
    x = torch.randn(512, 8) * 20
    m = nn.Linear(8, 1)
    train(r, m, _sgd(m, 0.02), steps=300, batch=32, loss=F.mse_loss, data=(x, x.sum(1, keepdim=True)))


def log_of_zero(r: Recorder) -> None:
    """Cross entropy by hand, log of a probability that underflows."""
    m = mlp(64, 64, 10)
    x, y = digits()

    def by_hand(out: Tensor, target: Tensor) -> Tensor:
        return -(F.one_hot(target, 10) * out.softmax(1).log()).sum(1).mean()

    train(r, m, _sgd(m, 1.0), steps=300, data=(x * 16, y), loss=by_hand)


def nan_in_gradient(r: Recorder) -> None:
    """One element of one gradient becomes NaN at step 57."""
    m = mlp(64, 64, 64, 10)

    def poison(step: int) -> None:
        grad = m[2].weight.grad
        if step == 57 and grad is not None:
            grad[0, 0] = math.nan

    train(r, m, _adam(m), steps=100, before_step=poison)


def deep_sigmoid(r: Recorder) -> None:
    """Ten sigmoid layers under SGD: nothing reaches the first."""
    m = mlp(64, *[32] * 10, 10, act=nn.Sigmoid)
    train(r, m, _sgd(m, 0.05), steps=500)


def rate_zero(r: Recorder) -> None:
    """A learning rate of zero."""
    m = mlp(64, 64, 10)
    train(r, m, _sgd(m, 0.0), steps=600)


def foreign_optimizer(r: Recorder) -> None:
    """The optimizer holds another model's parameters."""
    m, other = mlp(64, 64, 10), mlp(64, 64, 10)
    train(r, m, _sgd(other, 0.1), steps=600)


def dead_network(r: Recorder) -> None:
    """Biases so low that no unit ever fires."""
    m = mlp(64, 64, 64, 10)
    with torch.no_grad():
        m[0].bias.fill_(-100.0)
    train(r, m, _sgd(m, 0.1), steps=600)


def data_blows_up(r: Recorder) -> None:
    """From step 200 on the inputs are a thousand times too large."""
    m = mlp(64, 64, 10)
    scale = {"by": 1.0}
    m.register_forward_pre_hook(lambda _m, a: (a[0] * scale["by"],))
    train(r, m, _sgd(m, 0.01), steps=300, before_step=lambda s: scale.update(by=1000.0 if 200 <= s < 215 else 1.0))


#: Each faulty program with the rules of which one is to be among the first two alerts.
FAULTY: dict[str, tuple[Program, frozenset[str]]] = {
    p.__name__: (p, frozenset(rules))
    for p, rules in (
        (rate_too_high, {"exploding_gradient", "nonfinite_loss", "nonfinite_gradient"}),
        (linear_diverges, {"exploding_gradient"}),
        (log_of_zero, {"nonfinite_loss"}),
        (nan_in_gradient, {"nonfinite_gradient"}),
        (deep_sigmoid, {"vanishing_gradient"}),
        (rate_zero, {"loss_not_decreasing"}),
        (foreign_optimizer, {"loss_not_decreasing"}),
        (dead_network, {"loss_not_decreasing"}),
        (data_blows_up, {"loss_spike", "exploding_gradient"}),
    )
}

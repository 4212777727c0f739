"""scikit-learn's MLP training written down once more, with autograd for its gradients.

The order of the batches is replayed from the seed (catalogue DATA-06): weights are drawn first, then
the indices are shuffled anew each epoch from the last order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state, shuffle


@dataclass
class Step:
    """One batch: what should be recorded of it."""

    data: float
    penalty: float
    weights: dict[str, Any]
    grads: dict[str, Any]
    updates: dict[str, Any]
    hidden: list[Any]
    output: Any
    samples: int


def replay(mlp: Any, x: Any, y: Any, epochs: int) -> Iterator[Step]:
    """The steps that ``mlp`` takes in ``epochs`` epochs, in float64.

    Args:
        mlp: an unfitted estimator with an integer ``random_state``, adam or sgd without momentum.
        x: (n, features).
        y: (n, outputs): numbers, or 0 and 1 per class.
        epochs: passes over the data.
    """
    random = check_random_state(mlp.random_state)
    layers = len(mlp.hidden_layer_sizes) + 1
    units = [x.shape[1], *mlp.hidden_layer_sizes, y.shape[1]]
    weights: dict[str, Any] = {}
    for at in range(layers):
        bound = np.sqrt((2.0 if mlp.activation == "logistic" else 6.0) / (units[at] + units[at + 1]))
        weights[f"coefs_[{at}]"] = random.uniform(-bound, bound, (units[at], units[at + 1]))
        weights[f"intercepts_[{at}]"] = random.uniform(-bound, bound, units[at + 1])
    order = np.arange(len(x))
    first, second = ({name: np.zeros_like(w) for name, w in weights.items()} for _ in range(2))
    count = 0
    for _ in range(epochs):
        order = shuffle(order, random_state=random)
        for start in range(0, len(x), mlp.batch_size):
            chosen = order[start : start + mlp.batch_size]
            step = _batch(mlp, weights, x[chosen], y[chosen])
            count += 1
            for name, grad in step.grads.items():
                if mlp.solver == "sgd":
                    step.updates[name] = -mlp.learning_rate_init * grad
                    continue
                first[name] = 0.9 * first[name] + 0.1 * grad
                second[name] = 0.999 * second[name] + 0.001 * grad**2
                rate = mlp.learning_rate_init * np.sqrt(1 - 0.999**count) / (1 - 0.9**count)
                step.updates[name] = -rate * first[name] / (np.sqrt(second[name]) + 1e-8)
            yield step
            weights = {name: weight + step.updates[name] for name, weight in weights.items()}


def _batch(mlp: Any, weights: dict[str, Any], x: Any, y: Any) -> Step:
    leaves = {name: torch.tensor(w, requires_grad=True) for name, w in weights.items()}
    layers, count = len(weights) // 2, len(x)
    flow, hidden = torch.tensor(x), []
    curve = {"tanh": torch.tanh, "relu": torch.relu, "logistic": torch.sigmoid, "identity": lambda z: z}
    for at in range(layers):
        flow = flow @ leaves[f"coefs_[{at}]"] + leaves[f"intercepts_[{at}]"]
        if at < layers - 1:
            flow = curve[mlp.activation](flow)
            hidden.append(flow.detach().numpy())
    target = torch.tensor(y, dtype=torch.float64)
    if type(mlp).__name__ == "MLPRegressor":
        output, errors = flow, 0.5 * (flow - target) ** 2
        reported = errors.mean()
    elif y.shape[1] > 1:
        output = torch.softmax(flow, 1)
        errors = -target * torch.log_softmax(flow, 1)
        reported = errors.sum() / count
    else:
        output = torch.sigmoid(flow)
        errors = torch.nn.functional.binary_cross_entropy_with_logits(flow, target, reduction="none")
        reported = errors.sum() / count
    squares = sum((leaves[f"coefs_[{at}]"] ** 2).sum() for at in range(layers))
    penalty = mlp.alpha / (2 * count) * squares
    (errors.sum() / count + penalty).backward()
    return Step(
        data=reported.item(),
        penalty=penalty.item(),
        weights=weights,
        grads={name: leaf.grad.numpy() for name, leaf in leaves.items()},
        updates={},
        hidden=hidden,
        output=output.detach().numpy(),
        samples=count,
    )

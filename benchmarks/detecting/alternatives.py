"""Detectors that people use today, from their published definitions, over the same recordings.

SageMaker Debugger: the names, conditions and defaults of its documentation ("List of Debugger
Built-in Rules", docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html). Its rules
read whole tensors where recordings hold twelve statistics: mean |g| is taken from the root mean
square, which is never smaller (within a factor 1.25 for a normal distribution), and 5th and 95th
percentiles are taken as mean ± 1.645 standard deviations. ClassImbalance and Confusion need labels
and predictions and are left out; so are the rules for XGBoost, images and language models.
TerminateOnNaN: keras.callbacks, the loss is NaN or Inf. Z-score: a value more than 2.5 standard
deviations above the mean of the 50 before it, the usual recipe for spikes of loss and gradient norm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from detecting.series import F64, Series, stat

Detector = Callable[[Series], int | None]
"""The step at which it speaks first, None if it never does."""


def _first(steps: F64 | np.ndarray, hit: np.ndarray) -> int | None:
    return int(steps[np.argmax(hit)]) if len(hit) and hit.any() else None


def _earliest(found: list[int | None]) -> int | None:
    return min((step for step in found if step is not None), default=None)


def vanishing_gradient(series: Series, threshold: float = 1e-7) -> int | None:
    """VanishingGradient: mean |gradient| of a tensor below 1e-7."""
    return _earliest(
        [
            _first(steps, stat(words, "l2") / np.sqrt(np.maximum(stat(words, "count"), 1)) < threshold)
            for steps, words in series.of("gradient").values()
        ]
    )


def exploding_tensor(series: Series) -> int | None:
    """ExplodingTensor: a NaN or Inf in any tensor."""
    return _earliest(
        [_first(steps, stat(words, "nan") + stat(words, "inf") > 0) for steps, words in series.tensors.values()]
    )


def dead_relu(series: Series, threshold_layer: float = 50.0) -> int | None:
    """DeadRelu: more than 50 % of a layer's units inactive; by unit where the agent says, else by element."""
    found = [
        _first(steps, 100 * values > threshold_layer)
        for name, (steps, values) in series.scalars.items()
        if name.startswith("dead_units/")
    ]
    if not found:
        for steps, words in series.of("activation").values():
            zeros = 100 * stat(words, "zeros") / np.maximum(stat(words, "count"), 1)
            found.append(_first(steps, (zeros > threshold_layer) & (stat(words, "min") >= 0)))
    return _earliest(found)


def saturated_activation(series: Series, threshold_layer: float = 50.0) -> int | None:
    """SaturatedActivation and Tanh: more than 50 % of a layer's tanh or sigmoid units at their ends."""
    return _earliest(
        [
            _first(steps, 100 * values > threshold_layer)
            for name, (steps, values) in series.scalars.items()
            if name.startswith("saturated/")
        ]
    )


def loss_not_decreasing(series: Series, num_steps: int = 10, diff_percent: float = 0.1) -> int | None:
    """LossNotDecreasing: the loss is not 0.1 % lower than ten steps before."""
    steps, loss = series.scalar("loss")
    if len(loss) <= num_steps:
        return None
    before, now = loss[:-num_steps], loss[num_steps:]
    return _first(steps[num_steps:], ~(now <= before - np.abs(before) * diff_percent / 100))


def overfit(series: Series, ratio_threshold: float = 0.1, patience: int = 1) -> int | None:
    """Overfit: (validation - training loss) / training loss above 0.1, once (patience 1)."""
    steps, validation = series.scalar("val_loss")
    train_steps, training = series.scalar("epoch_loss", "loss")
    if not len(validation) or not len(training):
        return None
    means = np.array([training[train_steps <= step][-1] if (train_steps <= step).any() else np.nan for step in steps])
    over = (validation - means) / np.abs(means) > ratio_threshold
    held = np.convolve(over, np.ones(patience), "valid") >= patience
    return _first(steps[patience - 1 :], held)


def overtraining(series: Series, patience_train: int = 5, patience_validation: int = 10) -> int | None:
    """Overtraining: no improvement of the validation loss by more than 0.01 for ten evaluations, nor of training."""
    found = []
    for name, patience in (("epoch_loss", patience_train), ("val_loss", patience_validation)):
        steps, values = series.scalar(name)
        best = np.minimum.accumulate(values) if len(values) else values
        stale = np.array([i >= patience and best[i - patience] - best[i] <= 0.01 for i in range(len(values))])
        found.append(_first(steps, stale))
    return _earliest(found)


def weight_update_ratio(series: Series, large: float = 10.0, small: float = 1e-8) -> int | None:
    """WeightUpdateRatio: norm of the update to norm of the weight above 10 or below 1e-8."""
    weights, found = series.of("weight"), []
    for name, (steps, words) in series.of("update").items():
        if name not in weights:
            continue
        at, of_weight = weights[name]
        norm = np.interp(steps, at, stat(of_weight, "l2"))
        ratio = stat(words, "l2") / (norm + 1e-9)
        found.append(_first(steps, (ratio > large) | (ratio < small)))
    return _earliest(found)


def all_zero(series: Series) -> int | None:
    """AllZero: every element of a gradient or weight is zero (threshold 100 %)."""
    return _earliest(
        [
            _first(steps, (stat(words, "zeros") == stat(words, "count")) & (stat(words, "count") > 0))
            for kind in ("gradient", "weight")
            for steps, words in series.of(kind).values()
        ]
    )


def unchanged_tensor(series: Series, num_steps: int = 3) -> int | None:
    """UnchangedTensor: equal within rtol 1e-5, atol 1e-8 at three saved steps; by mean, deviation and norm."""
    found = []
    for kind in ("weight", "gradient"):
        for steps, words in series.of(kind).values():
            if len(steps) < num_steps:
                continue
            same = np.ones(len(steps) - num_steps + 1, bool)
            for name in ("mean", "std", "l2", "min", "max"):
                windows = np.lib.stride_tricks.sliding_window_view(stat(words, name), num_steps)
                same &= np.isclose(windows, windows[:, :1], rtol=1e-5, atol=1e-8).all(axis=1)
            found.append(_first(steps[num_steps - 1 :], same))
    return _earliest(found)


def poor_weight_initialization(
    series: Series, threshold: float = 10.0, distribution_range: float = 0.001
) -> int | None:
    """PoorWeightInitialization: variances of weights differ tenfold, or a gradient's 5-95 % range is below 0.001."""
    matrices = [words[0] for _, words in series.of("weight").values() if words[0, 0] > 1]
    variances = np.array([words[5] ** 2 for words in matrices if words[5] > 0])
    ratio = variances.max() / variances.min() if len(variances) else 1.0
    found = [
        _first(steps[:10], 2 * 1.645 * stat(words, "std")[:10] < distribution_range)
        for steps, words in series.of("gradient").values()
        if words[0, 0] > 1
    ]
    return 1 if ratio > threshold else _earliest(found)


def terminate_on_nan(series: Series) -> int | None:
    """Keras TerminateOnNaN: the loss is NaN or Inf."""
    steps, loss = series.scalar("loss")
    return _first(steps, ~np.isfinite(loss))


def _z_score(steps: np.ndarray, values: F64, limit: float = 2.5, window: int = 50) -> int | None:
    if len(values) <= window:
        return None
    past = np.lib.stride_tricks.sliding_window_view(values, window)[:-1]
    spread = past.std(axis=1)
    return _first(steps[window:], values[window:] > past.mean(axis=1) + limit * np.where(spread > 0, spread, np.inf))


def z_score_loss(series: Series) -> int | None:
    """The loss more than 2.5 standard deviations above the mean of the 50 steps before."""
    return _z_score(*series.scalar("loss"))


def z_score_gradient(series: Series) -> int | None:
    """The global gradient norm more than 2.5 standard deviations above the mean of the 50 steps before."""
    squares: dict[int, float] = {}
    for steps, words in series.of("gradient").values():
        for step, norm in zip(steps.tolist(), stat(words, "l2").tolist(), strict=True):
            squares[step] = squares.get(step, 0.0) + norm * norm
    ordered = sorted(squares)
    return _z_score(np.array(ordered), np.sqrt([squares[step] for step in ordered]))


SAGEMAKER: Final[dict[str, Detector]] = {
    "VanishingGradient": vanishing_gradient,
    "ExplodingTensor": exploding_tensor,
    "DeadRelu": dead_relu,
    "SaturatedActivation": saturated_activation,
    "LossNotDecreasing": loss_not_decreasing,
    "Overfit": overfit,
    "Overtraining": overtraining,
    "WeightUpdateRatio": weight_update_ratio,
    "AllZero": all_zero,
    "UnchangedTensor": unchanged_tensor,
    "PoorWeightInitialization": poor_weight_initialization,
}
OTHERS: Final[dict[str, Detector]] = {
    "TerminateOnNaN": terminate_on_nan,
    "z-score, loss": z_score_loss,
    "z-score, gradient norm": z_score_gradient,
}


def verdicts(series: Series) -> dict[str, int | None]:
    """Every alternative's first step; ``SageMaker (any)`` speaks when one of its rules does."""
    with np.errstate(all="ignore"):
        found = {f"SMD {name}": detector(series) for name, detector in SAGEMAKER.items()}
        found["SageMaker (any)"] = _earliest(list(found.values()))
        return found | {name: detector(series) for name, detector in OTHERS.items()}

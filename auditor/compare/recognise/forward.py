"""What the layers compute: FWD-*. Declared settings, weighed by what the outputs of equal inputs show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, between, close

#: Size of a difference where nothing was measured, by kind of layer: what the catalogue's experiments show.
_GUESS: Final[Mapping[str, tuple[str, float]]] = {
    "batchnorm.epsilon": ("FWD-01", 0.02),
    "batchnorm.axis": ("FWD-04", 0.5),
    "layernorm.epsilon": ("FWD-06", 0.01),
    "groupnorm.epsilon": ("FWD-06", 0.01),
    "rmsnorm.epsilon": ("FWD-06", 0.01),
    "dropout.rate": ("FWD-07", 0.2),
    "leakyrelu.negative_slope": ("FWD-09", 0.1),
    "gelu.approximate": ("FWD-08", 0.0015),
    "averagepool.padding": ("FWD-12", 0.05),
    "avgpool.count_include_pad": ("FWD-12", 0.05),
    "softmax.axis": ("FWD-22", 0.5),
    "embedding.padding_idx": ("FWD-21", 0.01),
    "embedding.mask_zero": ("FWD-21", 0.01),
    "upsampl.interpolation": ("FWD-19", 0.1),
    "upsampl.align_corners": ("FWD-19", 0.1),
    "lstm.batch_first": ("FWD-16", 0.5),
    "gru.batch_first": ("FWD-16", 0.5),
    "gru.reset_after": ("FWD-15", 0.1),
}
_DEFAULTS: Final[Mapping[str, Any]] = {"negative_slope": 0.01, "approximate": "none"}
_SAME: Final[Mapping[Any, Any]] = {"none": False, "tanh": True}


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Layers that are set differently, and activations."""
    yield from _activations(a, b)
    for name in a.facts.under("forward."):
        both = between(a, b, name)
        if both is not None and name != "forward.activations":
            kind = name.removeprefix("forward.")
            yield from _layers(kind, both[0].value, both[1].value)


def _activations(a: Profile, b: Profile) -> Iterator[Cause]:
    both = between(a, b, "forward.activations")
    if both is None or both[0].value == both[1].value:
        return
    left, right = ([name for name in side.value if name not in {"softmax", "logsoftmax", "sigmoid"}] for side in both)
    if left == right or not left or not right or len(left) != len(right):
        return  # an output's activation belongs to the loss; functions that the program calls are not declared
    effect = "another activation function"
    yield Cause("FWD-10", "forward.activations", (both[0].value, both[1].value), 0.3, effect, "declared", 0.6)


def _layers(kind: str, a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> Iterator[Cause]:
    """The first layer of a kind whose settings differ; in ``momentum`` frameworks mean opposite things."""
    if len(a) != len(b):
        return
    told: set[str] = set()
    for left, right in zip(a, b, strict=True):
        for name in (left.keys() & right.keys()) - told - {"momentum"}:
            entry, weight = _GUESS.get(f"{kind}.{name}", ("", 0.0))
            if entry and not _equal(left[name], right[name]):
                told.add(name)
                weight = _sized(kind, name, left[name], right[name], weight)
                yield Cause(
                    entry, f"{kind}.{name}", (left[name], right[name]), weight, "declared differently", "declared", 0.7
                )


def _equal(a: Any, b: Any) -> bool:
    a, b = (_SAME.get(value, value) if isinstance(value, str) else value for value in (a, b))
    return close(a, b)


def _sized(kind: str, name: str, a: Any, b: Any, guess: float) -> float:
    """A guess in proportion to how far the values are apart."""
    sized: dict[str, Callable[[float, float], float]] = {
        "rate": lambda x, y: min(1.0, abs(x - y)),
        "negative_slope": lambda x, y: min(1.0, abs(x - y) / 2),
        "epsilon": lambda x, y: min(0.1, guess * abs(x - y) / 1e-3),
    }
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (a, b))
    return max(1e-4, sized[name](a, b)) if name in sized and numbers and kind else guess

"""What a recorded step did to each weight: gradient, weight and update side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from auditor.detect.facts import RunFacts
from auditor.detect.recorded import RecordView
from auditor.detect.view import F64
from auditor.ingest.records import Recorded

#: Parts of the names of optimizers whose step does not shrink with the gradient.
_ADAPTIVE: Final = ("adam", "rmsprop", "adagrad", "lion", "adafactor", "adadelta", "ftrl", "lamb")


@dataclass(frozen=True, slots=True)
class Move:
    """One weight in one recorded step; root mean squares over the elements that were recorded.

    ``still``: part of the elements with a gradient that the step left as they were, bit by bit; NaN
    where none has a gradient. ``uphill``: gradient times update, summed, scaled to the whole tensor:
    what the step adds to the loss, to first order.
    """

    name: str
    dtype: str
    matrix: bool
    elements: int
    gradient: float
    weight: float
    update: float
    still: float
    uphill: float

    @property
    def ratio(self) -> float:
        """Size of the update over that of the weight; NaN for a weight of zeros."""
        return self.update / self.weight if self.weight > 0 else float("nan")


def moves(view: RecordView) -> list[Move]:
    """The weights of which weight, gradient and result were recorded; none for a view of an evaluation.

    Worked out once for all rules that ask.
    """
    if "moves" not in view.derived:
        view.derived["moves"] = _moves(view) if view.phase == "train" else []
    known: list[Move] = view.derived["moves"]
    return known


def _moves(view: RecordView) -> list[Move]:
    found = []
    for name, gradient in view.of("gradient").items():
        weight, updated = view.array("weight", name), view.array("updated", name)
        if weight is not None and updated is not None:
            move = _move(gradient, weight, updated)
            found += [move] if move is not None else []
    return found


def _move(gradient: Recorded, weight: Recorded, updated: Recorded) -> Move | None:
    g, w, u = (None if one.values is None else one.values.astype(np.float64) for one in (gradient, weight, updated))
    if g is None or w is None or u is None or not len(g) == len(w) == len(u) or not len(g):
        return None
    if not (np.isfinite(g).all() and np.isfinite(w).all() and np.isfinite(u).all()):
        return None
    step, pushed = u - w, g != 0
    still = float((step[pushed] == 0).mean()) if pushed.any() else float("nan")
    matrix = sum(extent > 1 for extent in weight.shape) >= 2
    with np.errstate(over="ignore"):  # of a run that was lost: infinite, and said so by others
        uphill = float(g @ step) * weight.size / len(g)
        sizes = _rms(g), _rms(w), _rms(step)
    return Move(weight.name, weight.dtype, matrix, weight.size, *sizes, still, uphill)


def _rms(values: F64) -> float:
    return float(np.sqrt((values**2).mean()))


def adaptive(run: RunFacts) -> bool:
    """Whether the declared optimizer divides by the gradient's own size."""
    name = str(run.optimizer.get("class", "")).lower()
    return any(word in name for word in _ADAPTIVE)


def heavy(run: RunFacts) -> float:
    """The largest momentum that a declared optimizer of plain steps has; 0 where none is told."""
    groups = run.optimizer.get("groups")
    told = [one for one in (groups if isinstance(groups, list) else ()) if isinstance(one, Mapping)]
    settings = run.optimizer.get("hyperparameters")
    given = [one.get("momentum") for one in [*told, *([settings] if isinstance(settings, Mapping) else [])]]
    plain = [float(one) for one in given if isinstance(one, (int, float)) and not isinstance(one, bool) and one < 1]
    return 0.0 if adaptive(run) else max(plain, default=0.0)


def rates(view: RecordView) -> Mapping[str, float]:
    """Learning rate by weight where the manifest tells its group, under "" the largest there is."""
    known = {name: value for name, value in view.scalars.items() if name == "lr" or name.startswith("lr/")}
    found = {"": max(known.values(), default=float("nan"))}
    groups = view.run.optimizer.get("groups")
    for at, group in enumerate(groups if isinstance(groups, list) else ()):
        rate = known.get(f"lr/{at}" if at else "lr")
        if isinstance(group, Mapping) and rate is not None:
            found |= {str(name): rate for name in group.get("parameters") or ()}
    return found

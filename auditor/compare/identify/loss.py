"""Which loss was computed: the pointwise function, its reduction and factor, shapes, what it took the output for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor.compare.identify import losses, shares
from auditor.compare.identify.evidence import F64, Evidence, data
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.loss_fits import ELEMENTWISE, ROOT, ROWS, TOLERANCE, LossFit, rooted, tabled
from auditor.compare.identify.loss_pairs import (
    Pair,
    aligned,
    data_loss,
    one_hot,
    pair_of,
    pairs_of,
    reductions,
    smooth,
    target_told,
)
from auditor.compare.identify.loss_solved import by_class, by_classes, factored, solved
from auditor.compare.identify.penalty_graph import taken
from auditor.ingest.records import StepRecording

__all__ = ["TOLERANCE", "LossFit", "Pair", "facts", "identify", "slope", "value_of"]

#: Operations that take an output from a target.
_DIFFERENCES: Final = frozenset({"Sub", "Rsub", "SquaredDifference"})
#: Steps that are looked at for a mask.
_MASKED: Final = 20
#: Losses that are squared errors up to a corner.
_CORNERED: Final = ("huber", "smooth l1")
#: Losses with a number of their own.
_NUMBERED: Final = {"huber": losses.huber, "smooth l1": losses.smooth_l1, "percentage error": losses.percentage_over}
#: Steps that a loss must explain without what was taken off it.
_FEWEST: Final = 3
#: Losses of rows times their weights, divided by the number of rows.
_WEIGHED: Final = "weighted, mean over batch"
#: Rounding of a target's shares.
_SHARES: Final = 1e-5


def identify(evidence: Evidence) -> list[LossFit]:
    """Every hypothesis, the best first; of equals the plainest. Empty where nothing was recorded."""
    same = pairs_of(evidence)
    if not same:
        return []
    found = _of_pairs(same, by_hand=_by_hand(evidence))
    if not any(fit.explains for fit in found) and len(every := pairs_of(evidence, derived=True)) > len(same):
        # Whose first step's output nobody knew: the shares' logarithms are logits of themselves.
        again = _of_pairs(every, by_hand=_by_hand(evidence))
        found = again if any(fit.explains for fit in again) else found
    if not any(fit.explains for fit in found):
        found = _without_terms(same, evidence) or found
    found = [fit for fit in found if math.isfinite(fit.residual)]
    # Python's sort is stable: of hypotheses that all explain the numbers, the first listed stays first.
    return sorted(found, key=_order)


def _without_terms(same: Sequence[Pair], evidence: Evidence) -> list[LossFit]:
    """What explains the loss without the terms of weights that its graph spells out; empty where nothing does."""
    terms = taken(evidence.steps)
    left = [replace(pair, value=pair.value - terms[pair.step], squares=np.nan, every=np.nan, kernels=())
            for pair in same if pair.step in terms and not pair.apart]  # fmt: skip
    found = _of_pairs(left, by_hand=_by_hand(evidence)) if len(left) >= _FEWEST else []
    return [replace(fit, beyond=terms) for fit in found] if any(fit.explains for fit in found) else []


def _of_pairs(same: Sequence[Pair], *, by_hand: bool) -> list[LossFit]:
    with np.errstate(all="ignore"):
        found = [*tabled(same), *solved(same), *rooted(same)]
        if by_hand:
            found += by_classes(same)
        if not any(fit.explains for fit in found):
            found += [*factored(same), *by_class(same)]
        best = min(found, key=_order, default=None)
        if best is not None and best.explains and best.function.startswith(_CORNERED):
            # Within its corner it is a squared error, by whatever number that is multiplied.
            found = [*(fit for fit in factored(same) if fit.function == "squared error"), *found]
    return found


def _by_hand(evidence: Evidence) -> bool:
    """Whether the program wrote the loss out of sums and products."""
    told = evidence.first.facts.get("loss") if evidence.first is not None else None
    return isinstance(told, dict) and told.get("operation") == "arithmetic"


def _order(fit: LossFit) -> tuple[float, bool]:
    """Of explanations that all hold to rounding none is better; a divergence from one class is a cross entropy."""
    off = max(fit.residual, TOLERANCE / 4) if math.isfinite(fit.residual) else np.inf
    return off, fit.function == "divergence"


def value_of(fit: LossFit, pair: Pair) -> float | None:
    """What a hypothesis makes of one output and target."""
    table = {(function, takes): loss for function, takes, loss in (*ELEMENTWISE, *ROWS)}
    function = fit.function.removeprefix(ROOT)
    takes = fit.takes if (function, fit.takes) in table else fit.takes.rpartition(" taken for ")[2]
    name, _, corner = function.removesuffix(")").partition("(")
    if corner and name in _NUMBERED:
        table[function, takes] = _NUMBERED[name](float(corner))
    rows = (function, takes) in {(function, takes) for function, takes, _ in ROWS}
    met = one_hot([pair]) if rows else next((one for one, wide in aligned([pair]) if wide == fit.broadcast), None)
    if not met:
        return None
    part = table[function, takes](met[0].output, smooth(met[0].target, fit.function, fit.smoothing))
    if fit.positive != 1.0:
        part *= 1 + (fit.positive - 1) * met[0].target
    reduced = reductions([part], met).get(fit.reduction)
    if reduced is None:
        return None
    return fit.factor * float(np.sqrt(reduced[0]) if fit.function.startswith(ROOT) else reduced[0])


def slope(one: StepRecording, fit: LossFit, step: float) -> F64 | None:
    """The loss's derivative by each output column, the same for all rows, by central differences."""
    pair = pair_of(one)
    model = data(one, "output", "output0")
    if pair is None or model is None or pair.output.ndim != 2 or pair.output.shape != model.shape:
        return None
    found = []
    for column in range(pair.output.shape[1]):
        shift = np.zeros(pair.output.shape[1])
        shift[column] = step
        with np.errstate(all="ignore"):  # a run that broke has infinite outputs
            up, down = (value_of(fit, replace(pair, output=pair.output + sign * shift)) for sign in (1, -1))
        if up is None or down is None:
            return None
        found.append((up - down) / (2 * step))
    return np.array(found)


def facts(evidence: Evidence, fits: Sequence[LossFit]) -> list[Fact]:
    """The loss as facts ``loss.*``."""
    if not fits:
        return _told(evidence)
    best = fits[0]
    if not best.explains:
        return _told(evidence)
    rival = min((fit.residual for fit in fits if fit.meaning != best.meaning), default=None)
    equal = [fit for fit in fits if fit.explains]
    known: dict[str, Any] = {
        "function": best.function,
        "takes": _clipped(evidence, best.takes),
        "reduction": _reduction(evidence, best),
        "factor": best.factor,
        "broadcast": best.broadcast or _seen_broadcast(evidence),
        "label_smoothing": best.smoothing or _smoothed(evidence, best),
        "positive_weight": best.positive,
    }
    margin = None if rival is None else rival / max(best.residual, 1e-12)
    # Function and factor are told apart by their product alone where a half huber is a squared error.
    return [
        Fact(f"loss.{name}", value, residual=best.residual, margin=margin, others=_others(name, equal))
        for name, value in known.items()
    ]


def _clipped(evidence: Evidence, takes: str) -> str:
    """What the loss took, with the bounds that the program's graph shows: of shares within them nothing else does."""
    plain = takes.startswith("probabilities") and "clipped" not in takes
    return f"{takes}, clipped at 1e-7" if plain and shares.clipped(evidence.first) else takes


def _reduction(evidence: Evidence, best: LossFit) -> str:
    """How it is reduced; of rows of which each has the weight of its class in its place, as weighted as they are."""
    if best.function != "cross entropy" or best.reduction != "mean":
        return best.reduction
    every = [found for one in evidence.steps if (found := target_told(one)) is not None]
    rows = [target for target in every if target.ndim == 2 and target.shape[1] > 1]
    weighs = all(((target != 0).sum(axis=1) <= 1).all() and (target >= 0).all() for target in rows)
    return _WEIGHED if rows and weighs and any(not np.allclose(one.max(axis=1), 1) for one in rows) else best.reduction


def _smoothed(evidence: Evidence, best: LossFit) -> float:
    """The smoothing that the targets came with: PyTorch keeps those of classes' shares as its loss smoothed them.

    Of a tape the outputs may not be told, where its loss began with another function of them.
    """
    every = [found for one in evidence.steps if (found := target_told(one)) is not None]
    targets = [target for target in every if target.ndim == 2 and target.shape[1] > 1]
    if best.function != "cross entropy" or not targets or len({each.shape[1] for each in targets}) > 1:
        return 0.0
    rows = np.concatenate(targets)
    low, classes = float(rows.min()), rows.shape[1]
    smoothing = low * classes
    ends = (np.abs(rows - low) < _SHARES) | (np.abs(rows - (1 - smoothing + low)) < _SHARES)
    return round(smoothing, 6) if smoothing > _SHARES and ends.all() else 0.0


def _others(name: str, equal: Sequence[LossFit]) -> tuple[str, ...]:
    """Functions or reductions that give the same numbers."""
    if name not in {"reduction", "function"}:
        return ()
    if name == "reduction":  # of the same loss: with a weight that was solved for, another reduction fits as well
        equal = [fit for fit in equal if fit.meaning == equal[0].meaning]
    values = [str(getattr(fit, name)) for fit in equal]
    return tuple(sorted(set(values) - {values[0]}))


def _seen_broadcast(evidence: Evidence) -> bool:
    told = evidence.first.facts.get("loss", {}) if evidence.first else {}
    return bool(isinstance(told, dict) and told.get("broadcast"))


def _told(evidence: Evidence) -> list[Fact]:
    """What the graph of the loss says where its numbers were not recorded whole."""
    told = evidence.first.facts.get("loss") if evidence.first else None
    if not isinstance(told, dict):
        return []
    found = []
    if "broadcast" in told:
        found.append(
            Fact("loss.broadcast", bool(told["broadcast"]), confidence=0.95, note="from the shapes in the loss")
        )
    elif (spread := _spread(told)) is not None:
        found.append(Fact("loss.broadcast", spread, confidence=0.9, note="from the shapes in the loss"))
    if (masked := _masked(evidence)) is not None:
        found.append(masked)
    elif isinstance(told.get("reduction"), str):
        found.append(Fact("loss.reduction", told["reduction"], confidence=0.8, note="from the operations of the loss"))
    return found


def _spread(told: Mapping[str, Any]) -> bool | None:
    """Whether a difference with the data, wherever it is in the loss, is of every row with every row.

    None where there is none: of ``(B, 1)`` and ``(B,)`` it is ``(B, B)``.
    """
    found: list[bool] = []
    for node in list(told.get("graph") or ()):
        if not isinstance(node, dict) or node.get("op") not in _DIFFERENCES:
            continue
        given = next((shape for shape in node.get("input_shapes") or () if shape), None)
        if list(node.get("inputs") or ()).count(None) == 1 and node.get("shape") and given:
            wide, less = ([extent for extent in shape if extent != 1] for shape in (node["shape"], given))
            found.append(len(wide) > len(less) and wide[0] == wide[-1])
    return any(found) if found else None


def _masked(evidence: Evidence) -> Fact | None:
    """A loss per position times a mask of padding, made a mean (LOSS-09), where the program wrote both out itself."""
    found: dict[str, list[float]] = {"padding as zeros, mean": [], "mean without padding": []}
    padded = False
    for one in evidence.steps[:_MASKED]:
        told, value = one.facts.get("loss"), data_loss(one)
        each, mask = data(one, "output", "output0"), data(one, "target")
        if not (isinstance(told, dict) and told.get("derived")) or each is None or mask is None or not value:
            return None
        if each.shape != mask.shape or not _of_padding(mask):
            return None
        padded = padded or not mask.all()
        whole = float((each * mask).sum())
        for name, count in zip(found, (mask.size, max(1.0, float(mask.sum()))), strict=True):
            found[name].append(abs(whole / count / value - 1))
    name, off = min(found.items(), key=lambda item: max(item[1], default=np.inf))
    if not padded or not max(off) <= TOLERANCE:
        return None
    return Fact("loss.reduction", name, residual=max(off))


def _of_padding(mask: F64) -> bool:
    """Whether rows are ones with zeros at one end, all at the same: no classes, no labels."""
    if mask.ndim != len(("rows", "positions")) or not np.isin(mask, (0.0, 1.0)).all():
        return False
    steps = np.diff(mask, axis=1)
    return mask.shape[1] > 1 and bool((steps <= 0).all() or (steps >= 0).all())

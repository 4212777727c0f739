"""What a printed metric means, which enters no step: DATA-08. Manifests say what it is, outputs how much that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import data
from auditor.compare.identify.loss import value_of
from auditor.compare.identify.loss_pairs import pair_of
from auditor.compare.profile import Profile
from auditor.compare.recognise import regularization
from auditor.compare.recognise.cause import REPORTED, Cause, close, percent

#: What Keras makes of the words for accuracy where a model gives one number: above one half, logits or not.
_ACCURACY: Final = frozenset({"accuracy", "acc"})
_HALF: Final = 0.5
#: Settings that say what a metric is called and kept in, not what it is.
_LABELS: Final = frozenset({"name", "dtype"})
#: Relative difference of two pulls that is none, as one of them is read off a difference of losses.
_PULL: Final = 1e-2
#: Short words for a loss that Keras takes for a metric as well, and what the class is called.
_SHORT: Final = {"mse": "meansquarederror", "mae": "meanabsoluteerror"}
#: Of an evaluation's loss: the rounding of float32, and what counts as some.
_NOTHING: Final = 1e-5
_PART: Final = 1e-3
_TENTH: Final = 0.1
#: Another definition of which nobody can say what it changes.
_UNKNOWN: Final = 0.05


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Metrics of one name with another threshold, or another definition; a loss that is printed with its penalty."""
    yield from _evaluated(a, b)
    yield from _penalised(a, b)
    left, right = _metrics(a), _metrics(b)
    yield from _of_logits(a, b, (left, right))
    for name in left:
        if name not in right or left[name] == right[name]:
            continue
        mine, theirs = left[name].get("threshold"), right[name].get("threshold")
        if mine is not None and theirs is not None and mine != theirs:
            part = _between(a, b, (float(mine), float(theirs)))
            effect = f"{percent(part)} of the outputs lie between the thresholds: right on one side, wrong on the other"
            yield Cause("DATA-08", f"{name}.threshold", (mine, theirs), part, effect, "declared", 0.9)
            return
        if left[name].get("class") and right[name].get("class"):
            effect = "a metric of one name is worked out otherwise"
            words = tuple(str(told.get("class")) for told in (left[name], right[name]))
            yield Cause("DATA-08", f"{name}.definition", (words[0], words[1]), _UNKNOWN, effect, "declared", 0.7)
            return


def _penalised(a: Profile, b: Profile) -> Iterator[Cause]:
    """One pull on the weights that is a part of the printed loss on one side, and the optimizer's on the other."""
    sides = [regularization.pull(side) for side in (a, b)]
    inside = [found.in_loss > 0 for found in sides]
    if inside[0] == inside[1] or not all(found.known for found in sides) or any(found.decoupled for found in sides):
        return
    curves = (a if inside[0] else b).curves
    if not close(sides[0].in_gradient, sides[1].in_gradient, _PULL) or not {"loss", "loss/penalty"} <= curves.keys():
        return
    loss, penalty = (float(np.nanmedian(curves[name].values)) for name in ("loss", "loss/penalty"))
    part = penalty / loss if loss > 0 else 0.0
    if not 0 < part < 1:
        return
    words = tuple("with the penalty" if one else "without" for one in inside)
    effect = f"{percent(part)} of the loss that one side prints is its penalty; the steps are the same"
    # What is printed enters no step: it is told, and claims nothing.
    yield Cause("LOSS-17", "loss.reported", (words[0], words[1]), min(part, REPORTED), effect, "declared", 0.9)


def _evaluated(a: Profile, b: Profile) -> Iterator[Cause]:
    """Both train with a penalty, and one side's loss of an evaluation contains it as well.

    A side that has the loss without its penalty for a metric can print that: nothing is said of it.
    """
    parts = [part for side in (a, b) if (part := _beyond(side)) is not None]
    if len(parts) < len("ab") or not min(parts) <= _NOTHING < _PART <= max(parts):
        return
    if _measures_loss(a if parts[0] >= _PART else b):
        return
    words = tuple("with the penalty" if part >= _PART else "without" for part in parts)
    effect = f"{percent(max(parts))} of the loss that one side prints of an evaluation is its penalty"
    yield Cause("LOSS-20", "loss.evaluated", (words[0], words[1]), min(max(parts), REPORTED), effect, "declared", 0.9)


def _beyond(side: Profile) -> float | None:
    """The part of an evaluation's loss that the training loss of its outputs is not; None where nobody can say.

    Of a run that trains with a penalty, which it has to be to the tenth; or with a decay, which is in no loss. What a
    loop of one's own adds to an evaluation after the loss function, as it does in training, is not recorded.
    """
    told = side.judged
    pair = pair_of(told) if told is not None else None
    if told is None or pair is None or not side.loss or not side.loss[0].explains:
        return None
    own, penalty = value_of(side.loss[0], pair), _trained_with(side, told.step)
    if own is None or penalty is None or not pair.value > 0:
        return None
    beyond = pair.value - own
    is_penalty = bool(penalty) and close(beyond, penalty, _TENTH)
    return abs(beyond) / pair.value if is_penalty or abs(beyond) <= _NOTHING * pair.value else None


def _trained_with(side: Profile, step: int) -> float | None:
    """The penalty in the loss of the latest step up to ``step``; zero where the optimizer pulls; None for neither."""
    curve = side.curves.get("loss/penalty")
    if curve is not None and bool((early := curve.steps <= step).any()):
        penalty = float(curve.values[early][-1])
        return penalty if penalty > 0 and side.framework == "keras" else None
    found = regularization.pull(side)
    return 0.0 if found.known and found.in_gradient > 0 and not found.in_loss else None


def _measures_loss(side: Profile) -> bool:
    """Whether the loss is among the metrics, where Keras adds no penalty to it."""
    declared = (side.manifest or {}).get("loss")
    loss = declared if isinstance(declared, Mapping) else {}
    own = {_plain(loss.get(key)) for key in ("class", "name", "function")} - {""}
    kept = [one.get("class") if isinstance(one, Mapping) else one for one in _told(side)]
    return any(_plain(name) in own for name in kept)


def _plain(name: Any) -> str:
    """``MeanSquaredError``, ``mean_squared_error`` and ``mse`` as one word."""
    word = str(name or "").replace("_", "").lower()
    return _SHORT.get(word, word)


def _of_logits(
    a: Profile, b: Profile, metrics: tuple[Mapping[str, Mapping[str, Any]], Mapping[str, Mapping[str, Any]]]
) -> Iterator[Cause]:
    """Accuracy at a threshold of one half, of logits, where the other side declares no metric: their middle is zero."""
    told = ["accuracy" in side for side in metrics]
    if told[0] == told[1]:
        return
    (side, one), other = ((a, metrics[0]), b) if told[0] else ((b, metrics[1]), a)
    if one["accuracy"].get("threshold") != _HALF or _told(other) or not _logits(side):
        return
    part = _between(a, b, (0.0, _HALF))
    effect = f"{percent(part)} of the logits lie between 0 and 0.5: classes of their own for a threshold of one half"
    values = (_HALF, 0.0) if told[0] else (0.0, _HALF)
    yield Cause("DATA-08", "accuracy.threshold", values, part, effect, "declared", 0.8)


def _logits(side: Profile) -> bool:
    """Whether the outputs are no probabilities: some lie outside of 0 and 1."""
    outputs = [output for one in side.evidence.steps if (output := data(one, "output", "output0")) is not None]
    return any(bool(((output < 0) | (output > 1)).any()) for output in outputs)


def _metrics(side: Profile) -> dict[str, dict[str, Any]]:
    """By the name under which it is printed, what is declared of each metric."""
    found: dict[str, dict[str, Any]] = {}
    for one in _told(side):
        if isinstance(one, str) and one in _ACCURACY and _single(side):
            found["accuracy"] = {"threshold": _HALF}
        elif isinstance(one, Mapping):
            config = one.get("config") if isinstance(one.get("config"), Mapping) else {}
            settings = {key: value for key, value in (config or {}).items() if key not in _LABELS}
            name = str((config or {}).get("name") or one.get("class")).lower()
            found["accuracy" if name in _ACCURACY else name] = {"class": one.get("class"), **settings}
    return found


def _told(side: Profile) -> list[Any]:
    """The metrics that a program declares."""
    loss = (side.manifest or {}).get("loss")
    told = loss.get("metrics") if isinstance(loss, Mapping) else None
    return told if isinstance(told, list) else []


def _single(side: Profile) -> bool:
    """Whether the model gives one number, of which two classes are told by a threshold."""
    output = next((o for one in side.evidence.steps if (o := data(one, "output", "output0")) is not None), None)
    return output is not None and output.size == len(output)


def _between(a: Profile, b: Profile, thresholds: tuple[float, float]) -> float:
    """The part of the recorded outputs that one threshold takes for one class, and the other for the other."""
    outputs = [
        output.ravel()
        for side in (a, b)
        for one in side.evidence.steps
        if (output := data(one, "output", "output0")) is not None
    ]
    if not outputs:
        return _UNKNOWN
    low, high = sorted(thresholds)
    every = np.concatenate(outputs)
    return float(((every > low) & (every <= high)).mean())

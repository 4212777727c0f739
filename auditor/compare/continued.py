"""A run in which another model was trained afterwards, beside one that ends where the first was done.

A teacher and its student, an encoder and what stands on it: one program trains them in one run, where an estimator of
scikit-learn has a run of its own for each. Held against the first of those, the run is what came before the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from auditor.compare.side import Side
from auditor.compare.trajectories import Curve

#: Part of the steps by which the other run may be longer or shorter than the first training.
_AS_LONG: Final = 0.02
#: What a manifest says of a model and its training.
_OF_MODEL: Final = frozenset({"model", "init", "optimizer", "loss"})


def first_training(side: Side, other: Side) -> Side:
    """The run up to where another model was trained, if the other is as long as that; else the run itself."""
    at, length = _ended(side), other.last_step
    if at is None or _ended(other) is not None or not length or abs(length - at) > _AS_LONG * at:
        return side
    return replace(
        side,
        curves=_until(side.curves, at),
        recordings=[one for one in side.recordings if one.step <= at],
        evaluations=[one for one in side.evaluations if one.step <= at],
        norms={name: {step: norm for step, norm in each.items() if step <= at} for name, each in side.norms.items()},
        events=[one for one in side.events if one.step <= at],
        alerts=[one for one in side.alerts if one.first_step <= at],
        last_step=at,
        further=(side.last_step or at) - at,
    )


def described(side: Side) -> Side:
    """Without what the manifest says of a later model's layers, optimizer and loss, where the steps are of another.

    A process has one manifest: the last one that was sent.
    """
    model = (side.manifest or {}).get("model")
    tensors = model.get("tensors") if isinstance(model, Mapping) else None
    if side.manifest is None or not isinstance(tensors, Mapping) or not side.recordings or _ended(side) is None:
        return side
    weights = side.recordings[0].of("weight")
    said = {name: tuple(one.get("shape", ())) for name, one in tensors.items() if isinstance(one, Mapping)}
    if all(said.get(name) == tuple(one.shape) for name, one in weights.items()):
        return side
    return replace(side, manifest={key: value for key, value in side.manifest.items() if key not in _OF_MODEL})


def note(side: Side) -> str | None:
    """A sentence on what was left out; None where nothing was."""
    if not side.further:
        return None
    return f"{side.run}: compared up to step {side.last_step}: it trained another model in {side.further} steps after"


def _ended(side: Side) -> int | None:
    """The last step before another model was trained."""
    told = (one for one in side.events if one.type == "optimizer_changed" and dict(one.fields).get("another_model"))
    at = min((int(one.step) for one in told), default=0)
    return at if at and side.last_step and at < side.last_step else None


def _until(curves: Mapping[str, Curve], at: int) -> dict[str, Curve]:
    found = {
        name: Curve(one.steps[one.steps <= at], one.values[: int((one.steps <= at).sum())])
        for name, one in curves.items()
    }
    return {name: one for name, one in found.items() if len(one.steps)}

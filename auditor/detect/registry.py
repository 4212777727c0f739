"""Which rules there are: the built-in ones, those of the entry point ``auditor.rules``, less the muted.

Overrides are a mapping of rule id to its parameters, e.g. ``{"run_stalled": {"stall_seconds": 60},
"loss_spike": {"mute": True}}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Final

from auditor.detect.gradients import ExplodingGradient, VanishingGradient
from auditor.detect.liveness import AgentSilent, RunStalled
from auditor.detect.loss import LossNotDecreasing, LossSpike
from auditor.detect.nonfinite import NonfiniteGradient, NonfiniteLoss, NonfiniteWeight
from auditor.detect.replicas import ReplicaDivergence
from auditor.detect.rule import Rule
from auditor.detect.scaler import ScalerStuck
from auditor.detect.shapes import LossShapeBroadcast

Overrides = Mapping[str, Mapping[str, Any]]

BUILT_IN: Final[tuple[type[Rule], ...]] = (
    NonfiniteLoss,
    NonfiniteGradient,
    NonfiniteWeight,
    ExplodingGradient,
    VanishingGradient,
    LossSpike,
    LossNotDecreasing,
    LossShapeBroadcast,
    ScalerStuck,
    ReplicaDivergence,
    RunStalled,
    AgentSilent,
)


@cache
def rules() -> dict[str, type[Rule]]:
    """Every known rule by id; a user's rule of the same id takes a built-in one's place.

    Raises:
        TypeError: if an entry point of ``auditor.rules`` is no :class:`Rule`.
    """
    known = {rule.id: rule for rule in BUILT_IN}
    for entry in entry_points(group="auditor.rules"):
        rule = entry.load()
        if not (isinstance(rule, type) and issubclass(rule, Rule)):
            raise TypeError(f"entry point auditor.rules {entry.name!r} is no subclass of auditor.detect.rule.Rule")
        known[rule.id] = rule
    return known


def instances(overrides: Overrides | None = None) -> list[Rule]:
    """A fresh instance of every rule that is not muted.

    Raises:
        ValueError: if an override names an unknown rule or parameter.
    """
    overrides = overrides or {}
    unknown = set(overrides) - set(rules())
    if unknown:
        raise ValueError(f"overrides for unknown rules {sorted(unknown)}; known: {sorted(rules())}")
    made = []
    for name, rule in rules().items():
        parameters = dict(overrides.get(name, {}))
        if not parameters.pop("mute", False):
            made.append(rule(parameters))
    return made

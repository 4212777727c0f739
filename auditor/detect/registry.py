"""Which rules there are: the built-in ones, those of the entry point ``auditor.rules``, less the muted.

A rule is found by being a class with an ``id`` in a module below :mod:`auditor.detect.rules`: no list to keep.

Overrides are a mapping of rule id to its parameters, e.g. ``{"run_stalled": {"stall_seconds": 60},
"loss_spike": {"mute": True}}``.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from auditor.detect import rules as built_in_rules
from auditor.detect.rule import PHASES, Rule

Overrides = Mapping[str, Mapping[str, Any]]

#: What every rule says of itself.
_TOLD = ("id", "severity", "meaning", "needs", "trigger", "source", "phase", "summary", "likely_causes", "advice")
_log = logging.getLogger(__name__)


@cache
def built_in() -> tuple[type[Rule], ...]:
    """The rules of the modules below :mod:`auditor.detect.rules`, in the order of their phases, then by name."""
    found: dict[str, type[Rule]] = {}
    for module in pkgutil.walk_packages(built_in_rules.__path__, f"{built_in_rules.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Rule) and "id" in vars(value):
                found[value.id] = value
    return tuple(sorted(found.values(), key=lambda rule: (PHASES.index(rule.phase), rule.id)))


def rules() -> dict[str, type[Rule]]:
    """Every known rule by id; a user's rule of the same id takes a built-in one's place."""
    return _loaded()[0]


def unusable() -> dict[str, str]:
    """The users' rules that cannot be used, by name of their entry point: what is wrong with each.

    A fault in somebody's package costs that rule alone: the runs are judged by all the others.
    """
    return _loaded()[1]


@cache
def _loaded() -> tuple[dict[str, type[Rule]], dict[str, str]]:
    known = {rule.id: rule for rule in built_in()}
    wrong: dict[str, str] = {}
    for entry in entry_points(group="auditor.rules"):
        try:
            rule = _loaded_from(entry)
        except Exception as error:
            wrong[entry.name] = f"the rule {entry.value} cannot be used: {type(error).__name__}: {error}"
            _log.error("%s; the other rules judge", wrong[entry.name])
        else:
            known[rule.id] = rule
    return known, wrong


def _loaded_from(entry: EntryPoint) -> type[Rule]:
    rule = entry.load()
    if not (isinstance(rule, type) and issubclass(rule, Rule)):
        raise TypeError("it is no subclass of auditor.detect.rule.Rule")
    missing = [name for name in _TOLD if not hasattr(rule, name)]
    if missing:
        raise TypeError(f"it does not say its {', '.join(missing)}")
    if rule.phase not in PHASES:
        raise ValueError(f"its phase {rule.phase!r} is none of {', '.join(PHASES)}")
    rule()  # abstract, or with thresholds that are none: better now than at a run's first step
    return rule


def instances(overrides: Overrides | None = None, *, urgent: bool | None = None) -> list[Rule]:
    """A fresh instance of every rule that is not muted; of those that are ``urgent`` or not, where it is given.

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
        if not parameters.pop("mute", False) and urgent in {None, rule.urgent}:
            made.append(rule(parameters))
    return made

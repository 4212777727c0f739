"""What is declared otherwise and was measured to be the same: another way to write one computation.

``fit`` and a loop, a ``Sequential`` and a class, a penalty in the loss and in the optimizer declare different things.
Where a part of both runs was identified from their numbers and nothing in it differs, the manifests' words for it
are no difference of configuration. What neither shows is left as declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from auditor.compare import catalogue
from auditor.compare.causes import Diagnosis
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import LISTED, between, close
from auditor.compare.structure import differences

#: Sections of a manifest, with the stages of the catalogue in which a difference of theirs would be a cause.
_STAGES: Final[Mapping[str, frozenset[str]]] = {
    "data": frozenset({"data"}),
    "model": frozenset({"forward"}),
    "loss": frozenset({"loss", "backward", "reporting"}),
    "optimizer": frozenset({"optimizer", "schedule", "regularization"}),
}
#: Confidence of a rule that explains the numbers.
_EXPLAINED: Final = 0.5


def told_apart(listed: Sequence[Mapping[str, Any]], a: Profile, b: Profile, found: Diagnosis) -> list[dict[str, Any]]:
    """The declared differences, of which those that are spelling say so: ``kind``, and no ``configuration``.

    Args:
        listed: what ``manifests.differences`` gives.
        a: one run.
        b: the other.
        found: what was found to differ.
    """
    large = [cause for cause in (*found.causes, *found.harmless) if cause.weight >= LISTED]
    stages = frozenset(catalogue.entry(cause.id).stage for cause in large)
    alike = frozenset(section for section in _known(a, b) if not stages & _STAGES[section])
    return [_kind(dict(one), alike) for one in listed]


def _kind(one: dict[str, Any], alike: frozenset[str]) -> dict[str, Any]:
    if not one["configuration"]:
        return one | {"kind": "surroundings"}
    if one["parameter"] == "optimizer.parameters" and len(one["a"] or ()) == len(one["b"] or ()):
        return one | {"configuration": False, "kind": "spelling"}  # as many weights, by each program's names
    section = one["parameter"].partition(".")[0]
    if section in alike and not _typed(one) and (section == "model" or not _both(one)):
        return one | {"configuration": False, "kind": "spelling"}
    return one | {"kind": "configuration"}


def _typed(one: Mapping[str, Any]) -> bool:
    """Whether the two name other formats of numbers."""
    return "dtype" in one["parameter"].rpartition(".")[2] and None not in (one["a"], one["b"])


def _both(one: Mapping[str, Any]) -> bool:
    """Whether both sides give a number, or say yes or no: settings of one name, whose values differ.

    Layers are counted in each program's own order, and weights with running statistics or without.
    """
    sides = (one["a"], one["b"])
    return all(isinstance(side, (int, float)) for side in sides) and not close(*sides)


def _known(a: Profile, b: Profile) -> Iterator[str]:
    """Sections in which both were identified, so that whatever differs there is told."""
    if _measured(a, b, "data.batch_size"):
        yield "data"
    if _layers(a, b):
        yield "model"
    if _measured(a, b, "loss.function") and _measured(a, b, "loss.factor"):
        yield "loss"
    if _measured(a, b, "update.rule"):
        yield "optimizer"


def _measured(a: Profile, b: Profile, parameter: str) -> bool:
    both = between(a, b, parameter)
    return both is not None and all(fact.how == "measured" and fact.confidence >= _EXPLAINED for fact in both)


def _layers(a: Profile, b: Profile) -> bool:
    """Whether both networks are known, of weights of the same sizes, and made of the same operations."""
    if not a.structure.operations or not b.structure.operations:
        return False
    held = [side.evidence.first for side in (a, b)]
    sizes = [sorted(one.size for one in step.of("weight").values()) for step in held if step is not None]
    alike = len(sizes) == len("ab") and bool(sizes[0]) and sizes[0] == sizes[1]
    return alike and not differences(a.structure, b.structure)

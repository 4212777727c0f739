"""What one model ends in and the other side's loss has: a rate's exponential, a variance's softplus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.compare.profile import Profile
from auditor.compare.structure import Difference

_EXPONENTIAL: Final = "exponential"
_ADDED: Final = frozenset({"Add", "AddV2"})
#: What graphs call a function.
_WRITTEN: Final = {_EXPONENTIAL: "exp"}


def one_rate(a: Profile, b: Profile) -> bool:
    """Whether both minimise Poisson's loss of one rate, which one model ends in and the other's loss works out."""
    takes = {str(side.value("loss.takes")): side for side in (a, b)}
    if takes.keys() != {"rate", "log rate"} or any(side.value("loss.function") != "poisson" for side in (a, b)):
        return False
    return _ends(takes["rate"]) and not _ends(takes["log rate"])


def _ends(side: Profile) -> bool:
    """Whether the model's last operation is the exponential: as told, or because the loss takes another of it."""
    nodes = loss_graph(side)
    given = [at for one in nodes if one.get("op") == "Exp" for at in one.get("inputs") or () if isinstance(at, int)]
    if any(nodes[at].get("op") == "Exp" for at in given if at < len(nodes)):
        return True
    told = {one.facts.get("output_activation") for one in side.evidence.steps}
    return _EXPONENTIAL in told or any(
        one.settings.get("function") == _EXPONENTIAL for one in side.structure.operations[-1:]
    )


def added(side: Profile, sums: Mapping[str, int]) -> int:
    """How often a number is added, within the model or where its loss takes on: the least that a variance has."""
    nodes = [node for node in loss_graph(side) if str(node.get("op")) in _ADDED]
    return sums["shift"] + sum(list(node.get("inputs") or ()).count(None) == 1 for node in nodes)


def in_loss(one: Difference, a: Profile, b: Profile) -> bool:
    """Whether a function that one model ends in is what the other side's loss does with its output."""
    found, lacking, side = (one.a, b, a) if one.b is None else (one.b, a, b)
    if one.setting or found is None or found.kind != "activation" or (one.a is None) == (one.b is None):
        return False
    if found not in side.structure.operations[-1:]:
        return False
    name = str(found.settings.get("function"))
    name = _WRITTEN.get(name, name)
    return name in _of_loss(lacking) and (name not in _of_loss(side) or not _ends_at_outputs(side))


def of_weights(side: Profile) -> bool:
    """Whether a loss is made of weights too, by themselves: a penalty that the program writes out."""
    return any("weight" in list(node.get("inputs") or ()) for node in loss_graph(side))


def of_outputs(side: Profile) -> bool:
    """Whether a loss is made of what the model gave, and of nothing else that is learnt."""
    named = [one for node in loss_graph(side) for one in node.get("inputs") or () if isinstance(one, str)]
    return bool(named) and all(one.startswith("output") for one in named)


def _ends_at_outputs(side: Profile) -> bool:
    """Whether the graph of a loss goes no further than what a model gave: else it holds the network's operations."""
    inputs = [one for node in loss_graph(side) for one in node.get("inputs") or ()]
    return any(str(one).startswith("output") for one in inputs)


def _of_loss(side: Profile) -> set[str]:
    """The operations of the recorded loss, in small letters."""
    return {str(node.get("op")).lower() for node in loss_graph(side)}


def loss_graph(side: Profile) -> list[Mapping[str, Any]]:
    """The operations of its loss at the first recorded step."""
    told = side.evidence.first.facts.get("loss") if side.evidence.first is not None else None
    graph = told.get("graph") if isinstance(told, dict) else None
    return [node for node in graph or () if isinstance(node, dict)]

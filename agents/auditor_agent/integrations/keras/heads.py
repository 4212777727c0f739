"""Models of several outputs: which loss compares which output with which target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import keras

from auditor_agent.guard import guarded

_DECLARED: Final = ("class", "name", "function", "reduction", "from_logits")


def heads(model: Any, target: Any, output: Any, activation: Callable[[Any], str | None]) -> list[dict[str, Any]]:
    """One entry per loss of a model with several outputs; empty for one with a single output.

    Args:
        model: compiled; its losses are known once it has computed them.
        target: what ``compute_loss`` was given, in whatever containers.
        output: likewise.
        activation: the activation that a leaf of ``output`` ends in.

    Returns:
        ``name`` (the output's), ``output`` and ``target`` (names of the recorded arrays, numbered as
        their containers are flattened), ``loss`` (its declaration) and, where known, ``activation``.
    """
    compiled = getattr(model, "_compile_loss", None)
    parts, names = getattr(compiled, "_flat_losses", None) or (), getattr(compiled, "output_names", None) or ()
    outputs, targets = _leaves(output), _leaves(target)
    if len(outputs) < 2:
        return []
    found = []
    for part in parts:
        mine, its = _at(output, part.path, names), _at(target, part.path, names)
        place, other = _place(outputs, mine), _place(targets, its)
        if place is None or other is None:
            continue
        told = {"name": str(part.name), "output": f"output{place}", "target": f"target{other}"}
        ends = activation(mine)
        found.append({**told, "loss": _declared(part.loss), **({"activation": ends} if ends is not None else {})})
    return found


def _leaves(tree: Any) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(tree) if leaf is not None]


def _place(leaves: Sequence[Any], wanted: Any) -> int | None:
    return next((at for at, leaf in enumerate(leaves) if leaf is wanted), None)


def _at(tree: Any, path: Sequence[Any], names: Sequence[str]) -> Any:
    """What lies at ``path``; lists may be addressed by the outputs' names, and mappings by their places."""
    for key in path:
        if isinstance(tree, Mapping) and key not in tree and isinstance(key, int) and key < len(names):
            tree = tree.get(names[key])
        elif isinstance(tree, Mapping):
            tree = tree.get(key)
        elif isinstance(tree, (list, tuple)):
            place = names.index(key) if isinstance(key, str) and key in names else key
            tree = tree[place] if isinstance(place, int) and place < len(tree) else None
        else:
            return None
    return tree


def _declared(loss: Any) -> dict[str, Any]:
    from auditor_agent.integrations.keras.manifest import one_loss

    told = one_loss(loss)
    return {key: told[key] for key in _DECLARED if told.get(key) is not None}


@guarded(default=False)
def answers(output: Any, target: Any) -> bool:
    """Whether ``target`` is one array for the one ``output``: as many numbers for each sample, or a class for each row.

    A ``train_step`` of one's own that never calls ``compute_loss`` is given targets, and says no more of them.
    """
    given, wanted = (keras.tree.flatten(one) for one in (output, target))
    if len(given) != 1 or len(wanted) != 1 or not all(hasattr(one, "shape") for one in (*given, *wanted)):
        return False
    told, asked = ([n for n in one.shape[1:] if n != 1] for one in (given[0], wanted[0]))
    return asked in (told, told[:-1])

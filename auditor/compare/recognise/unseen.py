"""What a side may do where nobody is told of it: an operation that it lacks is then no difference."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import data
from auditor.compare.profile import Profile
from auditor.compare.recognise.mode import evaluates
from auditor.compare.structure import Difference, Operation, words
from auditor.compare.structure.operations import WEIGHTED

#: Normalisations, and the three projections that PyTorch's attention has in one tensor.
NORMS: Final = frozenset({"layernorm", "batchnorm", "groupnorm", "rmsnorm"})
_WHOLE: Final = {"global_average_pool": "average_pool", "global_max_pool": "max_pool"}
PROJECTED: Final = ("queries", "keys", "values")


def may_be(one: Difference, a: Profile, b: Profile) -> bool:
    """Whether the side that lacks an operation may do it all the same, or lacks it for its mode alone."""
    # Places that a program repeats are no operation that is heard; as many as there are have to fit the target.
    repeats = one.operation.kind == "upsample" and not one.setting
    if repeats or _pools_whole(one, a, b):
        return True
    return _sleeps(one, a, b) or _unheard(one, a, b) or _uncalled(one, a, b) or _by_hand(one, a, b)


def _pools_whole(one: Difference, a: Profile, b: Profile) -> bool:
    """Whether one side pools over all positions what the other pools with a window as large as what it is over."""
    alone, other = one.operation, b if one.b is None else a
    if one.setting or alone.kind not in _WHOLE.keys() | _WHOLE.values():
        return False
    if alone.kind in _WHOLE:
        return any(each.kind == _WHOLE[alone.kind] and _covers(each) for each in _ran(other))
    return _covers(alone) and any(_WHOLE.get(each.kind) == alone.kind for each in _ran(other))


def _covers(pool: Operation) -> bool:
    """Whether there is one window."""
    over, pads = pool.settings.get("_over"), pool.settings.get("pads")
    return over is not None and list(pool.settings.get("kernel") or ()) == list(over) and not any(map(any, pads or ()))


def of_another(side: Profile) -> bool:
    """Whether what ran first in a step by hand is another network than the one that it trains: a generator's judge.

    Of bare weights in TensorFlow, as many kernels as products, whose widths are others.
    """
    first = side.evidence.first
    if side.framework != "tensorflow" or side.layers or first is None:
        return False
    kernels = [one.shape[-1] for one in first.of("weight").values() if len(one.shape) == len(("in", "out"))]
    widths = [one.settings.get("units") for one in side.structure.operations if one.kind == "dense"]
    return len(kernels) == len(widths) and None not in widths and Counter(kernels) != Counter(widths)


def behind(side: Profile, other: Profile) -> bool:
    """Whether a side is given what a layer of the other's gives that stands still, and trains what comes behind it.

    A backbone that is called without gradients, and its features are what the head is recorded with.
    """
    given, widths = side.value("data.features"), [one.settings.get("units") for one in _ran(other)]
    if not isinstance(given, list) or len(given) != 1 or given[0] not in widths[:-1]:
        return False
    kinds = [one.kind for one in _ran(side) if one.kind in WEIGHTED]
    after = [one.kind for one in _ran(other)[widths.index(given[0]) + 1 :] if one.kind in WEIGHTED]
    return bool(kinds) and kinds == after and _moving(side) == _moving(other) != []


def _moving(side: Profile) -> list[int]:
    """Elements of each weight that moves, sorted."""
    stands = still(side)
    return sorted(math.prod(track.shape) for track in side.evidence.tracks if track.name not in stands)


def _by_hand(one: Difference, a: Profile, b: Profile) -> bool:
    """Whether a normalisation may be written out in TensorFlow: a vector that began as ones is no layer's there."""
    without = a if one.a is None else b
    if one.setting or one.operation.kind not in NORMS or without.framework != "tensorflow":
        return False
    paths = tuple(f"{layer[key]}/" for layer in without.layers for key in ("name", "path") if layer.get(key))
    bare = (each for name, each in without.evidence.beginning.items() if not (paths and name.startswith(paths)))
    return any(each.size > 1 == len(each.shape) and bool(np.all(np.asarray(each.values) == 1)) for each in bare)


def _unheard(one: Difference, a: Profile, b: Profile) -> bool:
    """Whether PyTorch may do it where nobody is told: noise as a sum, dropout by a function of the batch itself."""
    without, other, at = (a, b, one.beside) if one.a is None else (b, a, one.place)
    if one.operation.kind != "dropout" or one.setting:
        loop = without.framework == "tensorflow"  # which may give its batch noise before the model is called
        return one.operation.kind == "noise" and ("torch" in {a.framework, b.framework} or loop)
    begins = not any(before.kind in WEIGHTED or before.kind == "activation" for before in _ran(other)[:at])
    return begins and without.framework == "torch" and any(_of_function(each) for each in _ran(without))


def _ran(side: Profile) -> Sequence[Operation]:
    return side.structure.operations


def _of_function(one: Operation) -> bool:
    return one.kind == "dropout" and not one.name


def _uncalled(one: Difference, a: Profile, b: Profile) -> bool:
    """Whether the side without an operation has its layer all the same, and takes the weight out of it by hand.

    A table of positions: ``self.positions(range(n))`` here, ``self.positions.weight`` there.
    """
    if one.setting or one.operation.kind not in WEIGHTED:
        return False
    without = a if one.a is None else b
    ran = {operation.name for operation in without.structure.operations}
    return any(
        words.kind_of(layer.get("class")) == one.operation.kind and str(layer.get("name")) not in ran
        and moves(without, f"{layer.get('name')}.weight")
        for layer in without.layers
    )  # fmt: skip


def _sleeps(one: Difference, a: Profile, b: Profile) -> bool:
    """Whether a dropout is missing because that side's layers are in the mode of evaluation: MODE-01, not FWD-07."""
    if one.setting or one.operation.kind != "dropout":
        return False
    without, other = (a, b) if one.a is None else (b, a)
    return evaluates(without) and not evaluates(other)


def still(side: Profile) -> set[str]:
    """Names of the weights that no recorded step moves."""
    return {track.name for track in side.evidence.tracks if not np.any(track.moved)}


def moves(side: Profile, name: str) -> bool:
    """Whether a gradient reaches a tensor at some recorded step."""
    name = next((name.removesuffix(f".{part}") for part in PROJECTED if name.endswith(f".{part}")), name)
    return any(
        (found := data(one, "gradient", name)) is not None and bool(np.any(found)) for one in side.evidence.steps
    )

"""What PyTorch and Keras lay out otherwise and a program took over as it was: FWD-04, 14, 15, 17 and 20."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64
from auditor.compare.profile import Profile
from auditor.compare.recognise import network, sizes
from auditor.compare.recognise.cause import Cause

#: Relative distance of equal numbers, one of them perhaps rounded to float32.
_EQUAL: Final = 1e-6
_KERNEL: Final = 2
#: Axes of a kernel of Keras's attention, and how many of its kernels PyTorch packs into one.
_HEADS: Final = 3
_TOGETHER: Final = 3
#: By class its gates as PyTorch has them, where Keras has each of them, and the entry that says so (``GRUCell`` and
#: ``LSTMCell`` of both).
_GATES: Final[Mapping[str, tuple[tuple[str, ...], tuple[int, ...], str]]] = {
    "GRU": (("reset", "update", "new"), (1, 0, 2), "FWD-15"),
    "LSTM": (("input", "forget", "cell", "output"), (0, 1, 2, 3), "FWD-14"),
}

#: Entry, parameter, values of PyTorch's side and of the other's, effect.
_Found = tuple[str, str, tuple[Any, Any], str]


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Axes and gates that the two frameworks count otherwise."""
    for torch, other, turned in ((a, b, False), (b, a, True)):
        if torch.framework == "torch" and other.framework != "torch":
            for find in (_normalised, _copied, _untransposed, _packed, _along_samples):
                cause = find(torch, other)
                if cause is not None:
                    yield Cause(
                        cause[0], cause[1], cause[2][::-1] if turned else cause[2], sizes.ANOTHER, cause[3],
                        confidence=0.9,
                    )  # fmt: skip


def _untransposed(torch: Profile, other: Profile) -> _Found | None:
    """A square kernel that was taken over as it lies: PyTorch has (out, in), all others (in, out).

    Of other shapes no framework takes it, so a program that transposes what does not fit leaves out these.
    """
    trained = _weights(other, "Dense") if other.framework != "sklearn" else network.whole(other)
    frozen = product(_frozen(torch, "Linear"), _frozen(other, "Dense"))
    for mine, theirs in [*product(_weights(torch, "Linear"), trained), *frozen]:
        if _as_it_lies(mine, theirs):
            values = "(out, in)", "(in, out)"
            effect = "a square kernel is equal as it lies: one side computes with its transpose"
            return "FWD-17", "kernel.layout", values, effect
    return None


def _frozen(side: Profile, kind: str) -> list[F64]:
    """What the square kernels of a class of layers begin with that nobody trains: the rest of those is not recorded.

    PyTorch tells of them apart from the layers, Keras among the weights of each.
    """
    model = (side.manifest or {}).get("model")
    apart = model.get("frozen") if isinstance(model, Mapping) else None
    found: list[Any] = []
    for layer in side.layers:
        if _class(layer) == kind:
            own = layer.get("weights")
            found += own if isinstance(own, list) else []
            found += [apart.get(f"{layer.get('name')}.weight")] if isinstance(apart, Mapping) else []
    return [np.asarray(one["corner"], np.float64) for one in found if isinstance(one, Mapping) and "corner" in one]


def _packed(torch: Profile, other: Profile) -> _Found | None:
    """Kernels of attention that were reshaped and not transposed: PyTorch packs (out, in), Keras has (in, heads, out).

    As wide as what it is given it is square, so that nothing objects.
    """
    packed = [one for name, one in _arrays(torch, _attends).items() if name.endswith("in_proj_weight")]
    kernels = [one.reshape(len(one), -1) for one in _arrays(other, _attends).values() if one.ndim == _HEADS]
    for whole in (one for one in packed if len(one) % _TOGETHER == 0):  # else of a layer of the program's own
        for mine in np.split(whole, _TOGETHER):
            for theirs in kernels:
                if _as_it_lies(mine, theirs):
                    values = "(out, in)", "(in, heads, out)"
                    effect = "a kernel of attention was reshaped as it lies: one side computes with its transpose"
                    return "FWD-20", "attention.kernels", values, effect
    return None


def _along_samples(torch: Profile, other: Profile) -> _Found | None:
    """A recurrent layer that runs over the first axis, of batches that lie as the other side's do: samples first.

    Where the loss is of every position its rows do not say which axis is which; the other framework's layers have one.
    """
    batches = [
        (side.value("data.batch_size"), next(iter(side.value("data.features") or ()), None)) for side in (torch, other)
    ]
    size, times = batches[0]
    if batches[0] != batches[1] or times in {None, size}:
        return None
    over = {one.kind for one in torch.structure.operations if one.settings.get("_runs_over") == size}
    for one in other.structure.operations:
        if one.kind in over and one.settings.get("along_time"):
            return "FWD-16", f"{one.kind}.along_time", (False, True), sizes.SAID["along_time"]
    return None


def _normalised(torch: Profile, other: Profile) -> _Found | None:
    """A normalisation by batches of as many channels as PyTorch's has, but along an axis where they do not lie.

    Of networks alone whose kernels are of the same sizes: another width would be another network.
    """
    mine = [int(one.get("num_features") or 0) for one in torch.layers if _class(one).startswith("BatchNorm")]
    theirs = [one for one in other.layers if _class(one) == "BatchNormalization"]
    if len(mine) != len(theirs) or not mine or not _kernels(torch) or _kernels(torch) != _kernels(other):
        return None
    found = [
        (channels, *along) for channels, one in zip(mine, theirs, strict=True) if (along := _along(one)) is not None
    ]
    if sorted(one[0] for one in found) == sorted(one[3] or 0 for one in found):
        return None  # of layers that are listed in another order
    for channels, shape, axis, extent in found:
        rest = [other for place, other in enumerate(shape) if place and place != axis % len(shape)]
        if extent not in {None, channels} and channels in rest:
            values = f"{channels} channels", f"axis {axis} of {shape}: {extent}"
            return "FWD-04", "batchnorm.axis", values, "the layer normalises along another axis than the channels'"
    return None


def _along(layer: Mapping[str, Any]) -> tuple[list[int | None], int, int | None] | None:
    """What a layer of Keras is given, the axis that it normalises, and its extent; None where that is not told."""
    shape, config = layer.get("input_shape"), layer.get("config")
    axis = config.get("axis", -1) if isinstance(config, Mapping) else None
    if not isinstance(shape, list) or not isinstance(axis, int) or len(shape) <= _KERNEL:
        return None
    return shape, axis, shape[axis]


def _copied(torch: Profile, other: Profile) -> _Found | None:
    """Weights of a recurrent layer that are the other's block by block, but of other gates than those blocks are.

    As they lie, of a GRU, whose gates the frameworks order otherwise; or moved by a program that took them to.
    """
    for kind, (gates, places, entry) in _GATES.items():
        for mine in _weights(torch, kind):
            for theirs in _weights(other, kind):
                found = _blocks(mine, theirs.T, len(gates)) if mine.shape == theirs.shape[::-1] else None
                if found is not None and found != places:
                    told = ", ".join(gates[places.index(place)] for place in found)
                    effect = "the weights are equal but for the order of the gates: each side takes one for another"
                    return entry, f"{kind.lower()}.gates", (", ".join(gates), told), effect
    return None


def _blocks(mine: F64, theirs: F64, count: int) -> tuple[int, ...] | None:
    """Which block of ``theirs`` each of ``mine`` equals; None where one equals none, or several, or two the same."""
    if len(mine) % count:
        return None
    left, right = np.split(mine, count), np.split(theirs, count)
    equal = [[at for at, block in enumerate(right) if _like(one, block)] for one in left]
    found = tuple(at[0] for at in equal if len(at) == 1)
    return found if len({*found}) == count else None


def _weights(side: Profile, kind: str) -> list[F64]:
    """The kernels of layers of a class before the first step."""
    return [one for one in _arrays(side, lambda name: name == kind).values() if one.ndim == _KERNEL]


def _attends(name: str) -> bool:
    return "Attention" in name


def _arrays(side: Profile, wanted: Callable[[str], bool]) -> dict[str, F64]:
    """The weights before the first step of layers whose class is wanted, by name: those that were recorded whole."""
    begun = side.evidence.beginning
    paths = tuple(
        f"{path}{mark}" for one in side.layers if wanted(_class(one)) for mark in "./"
        if (path := one.get("path") or one.get("name"))
    )  # fmt: skip
    if not paths:
        return {}
    return {
        name: np.asarray(one.values, np.float64).reshape(one.shape)
        for name, one in begun.items()
        if name.startswith(paths) and not one.sampled and one.values is not None
    }


def _kernels(side: Profile) -> list[int]:
    """Elements of each weight that is a matrix or more, sorted."""
    first = side.evidence.first
    return [] if first is None else sorted(one.size for one in first.of("weight").values() if len(one.shape) >= _KERNEL)


def _as_it_lies(mine: F64, theirs: F64) -> bool:
    """Whether a square kernel was taken over without being transposed."""
    square = mine.shape == theirs.shape == mine.shape[::-1] and not _like(mine, mine.T)
    return square and _like(mine, theirs)


def _like(left: F64, right: F64) -> bool:
    return bool(np.allclose(left, right, rtol=_EQUAL, atol=_EQUAL))


def _class(layer: Mapping[str, Any]) -> str:
    return str(layer.get("class")).rpartition(".")[2]

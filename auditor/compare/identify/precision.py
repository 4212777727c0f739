"""At which precision the numbers were computed: types, and which bits of them are ever used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify.evidence import Evidence
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.fed import Affine
from auditor.ingest.records import Recorded

#: Elements below which unused bits may be chance.
_FEWEST: Final = 16
#: Significant bits of a format, the implicit one included.
_BITS: Final = {"bfloat16": 8, "float16": 11, "tensorfloat32": 11}
#: A gradient this small beside the largest is what rounding leaves of one that is zero (the bias of an
#: attention's keys, a bias before a normalisation): small multiples of one unit, which any format holds.
_RESIDUE: Final = 1e-5


def facts(evidence: Evidence) -> list[Fact]:
    """``precision.weights``: the type; ``precision.compute``: the coarsest format that holds a tensor."""
    if evidence.first is None:
        return []
    weights = evidence.first.of("weight")
    found = [Fact("precision.weights", sorted({array.dtype for array in weights.values()}))] if weights else []
    computed = _coarsest([*seen(evidence.first.of("gradient")), *evidence.first.of("output").values()])
    return [*found, Fact("precision.compute", computed)] if computed else found


def of_inputs(ways: Sequence[Affine], policy: str | None, given: str | None = None) -> list[Fact]:
    """``precision.inputs``: the rounding of the widest input, in parts of what the network is fed.

    Keras casts an input before the layer that centres it: to float32, by a mixed policy to fewer bits. What lies far
    from zero loses its digits.

    Args:
        ways: the layers that scale it.
        policy: of the model's layers, as declared.
        given: type in which the first of them takes its input.
    """
    kind = str(policy).removeprefix("mixed_") if str(policy).startswith("mixed_") else str(given)
    bits = {**_BITS, "float32": 24}.get(kind, 0)
    if not bits or not ways:
        return []
    scale, offset = ways[0].scale.astype(np.float64), ways[0].offset.astype(np.float64)
    scale, offset = np.broadcast_arrays(np.where(scale == 0, 1.0, scale), offset)
    centre = np.maximum(np.abs(offset / scale), 1e-30)  # what is taken off before a factor makes a unit of the rest
    last = np.exp2(np.floor(np.log2(centre)) + 1 - bits)
    return [Fact("precision.inputs", float(np.max(last / np.sqrt(12) * np.abs(scale))), how="declared")]


def seen(gradients: Mapping[str, Recorded]) -> Iterator[Recorded]:
    """Gradients of weights that the loss can see."""
    sizes = {name: _rms(array) for name, array in gradients.items()}
    largest = max(sizes.values(), default=0.0)
    return (array for name, array in gradients.items() if sizes[name] >= _RESIDUE * largest)


def _rms(array: Recorded) -> float:
    """Root mean square of the finite elements."""
    if array.values is None:
        return 0.0
    values = np.asarray(array.values, np.float64)
    good = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(good * good))) if good.size else 0.0


def _coarsest(arrays: list[Recorded]) -> str | None:
    """The format in which every element of some large tensor is exact, if it is coarser than its type."""
    formats = []
    for array in arrays:
        if array.values is None or array.values.size < _FEWEST or not array.dtype.endswith(("float32", "float64")):
            formats += [array.dtype] if array.dtype in {"float16", "bfloat16"} else []
            continue
        values = np.asarray(array.values)
        if len(np.unique(values[np.isfinite(values)])) >= _FEWEST:
            found = _format(values)
            if found not in _BITS or not _counted(values, _BITS[found]):
                formats.append(found)
    for coarse in ("bfloat16", "float16", "tensorfloat32"):
        if coarse in formats:
            return coarse
    return min(formats, key=("float32", "float64").index) if formats else None


def _counted(values: npt.NDArray[np.floating], bits: int) -> bool:
    """Whether all are small multiples of one unit, which any format of ``bits`` bits holds: sums of signs, shares.

    Numbers that were rounded to a format use as many bits whatever their size, hence ever finer units.
    """
    wide = values[np.isfinite(values) & (values != 0)].astype(np.float64)
    fractions, powers = np.frexp(np.abs(wide))
    whole = (fractions * 2.0**53).astype(np.int64)
    lowest = np.log2((whole & -whole).astype(np.float64)) + powers - 53
    return bool(np.abs(wide).max() < 2.0 ** (lowest.min() + bits)) if wide.size else False


def _format(values: npt.NDArray[np.floating]) -> str:
    single = values.astype(np.float32)
    if values.dtype == np.float64 and not np.array_equal(single.astype(np.float64), values):
        return "float64"
    bits = single.view(np.uint32)
    if not (bits & 0xFFFF).any():
        return "bfloat16"
    with np.errstate(over="ignore"):
        if np.array_equal(single.astype(np.float16).astype(np.float32), single):
            return "float16"
    return "tensorfloat32" if not (bits & 0x1FFF).any() else "float32"

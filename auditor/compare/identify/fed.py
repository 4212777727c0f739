"""Batches as the network is fed them, where its first layers only scale.

Keras' ``Rescaling`` and ``Normalization``, a module of PyTorch that holds means and deviations: pixels of 0 to 255
that a layer divides are the same inputs as pixels that a program divided before. So recorded batches are taken
through these layers, before they are held against another run's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify.evidence import F64
from auditor.ingest.records import Recorded, StepRecording
from auditor_agent.recorder import GIVEN

F32 = npt.NDArray[np.float32]

#: What a batch holds besides its inputs.
_WEIGHTS: Final = "sample_weight"
#: Keras's layers that scale an input.
_SCALING: Final = frozenset({"Rescaling", "Normalization"})
#: What may stand before them and leaves the scale as it is; layers of random pictures do so in evaluation.
_PASSED: Final = ("InputLayer", "Random")
#: What a batch tells of itself, and not the layer of it.
_OF_THE_BATCH: Final = ("BatchNorm", "SyncBatchNorm", "InstanceNorm", "Dropout")
#: The least deviation by which Keras' ``Normalization`` divides (``keras.config.epsilon``).
_LEAST: Final = np.float32(1e-7)
#: By how much, in standard deviations of a unit, its output may be off what a factor and an offset give (ours).
_OFF: Final = 1e-3
#: Recorded batches for which one factor and one offset must do, where there are as many.
_SEVERAL: Final = 2


@dataclass(frozen=True, slots=True)
class Affine:
    """A factor and an offset for each unit along ``axis``, or one for all."""

    scale: F32
    offset: F32
    axis: int = -1


def fed(recordings: Sequence[StepRecording], ways: Sequence[Affine]) -> list[StepRecording]:
    """``recordings``, their batch taken through ``ways``, in float32 as the layers do."""
    return [_taken(one, ways) for one in recordings] if ways else list(recordings)


def ways(framework: str, layers: Sequence[Mapping[str, Any]], recordings: Sequence[StepRecording]) -> list[Affine]:
    """What the model's first layers make of an input, layer by layer; of several inputs of the one that leads.

    Args:
        framework: as the run names it.
        layers: as the manifest lists them.
        recordings: steps of training, of which the layers' outputs tell what they do.
    """
    if _several(layers, recordings):
        # Whose input a layer takes is not told: one that makes its outputs of the one that leads takes that.
        scaling = (layer for layer in layers if str(layer.get("class")) in _SCALING)
        proven = (_seen(framework, layer, recordings, proved=True) for layer in scaling)
        return [way for way in proven if way is not None][:1]
    if any(("units", GIVEN) in one.arrays for one in recordings):
        way = _seen(framework, {"name": GIVEN}, recordings, proved=True)
        # What a program's own arithmetic gave its first layer; one that leaves out inputs is not all that they go to.
        return [] if way is None or not way.scale.all() else [way]
    found: list[Affine] = []
    for layer in layers:
        kind, config = str(layer.get("class")), layer.get("config")
        config = config if isinstance(config, Mapping) else {}
        if kind == "Rescaling":
            way = _rescaled(config)
        elif kind == "Normalization":
            way = _normalised(config) or _seen(framework, layer, fed(recordings, found))
        elif kind == "Lambda" or (framework == "torch" and not kind.startswith(_OF_THE_BATCH)):
            way = _seen(framework, layer, fed(recordings, found), proved=True)
        elif kind.startswith(_PASSED):
            continue
        else:
            break
        if way is None:
            break
        found.append(way)
    return found


def untold(layers: Sequence[Mapping[str, Any]], recordings: Sequence[StepRecording], known: Sequence[Affine]) -> bool:
    """Whether a layer scales one of several inputs, and nobody knows which."""
    scales = any(str(layer.get("class")) in _SCALING for layer in layers)
    return scales and not known and _several(layers, recordings)


def _several(layers: Sequence[Mapping[str, Any]], recordings: Sequence[StepRecording]) -> bool:
    given = max((len(_inputs(one)) for one in recordings), default=0)
    return given > 1 or sum(str(one.get("class")) == "InputLayer" for one in layers) > 1


def _rescaled(config: Mapping[str, Any]) -> Affine | None:
    scale, offset = _numbers(config.get("scale")), _numbers(config.get("offset", 0.0))
    return None if scale is None or offset is None else Affine(scale, offset)


def _normalised(config: Mapping[str, Any]) -> Affine | None:
    """By the mean and the variance that a program gave it; None where it was adapted to data."""
    mean, variance = _numbers(config.get("mean")), _numbers(config.get("variance"))
    if mean is None or variance is None or config.get("invert"):
        return None
    scale = (1 / np.maximum(np.sqrt(variance), _LEAST)).astype(np.float32)
    return Affine(scale, -mean * scale)


def _numbers(told: Any) -> F32 | None:
    try:
        found = np.atleast_1d(np.asarray(told, np.float32))
    except (TypeError, ValueError):
        return None
    return found if found.ndim == 1 and np.isfinite(found).all() else None


def _seen(
    framework: str, layer: Mapping[str, Any], recordings: Sequence[StepRecording], *, proved: bool = False
) -> Affine | None:
    """The factor and the offset with which a layer made its outputs of the batches; None if they are not known.

    ``proved``: mean, deviation, least and largest value of all batches must follow, of a layer that may do something
    else.
    """
    # PyTorch's layers of sequences have their units second or last, by their kind.
    ranks = {len(batches[0].shape) for batches in map(_inputs, recordings) if batches}
    axes = (-1,) if framework != "torch" else (1, -1) if ranks == {3} else (1,)
    ways = (_along(axis, layer, recordings, proved=proved) for axis in axes)
    return next((way for way in ways if way is not None), None)


def _along(axis: int, layer: Mapping[str, Any], recordings: Sequence[StepRecording], *, proved: bool) -> Affine | None:
    """With units along ``axis``, each by the batch in which it varies most; one that never varies is only moved."""
    both = [one for one in (_before_and_after(axis, layer, each) for each in recordings) if one is not None]
    if not both or len({before.shape for before, _ in both}) > 1:
        return None
    spreads = np.stack([before[1] for before, _ in both])
    widest = spreads.argmax(axis=0), np.arange(spreads.shape[1])
    before, after = (np.stack([one[at] for one in both]).swapaxes(1, 2)[widest].T for at in (0, 1))
    scale = np.divide(after[1], before[1], out=np.ones_like(before[1]), where=before[1] > 0)
    offset = after[0] - scale * before[0]
    for told, made in both if proved else ():
        expected = scale * told + offset
        expected[1] = scale * told[1]
        if not (np.abs(expected - made) <= _OFF * np.maximum(made[1], np.abs(made[0]) * _OFF + 1e-6)).all():
            return None
    if proved and len(both) < min(_SEVERAL, len(recordings)):
        return None
    return Affine(scale.astype(np.float32), offset.astype(np.float32), axis)


def _before_and_after(axis: int, layer: Mapping[str, Any], one: StepRecording) -> tuple[F64, F64] | None:
    """Mean, deviation, least and largest value of each unit, in the batch and behind the layer."""
    batches, after = _inputs(one), None
    for name, array in one.of("units").items():
        if name in {layer.get("path"), layer.get("name")} and not array.sampled and array.values is not None:
            after = np.asarray(array.whole(), np.float64)
    if after is None or not batches or batches[0].sampled or len(batches[0].shape) < 2:
        return None
    rows = np.moveaxis(np.asarray(batches[0].whole(), np.float64), axis, -1)
    rows = rows.reshape(-1, rows.shape[-1])
    if after.shape != (4, rows.shape[1]) or not np.isfinite(rows).all() or not np.isfinite(after).all():
        return None
    return np.stack([rows.mean(axis=0), rows.std(axis=0), rows.min(axis=0), rows.max(axis=0)]), after


def _inputs(one: StepRecording) -> list[Recorded]:
    arrays = one.of("batch").items()
    return [array for name, array in arrays if array.values is not None and not name.startswith(_WEIGHTS)]


def _taken(one: StepRecording, through: Sequence[Affine]) -> StepRecording:
    batches = _inputs(one)
    if not batches:
        return one
    batch, shape = batches[0], batches[0].shape
    values = np.asarray(batch.values, np.float32)
    for way in through:
        axis = way.axis % max(len(shape), 1)
        extent = shape[axis] if axis < len(shape) else 1
        if way.scale.size not in {1, extent} or way.offset.size not in {1, extent}:
            return one
        units = batch.indices // math.prod(shape[axis + 1 :]) % max(extent, 1)
        values = values * way.scale[units % way.scale.size] + way.offset[units % way.offset.size]
    made = replace(batch, values=values, dtype="float32")
    return replace(one, arrays={**one.arrays, (batch.role, batch.name): made})

"""Batches as the network is fed them, where its first layers only scale: Keras' ``Rescaling`` and ``Normalization``.

Pixels of 0 to 255 that a layer divides are the same inputs as pixels that a program divided before. So recorded
batches are taken through these layers, before they are held against another run's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.ingest.records import Recorded, StepRecording

F32 = npt.NDArray[np.float32]
#: A scale and an offset for each unit of the last axis, or one for all.
Affine = tuple[F32, F32]

#: What may stand before them and leaves the scale as it is; layers of random pictures do so in evaluation.
_PASSED: Final = ("InputLayer", "Random")
_MEAN, _STD = 0, 1


def fed(recordings: Sequence[StepRecording], ways: Sequence[Affine]) -> list[StepRecording]:
    """``recordings``, their batch taken through ``ways``, in float32 as the layers do."""
    return [_taken(one, ways) for one in recordings] if ways else list(recordings)


def ways(layers: Sequence[Mapping[str, Any]], recordings: Sequence[StepRecording]) -> list[Affine]:
    """What the model's first layers make of an input, layer by layer; nothing for several inputs.

    Args:
        layers: as the manifest lists them.
        recordings: steps of training, of which the outputs of a ``Normalization`` tell what it was adapted to.
    """
    if sum(str(one.get("class")) == "InputLayer" for one in layers) > 1:
        return []
    found: list[Affine] = []
    for layer in layers:
        kind, config = str(layer.get("class")), layer.get("config")
        config = config if isinstance(config, Mapping) else {}
        if kind == "Rescaling":
            way = _numbers(config.get("scale")), _numbers(config.get("offset", 0.0))
        elif kind == "Normalization":
            way = _seen(layer, fed(recordings, found)) or (None, None)
        elif kind.startswith(_PASSED):
            continue
        else:
            break
        if way[0] is None or way[1] is None:
            break
        found.append((way[0], way[1]))
    return found


def _numbers(told: Any) -> F32 | None:
    try:
        found = np.atleast_1d(np.asarray(told, np.float32))
    except (TypeError, ValueError):
        return None
    return found if found.ndim == 1 and np.isfinite(found).all() else None


def _seen(layer: Mapping[str, Any], recordings: Sequence[StepRecording]) -> Affine | None:
    """What a layer made of the batches: of each unit the mean and the standard deviation, before and after."""
    for one in recordings:
        batches, after = _inputs(one), None
        for name, array in one.of("units").items():
            if name in {layer.get("path"), layer.get("name")} and not array.sampled and array.values is not None:
                after = np.asarray(array.whole(), np.float64)
        if after is None or len(batches) != 1 or batches[0].sampled or not batches[0].shape:
            continue
        rows = np.asarray(batches[0].whole(), np.float64).reshape(-1, batches[0].shape[-1])
        if after.shape[1] != rows.shape[1] or not np.isfinite(rows).all():
            return None
        spread = rows.std(axis=0)
        scale = np.divide(after[_STD], spread, out=np.ones_like(spread), where=spread > 0)
        offset = after[_MEAN] - scale * rows.mean(axis=0)
        return scale.astype(np.float32), offset.astype(np.float32)
    return None


def _inputs(one: StepRecording) -> list[Recorded]:
    return [array for array in one.of("batch").values() if array.values is not None]


def _taken(one: StepRecording, through: Sequence[Affine]) -> StepRecording:
    batches = _inputs(one)
    if len(batches) != 1 or any(scale.size not in {1, _last(batches[0])} for way in through for scale in way):
        return one
    batch, units = batches[0], batches[0].indices % max(_last(batches[0]), 1)
    values = np.asarray(batch.values, np.float32)
    for scale, offset in through:
        values = values * scale[units % scale.size] + offset[units % offset.size]
    made = replace(batch, values=values, dtype="float32")
    return replace(one, arrays={**one.arrays, (batch.role, batch.name): made})


def _last(batch: Recorded) -> int:
    return batch.shape[-1] if batch.shape else 1

"""What a tape's recording holds of a loss that the program writes itself: the first operation that joins the two.

``tf.reduce_mean(-y * tf.math.log(p))`` is recorded as the operands of its product: what came of the data alone is
taken for the target, what came of the weights for the output. Only of a difference both are what they are taken for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import Evidence, data
from auditor.ingest.records import StepRecording

_OUTPUT: Final = ("output", "output0")
_MODEL: Final = ("output", "model0")
_TWO: Final = 2
#: Shares below it have no logarithm, and count for nothing in a divergence.
_LEAST: Final = 1e-300
#: Operations that change no number, but for a little that is added against zeros.
_PASSED: Final = frozenset({"Reshape", "Squeeze", "ExpandDims", "StridedSlice", "AddV2", "Identity", "Cast"})


def guessed(evidence: Evidence) -> bool:
    """Whether what a tape recorded as the target is what the loss was multiplied with."""
    told = evidence.first.facts.get("loss") if evidence.first is not None else None
    if evidence.framework != "tensorflow" or not isinstance(told, dict) or told.get("operation") != "arithmetic":
        return False
    joined = _joined(_nodes(told))
    return joined is not None and joined.get("op") == "Mul" and bool(evidence.steps[0].of("target"))


def of_model(evidence: Evidence) -> Evidence:
    """The evidence with the model's output where its logarithm was recorded, or what a target's logarithm is beyond."""
    return replace(evidence, steps=tuple(_undone(one) for one in evidence.steps))


def without_others(evidence: Evidence) -> Evidence:
    """The evidence without outputs that are other functions of the model's."""
    other = (_functions(one) not in ([], ["Log"]) and _MODEL not in one.arrays for one in evidence.steps)
    steps = (_bare(one) if stripped else one for one, stripped in zip(evidence.steps, other, strict=True))
    return replace(evidence, steps=tuple(steps))


def _undone(one: StepRecording) -> StepRecording:
    """``y * (log y - x)``, a divergence, is recorded as the difference and y; ``y * log p`` as the logarithm and y."""
    functions, found = _functions(one), one.arrays.get(_OUTPUT)
    if (given := one.arrays.get(_MODEL)) is not None:
        return replace(one, arrays={**one.arrays, _OUTPUT: given})
    if found is None or found.values is None:
        return one
    if functions == ["Log"]:
        values = np.exp(found.values)
    elif functions[:1] == ["Sub"] and (target := data(one, "target")) is not None and target.shape == found.shape:
        values = np.log(np.maximum(target, _LEAST)) - np.asarray(found.whole(), np.float64)
    else:
        return one
    return replace(one, arrays={**one.arrays, _OUTPUT: replace(found, values=values)})


def _bare(one: StepRecording) -> StepRecording:
    return replace(one, arrays={key: array for key, array in one.arrays.items() if key != _OUTPUT})


def _functions(one: StepRecording) -> list[str]:
    """What was done with the model's output before it met the data, the last first."""
    nodes = _nodes(one.facts.get("loss"))
    place, found = _made((_joined(nodes) or {}).get("inputs")), list[str]()
    while isinstance(place, int) and 0 <= place < len(nodes) and len(found) < len(nodes):
        found.append(str(nodes[place].get("op")))
        place = _made(nodes[place].get("inputs"))
    return [name for name in found if name not in _PASSED]


def _nodes(told: Any) -> list[Mapping[str, Any]]:
    graph = told.get("graph") if isinstance(told, Mapping) else None
    return [node if isinstance(node, Mapping) else {} for node in graph or []]


def _made(inputs: Sequence[Any] | None) -> Any:
    """The first input that the weights had a part in."""
    return next((place for place in inputs or () if place is not None), None)


def _joined(nodes: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The first operation below a loss of something of the weights and something of the data, no number."""
    return next((node for node in nodes if list(node.get("inputs") or ()).count(None) == 1 and _data(node)), None)


def _data(node: Mapping[str, Any]) -> bool:
    """Whether the input that is of no weight has a shape: ``1 - p`` and ``p + 1e-7`` have none."""
    shapes = list(node.get("input_shapes") or ())
    place = list(node["inputs"]).index(None)
    return len(node["inputs"]) == _TWO and len(shapes) == _TWO and bool(shapes[place])

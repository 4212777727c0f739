"""Networks of the same operations that still differ: a part that is never read, layouts, the output: FWD-00, FWD-13."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import F64, Evidence, data
from auditor.compare.identify.functions import FUNCTIONS
from auditor.compare.profile import Profile
from auditor.compare.recognise import sizes
from auditor.compare.recognise.cause import Cause
from auditor.compare.structure import Difference, Operation

#: Recorded steps of which all must show nothing, for a weight to count as never read.
_STEPS: Final = 5
_KERNEL: Final = 2
_IMAGE: Final = 4


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """What else differs where the operations are the same."""
    yield from _flattened(a, b)
    yield from _unread(a, b)
    yield from _last(a, b)


def _unread(a: Profile, b: Profile) -> Iterator[Cause]:
    """A weight of a layer that is read whose gradient is nothing at every step: the loss does not depend on it."""
    found = [_never(side.evidence) for side in (a, b)]
    if bool(found[0]) == bool(found[1]):
        return
    words = tuple(", ".join(names) or "none" for names in found)
    effect = (
        f"the loss does not depend on {words[0] if found[0] else words[1]} on one side: a part of it is left unread"
    )
    yield Cause("FWD-00", "forward.unread", (words[0], words[1]), sizes.ANOTHER / 2, effect)


def _never(evidence: Evidence) -> list[str]:
    kernels = [track for track in evidence.tracks if len(track.shape) >= _KERNEL and len(track.norms) >= _STEPS]
    still = [track.name for track in kernels if not track.norms.any()]
    read = {_layer(track.name) for track in kernels if track.norms.all()}
    return [name for name in still if _layer(name) in read]


def _layer(name: str) -> str:
    return name.rpartition("/")[0] or name.rpartition(".")[0]


def _last(a: Profile, b: Profile) -> Iterator[Cause]:
    """What is applied to the output, where functions between layers were not seen to run."""
    functions = [_function(side) for side in (a, b)]
    if None in functions or functions[0] == functions[1] or (a.structure.whole and b.structure.whole):
        return
    left, right = (Operation("activation", "", {"function": str(one)}) for one in functions)
    size, said = sizes.of(Difference(left, right, "function"), a, b)
    yield Cause("FWD-10", "forward.output_activation", (functions[0], functions[1]), size, f"at the output {said}")


def _function(side: Profile) -> str | None:
    """The activation of the output; None where it is unknown or the loss's matter."""
    told = {one.facts["output_activation"] for one in side.evidence.steps if one.facts.get("output_activation")}
    name = str(told.pop()) if len(told) == 1 else ""
    return name if name in FUNCTIONS and name not in {"sigmoid", "softmax"} else None


def _flattened(a: Profile, b: Profile) -> Iterator[Cause]:
    """A kernel copied between images with channels first and last as it stood: its rows belong to other pixels."""
    if (a.framework == "torch") == (b.framework == "torch") or not all(_image(side) for side in (a, b)):
        return
    torch, keras = (a, b) if a.framework == "torch" else (b, a)
    if any(str(layer.get("class")).rpartition(".")[2] == "Permute" for layer in keras.layers):
        return  # it puts the channels first, as PyTorch has them, or where nobody asks
    graphs = [graph for one in torch.evidence.steps if isinstance(graph := one.facts.get("operations"), list)]
    if any(isinstance(node, Mapping) and node.get("turned") for graph in graphs for node in graph):
        return  # its images are turned before they are flattened: the kernel is right as it stood
    kinds = [one.kind for one in torch.structure.operations]
    channels = next((one.settings.get("units") for one in torch.structure.operations[::-1] if one.kind == "conv"), None)
    if not isinstance(channels, int) or channels < 2 or any(kind.startswith("global") for kind in kinds):
        return
    mine = next((kernel for kernel in _kernels(torch) if kernel.shape[1] > channels), None)
    if mine is None or mine.shape[1] % channels:
        return
    if any(other.shape == mine.T.shape and np.allclose(other, mine.T, 1e-6, 1e-7) for other in _kernels(keras)):
        effect = "the kernel after the flatten was copied as it stood: its rows belong to other pixels"
        values = ("(C, H, W)", "(H, W, C)") if a is torch else ("(H, W, C)", "(C, H, W)")
        yield Cause("FWD-13", "forward.flatten", values, sizes.ANOTHER, effect)


def _image(side: Profile) -> bool:
    first = next((batch for one in side.evidence.steps if (batch := data(one, "batch")) is not None), None)
    return first is not None and first.ndim == _IMAGE


def _kernels(side: Profile) -> list[F64]:
    return [array for array in whole(side) if array.ndim == _KERNEL]


def whole(side: Profile) -> list[F64]:
    """The weights before the first step, those that were recorded whole."""
    arrays = side.evidence.beginning.values()
    return [np.asarray(one.whole(), np.float64) for one in arrays if not one.sampled and one.values is not None]

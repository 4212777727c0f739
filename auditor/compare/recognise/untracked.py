"""Layers that compute on both sides and that one side does not train: BWD-00 or OPT-00, and no missing layer.

In PyTorch a plain list or dict of layers is invisible to ``parameters()``; in Keras so are layers within an object of
one's own. That side has fewer weights, and its network looks shorter, while its outputs are those of the whole one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from auditor.compare.identify.alike import equal, numbers
from auditor.compare.identify.conduct import declared_sizes
from auditor.compare.identify.evidence import F64, data
from auditor.compare.identify.loss_pairs import data_loss
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, close, percent
from auditor.compare.structure import words
from auditor.ingest.records import StepRecording

#: Relative difference of two losses of equal outputs that is rounding.
_ROUNDING: Final = 2e-5
#: Part of a gradient below which it is rounding on its way: a bias before a normalisation, one of attention's keys.
_PUSHED: Final = 1e-3
#: Different numbers in a layer that may change nothing: zeros and ones.
_CONSTANT: Final = 2
#: Axes of a kernel.
_KERNEL: Final = 2
#: Tensors that are named, at most.
_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Untracked:
    """``side``: that which computes with the tensors and does not train them; ``names``: what the other calls them."""

    side: Literal["a", "b"]
    names: tuple[str, ...]
    share: float
    """The part of the other side's weights that lies in them."""
    said: str
    listed: bool = False
    """Whether its model lists layers that are not trained: frozen, or left out by the optimizer."""

    def cause(self) -> Cause:
        """What there is to tell."""
        names = ", ".join(self.names[:_NAMED]) + (" ..." if len(self.names) > _NAMED else "")
        entry, parameter, mine, theirs = "BWD-00", "backward.untracked", "not trained", names
        if self.listed:
            entry, parameter, mine, theirs = "OPT-00", "update.frozen", names, "none"
        values = (mine, theirs) if self.side == "a" else (theirs, mine)
        effect = f"{percent(self.share)} of the weights compute on both sides and are trained on one: {self.said}"
        return Cause(entry, parameter, values, max(0.1, self.share), effect, mend=self.side)


def weigh(causes: Sequence[Cause], found: Untracked | None) -> list[Cause]:
    """With what was found, and without the layers that are said to be missing because of it.

    Where the weights are declared and stand still, ``update.frozen`` tells that already.
    """
    if found is None:
        return list(causes)
    kept = [cause for cause in causes if not _missing(cause, found.side)]
    known = any(cause.parameter == "update.frozen" and cause.mend == found.side for cause in kept)
    return kept if known else [*kept, found.cause()]


def _missing(cause: Cause, side: Literal["a", "b"]) -> bool:
    """Whether a cause is of operations, or tensors, that the other side alone is seen to have."""
    mine = cause.values["ab".index(side)]
    return cause.parameter.startswith("forward.") and cause.id.startswith("FWD") and mine == "none"


def by_record(a: Profile, b: Profile) -> Untracked | None:
    """By parameters behind a recorded output that nobody holds: matrices of the sizes that the other side has more."""
    strays = [_strays(side) for side in (a, b)]
    if bool(strays[0]) == bool(strays[1]):
        return None
    side: Literal["a", "b"] = "a" if strays[0] else "b"
    (one, found), other = ((a, strays[0]), b) if strays[0] else ((b, strays[1]), a)
    mine, theirs = _kernels(one), _kernels(other)
    more = Counter(theirs.values()) - Counter(mine.values())
    # All that the other side has more: of what is left over a layer may be missing all the same.
    if not found or more - found or found - more:
        return None
    names = tuple(name for name, size in theirs.items() if size in more)
    share = sum(size * count for size, count in more.items()) / max(1, sum(theirs.values()))
    return Untracked(side, names, share, "on the other neither model nor optimizer holds them")


def _strays(side: Profile) -> Counter[int]:
    """Sizes of the kernels behind an output that neither the model nor an optimizer holds, as an agent tells them."""
    told: list[Any] = next((one.facts["unowned"] for one in side.evidence.steps if one.facts.get("unowned")), [])
    shapes = [one["shape"] for one in told if isinstance(one, Mapping) and isinstance(one.get("shape"), list)]
    return Counter(int(np.prod(shape)) for shape in shapes if len(shape) >= _KERNEL)


def _kernels(side: Profile) -> dict[str, int]:
    """Elements of the weights with two axes or more that are trained, by name."""
    first = side.evidence.first
    gradients = first.of("gradient") if first is not None else {}
    weights = first.of("weight") if first is not None else {}
    return {name: one.size for name, one in weights.items() if name in gradients and len(one.shape) >= _KERNEL}


def by_weights(a: Profile, b: Profile) -> Untracked | None:
    """By the first weights, losses and gradients; given that the first outputs of equal batches are found to agree.

    All weights of one side are among the other's, number by number, and its model declares no more of them. What the
    other has beside moves its loss, and the two losses are equal: so the numbers are in that one's too. Not so of
    what changes nothing (see ``_neutral``), nor of one tensor that is used twice.
    """
    left, right = a.evidence.first, b.evidence.first
    if left is None or right is None or _another_loss(left, right):
        return None
    counts = [len(numbers(one, "weight")) for one in (left, right)]
    side: Literal["a", "b"] = "a" if counts[0] < counts[1] else "b"
    (one, less), more = ((a, left), right) if side == "a" else ((b, right), left)
    extra = _beside(less, more)
    if not extra or not _complete(one, less) or not _part(a, b):
        return None
    if one.framework == "tensorflow" and _another_model(one):
        return None  # an optimizer of its own may train it, which is not recorded
    telling = {name: values for name, values in extra.items() if not _neutral(more, name)}
    if not telling or not _pushed(more, list(telling)):
        return None
    whole = sum(array.size for array in more.of("weight").values())
    share = sum(len(values) for values in extra.values()) / max(1, whole)
    said = "first outputs and losses are the same numbers"
    return Untracked(side, tuple(extra), share, said, _listed(one, less))


def _another_loss(a: StepRecording, b: StepRecording) -> bool:
    losses = data_loss(a), data_loss(b)
    return losses[0] is None or losses[1] is None or not close(losses[0], losses[1], _ROUNDING)


def _part(a: Profile, b: Profile) -> bool:
    """Whether the losses part once steps were taken: weights that both train would keep them together."""
    others = {one.step: data_loss(one) for one in b.evidence.steps[1:]}
    pairs = [(data_loss(one), others.get(one.step)) for one in a.evidence.steps[1:]]
    return any(mine is not None and theirs is not None and not close(mine, theirs, _ROUNDING) for mine, theirs in pairs)


def _another_model(side: Profile) -> bool:
    """Whether layers ran in a loop that are a whole model's, not this one's: their paths begin with its name."""
    own = {str(one.get("path") or one.get("name")).partition("/")[0] for one in side.layers}
    told = [each for one in side.evidence.steps for each in one.facts.get("layers") or () if isinstance(each, Mapping)]
    paths = [str(each.get("name")).partition("/") for each in told]
    return any(within and top not in own for top, within, _ in paths)


def _beside(less: StepRecording, more: StepRecording) -> dict[str, F64]:
    """The tensors that one side has beside all of the other's; none where not all are among them, or one comes twice.

    A tensor that one side uses in two places and the other has as two copies is there on both.
    """
    mine, theirs = numbers(less, "weight"), numbers(more, "weight")
    for values in mine.values():
        match = next((name for name, other in theirs.items() if equal(values, other)), None)
        if match is None:
            return {}
        del theirs[match]
    twice = any(equal(values, other) for values in mine.values() for other in theirs.values())
    return {} if not mine or twice else theirs


def _complete(side: Profile, first: StepRecording) -> bool:
    """Whether every weight that the model declares was recorded: none is frozen, or left out for its size."""
    declared = declared_sizes(side.manifest or {})
    recorded = sum(one.size for one in first.of("weight").values())
    return bool(declared) and sum(declared.values()) == recorded


def _listed(side: Profile, first: StepRecording) -> bool:
    """Whether the model lists layers with weights of which none was recorded, or says that some are frozen."""
    model = (side.manifest or {}).get("model")
    weighted = [one for one in side.layers if words.kind_of(one.get("class")) in words.WEIGHTED]
    paths = [str(one.get("path") or one.get("name")) for one in weighted]
    idle = [path for path in paths if not any(name.startswith((f"{path}.", f"{path}/")) for name in first.of("weight"))]
    return bool(idle) or (isinstance(model, Mapping) and bool(model.get("frozen")))


def _neutral(one: StepRecording, name: str) -> bool:
    """Whether a layer of such numbers may give what it is given: a scale of ones, an identity, any constant."""
    values = data(one, "weight", name)
    return values is None or len(np.unique(values)) <= _CONSTANT


def _pushed(one: StepRecording, names: Sequence[str]) -> bool:
    """Whether a gradient reaches each of these, and as a part of the whole one that is none of rounding."""
    found = {name: data(one, "gradient", name) for name in one.of("gradient")}
    norms = {name: float(np.linalg.norm(values)) for name, values in found.items() if values is not None}
    mine = [norms.get(name, 0.0) for name in names]
    return all(mine) and np.linalg.norm(mine) > _PUSHED * np.linalg.norm(list(norms.values()))

"""The pairs of several steps end to end: a pointwise loss is taken of all their elements at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from auditor.compare.identify import losses
from auditor.compare.identify.evidence import F64
from auditor.compare.identify.loss_pairs import Pair, smooth

#: Losses of elements that look at a step's others: at what its targets are, at a softmax over outputs without columns.
_OF_A_STEP: Final = (losses.hinge, losses.squared_hinge, losses.divergence_logits)
#: Elements beyond which nothing is gained: the arithmetic takes the time, not the calls.
_MOST: Final = 1 << 16


@dataclass(frozen=True)
class Joined:
    """Pairs of which each has a target in its output's shape."""

    pairs: Sequence[Pair]

    @cached_property
    def values(self) -> F64:
        """The recorded losses."""
        return np.array([pair.value for pair in self.pairs])

    @cached_property
    def _whole(self) -> tuple[F64, F64] | None:
        """All outputs and all targets; None where they do not fit together, or are long already."""
        shapes = {array.shape[1:] for pair in self.pairs for array in (pair.output, pair.target)}
        if len(shapes) != 1 or sum(pair.output.size for pair in self.pairs) > _MOST:
            return None
        if any(len(pair.output) != len(pair.target) for pair in self.pairs):
            return None
        return np.concatenate([pair.output for pair in self.pairs]), np.concatenate(
            [pair.target for pair in self.pairs]
        )

    @cached_property
    def _rows(self) -> list[slice]:
        ends = np.cumsum([0, *(len(pair.output) for pair in self.pairs)]).tolist()
        return [slice(first, last) for first, last in itertools.pairwise(ends)]

    def parts(self, function: str, loss: losses.Pointwise, smoothing: float) -> list[F64] | None:
        """What a loss makes of each step, of targets so smoothed; None where some of it is not finite."""
        if self._whole is None or loss in _OF_A_STEP:
            parts = [loss(pair.output, smooth(pair.target, function, smoothing)) for pair in self.pairs]
            return parts if all(np.isfinite(part).all() for part in parts) else None
        output, target = self._whole
        whole = loss(output, smooth(target, function, smoothing))
        return [whole[rows] for rows in self._rows] if np.isfinite(whole).all() else None

"""Backward passes that make one update of a script's own, and the sum of what they gave.

A script that updates its weights itself does so after each pass or after every n-th, with gradients that ``backward()``
adds up, or that it adds up itself as ``torch.autograd.grad`` gives them. How many passes an update has shows in those
before which the weights had changed: twice running at equal distances, with the same leaves behind every loss between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from torch import Tensor

#: Changes at equal distances that tell it.
RUNNING: Final = 2
#: Bytes of gradients whose sum is kept; of larger models whose script adds them up itself no step is told.
MOST: Final = 1 << 26


class Gathered:
    """How many passes an update has, and how far the one under way is."""

    def __init__(self) -> None:
        self.period = 0
        """Passes of an update; 0 until that is known."""
        self.count = 0
        """Passes of the update under way."""
        self._begun: list[int] = []
        self._leaves: frozenset[int] = frozenset()
        self._sums: dict[int, Tensor] = {}

    @property
    def missed(self) -> int:
        """Updates that were over when the period became known, so far as they were noticed."""
        return len(self._begun) - 1

    def hears(self, leaves: Iterable[Tensor], *, changed: bool) -> None:
        """A pass begins at a loss with these leaves, of which many have, or have not, changed since the one before."""
        behind = frozenset(map(id, leaves))
        if not changed and (behind != self._leaves or not self._begun):
            self._begun, self.count = [0], 0  # whatever came before was another kind of pass
        self._leaves = behind
        self.count += 1
        if changed:
            self._begun.append(self._begun[-1] + self.count - 1 if self._begun else 0)
            self.count = 1
        gaps = [after - before for before, after in zip(self._begun, self._begun[1:], strict=False)][-RUNNING:]
        self.period = gaps[0] if len(gaps) == RUNNING and len(set(gaps)) == 1 else 0

    def passed(self) -> bool:
        """A pass is over, of known period: whether the update comes now."""
        self.count += 1
        return self.count >= self.period

    def ends(self) -> None:
        """The update was made."""
        self.count, self._sums = 0, {}

    def lend(self, leaves: Sequence[Tensor]) -> None:
        """Let the leaves hold what was gathered, as they would if ``backward()`` had done it."""
        for leaf in leaves:
            leaf.grad = self._sums.get(id(leaf))

    def add(self, leaf: Tensor, gradient: Tensor | None) -> Tensor | None:
        """What the script has of the leaf's gradient once it added this one."""
        if self.period <= 1 or gradient is None:
            return gradient
        before = self._sums.get(id(leaf))
        self._sums[id(leaf)] = gradient.detach().clone() if before is None else before.add_(gradient)
        return self._sums[id(leaf)]


def small(leaves: Iterable[Tensor]) -> bool:
    """Whether a sum of their gradients may be kept."""
    return sum(leaf.numel() * leaf.element_size() for leaf in leaves) <= MOST

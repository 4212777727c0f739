"""Which optimizer's steps are the run's: the first one's, until another follows it.

A model and its optimizer made anew for each fold or epoch, a second phase with an optimizer of its
own: the one before is done, and the new one's steps are the run's from its first on. Optimizers that
act by turns (a GAN's, an actor's and a critic's) are another matter: there the first one's steps stay
the run's. Which it is shows in what went before: who acts by turns does so after a few steps, in one
function even before the first. What was taken wrongly is put right: an optimizer that was followed and
acts again gets the run back, and the one that followed acts by turns with it.
"""

from __future__ import annotations

import weakref
from typing import Any, Final

import tensorflow as tf

#: Steps in a row that others take while one that acts by turns with them waits: a critic's per generator's
#: step are 5 in WGAN (Arjovsky et al. 2017), and seldom more. Who took more was trained for itself.
_TURN: Final = 8
#: As many times, of one that was seen to act by turns: then a phase of its own has begun.
_PHASE: Final = 8


class _Hand:
    """Stands for a loop that assigns its variables by hand."""


class Succession:
    """Decides, as optimizers act or are traced, whose steps are the run's; None: of a loop that assigns by hand."""

    def __init__(self) -> None:
        self._hand = _Hand()
        self._owner: weakref.ref[Any] | None = None
        self._followed: weakref.WeakSet[Any] = weakref.WeakSet()
        self._turns: weakref.WeakSet[Any] = weakref.WeakSet()
        self._refused: weakref.WeakSet[Any] = weakref.WeakSet()
        self._others, self._few = 0, _TURN
        self._graph: weakref.ref[Any] | None = None

    def begin(self, optimizer: Any) -> None:
        """The run's steps are those of ``optimizer`` from here on."""
        self._owner = weakref.ref(self._who(optimizer))
        self._others, self._graph = 0, None

    def _who(self, optimizer: Any) -> Any:
        return self._hand if optimizer is None else optimizer

    def owns(self, optimizer: Any) -> bool:
        """Whether the steps of ``optimizer`` are the run's, as far as was decided."""
        return self._owner is not None and self._owner() is self._who(optimizer)

    def acting(self) -> None:
        """The one whose steps are the run's acts or is traced: who did meanwhile acts by turns with it."""
        self._turns |= self._refused
        self._refused.clear()
        self._others, self._graph = 0, _graph()

    def follows(self, optimizer: Any, steps: int) -> bool:
        """Whether ``optimizer``, which is not the owner and acts now, takes over.

        Args:
            optimizer: acts.
            steps: that the owner has taken since it became that.
        """
        acts = self._who(optimizer)
        if self._together():
            return False
        self._others += 1
        owner = None if self._owner is None else self._owner()
        if owner is not None and not self._succeeds(owner, acts, steps):
            self._refused.add(acts)
            return False
        if owner is not None and owner not in self._turns:
            self._followed.add(owner)
        self._followed.discard(acts)
        self._refused.clear()
        self.begin(optimizer)
        return True

    def beside(self, optimizer: Any) -> bool:
        """Whether ``optimizer``, which was refused, is known to act by turns with the owner."""
        return self._together() or self._who(optimizer) in self._turns

    def _together(self) -> bool:
        """Whether what is being traced is the function in which the owner acts."""
        graph = _graph()
        return graph is not None and self._graph is not None and graph() is self._graph()

    def _succeeds(self, owner: Any, acts: Any, steps: int) -> bool:
        if acts in self._followed:
            self._turns.add(owner)
            self._few = _TURN
            return True
        if acts in self._turns:
            return self._others > _TURN * _PHASE
        if self._others >= _TURN:
            self._few = 1  # the owner was done after so few steps: so may the next one be
        return max(steps, self._others) >= self._few


def _graph() -> weakref.ref[Any] | None:
    """The outermost function that is being traced; None where none is."""
    if tf.executing_eagerly():
        return None
    graph = tf.compat.v1.get_default_graph()
    while getattr(getattr(graph, "outer_graph", None), "building_function", False):
        graph = graph.outer_graph
    return weakref.ref(graph)

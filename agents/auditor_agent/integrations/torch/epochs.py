"""Passes over the training data, told by the data loader that is begun anew.

PyTorch has no epochs; a loop over a ``DataLoader`` makes one. While a run lives
``DataLoader.__iter__`` is wrapped: the loader that was begun before the last step is the one trained
on, and an epoch ends when it, or another in its place, is begun again. A loader that no step
follows (validation) is none of it. Loops without a loader have no epochs here.

A loader begun anew at each single step (``next(iter(loader))``) makes no epochs; the event
``loader_restarted`` says so once.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Final

from torch.utils.data import DataLoader

from auditor_agent.integrations.torch.wraps import Wraps, tell

try:
    from auditor_agent.capture.batches import Epoch
except ImportError:  # no NumPy: no digests
    Epoch = None  # type: ignore[assignment, misc]

#: Single steps in a row, each with a loader begun anew, after which that is said.
_RESTARTS: Final = 8


class Epochs:
    """Counts the steps between two beginnings of the training loader.

    Args:
        run: gets the events ``epoch`` and ``loader_restarted``.
        number: gives the number of the last step.
    """

    def __init__(self, run: Any, number: Callable[[], int]) -> None:
        self._run, self._number = run, number
        self._epoch: Any = Epoch() if Epoch is not None else None
        self._begun = self._digested = self._restarts = 0
        self._trained: weakref.ref[Any] | None = None
        self._fresh: tuple[weakref.ref[Any], int, int] | None = None
        """The loader begun since the last step, the number of that step, and its batches."""

    def attach(self) -> None:
        """Begin to listen. Idempotent."""
        if self not in _listening:
            _listening.append(self)
            if not _wraps:
                _wraps.put(DataLoader, "__iter__", _iter)

    def detach(self) -> None:
        """Stop listening. Idempotent."""
        if self in _listening:
            _listening.remove(self)
        if not _listening:
            _wraps.off()

    def begin(self, loader: Any) -> None:
        """``loader`` is iterated from its beginning."""
        trained = self._trained() if self._trained is not None else None
        if trained is loader:
            self._end(self._number(), _length(loader))
        else:
            self._fresh = weakref.ref(loader), self._number(), _length(loader)

    def evaluates(self) -> None:
        """A pass without gradients: the loader begun last is not the one trained on."""
        self._fresh = None

    def step(self, samples: int, digest: int | None) -> None:
        """A training step on a batch of so many samples is under way."""
        if self._fresh is not None:
            (fresh, number, batches), self._fresh = self._fresh, None
            if self._trained is None:
                self._trained = fresh
            elif self._trained() is None:  # made within the loop, for one epoch
                self._end(number, batches)
                self._trained = fresh
        if self._epoch is not None and digest is not None:
            self._epoch.add(digest, samples)
            self._digested += 1

    def _end(self, number: int, batches: int) -> None:
        steps, digested, self._begun, self._digested = number - self._begun, self._digested, number, 0
        if steps <= 1 < batches:
            self._restarts += steps
            if steps == 1 and self._restarts == _RESTARTS:
                self._run.event(number, "loader_restarted", steps=self._restarts, batches=batches)
            return
        self._restarts = 0
        if self._epoch is None or not steps:
            return
        told = self._epoch.end()
        if digested != steps:  # the first step is not heard: half an order is none
            told = {"epoch": told["epoch"]}
        self._run.event(number, "epoch", **{**told, "steps": steps, "batches": batches})


_listening: Final[list[Epochs]] = []
_wraps: Final = Wraps()


def _length(loader: Any) -> int:
    try:
        return len(loader)
    except TypeError:  # an iterable data set has none
        return 0


def _iter(original: Callable[..., Any]) -> Callable[..., Any]:
    def __iter__(self: Any) -> Any:  # noqa: N807 - stands in for the method of that name
        tell(_listening, Epochs.begin, self)
        return original(self)

    return __iter__

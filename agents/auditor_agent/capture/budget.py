"""The agent's share of a step's time, and what it leaves out to keep to it.

What is read now and then (activations, updates, weights) is read at the first steps and after that
every so many. From the time each of them took, the gradients' and the steps' own, it is worked out
every ``WINDOW`` steps how rarely they may be read: activations give way first, then updates, then
weights, then histograms, at last gradients; the loss never. Nothing here reads a clock.

Histograms are made in one pass with the gradients' statistics. What they cost is what such steps
take longer than those without; as long as there were none without, half.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping
from typing import Final

from auditor_agent.config import Config
from auditor_agent.guard import note

#: Kinds in the order in which they give way.
SAMPLED: Final = ("activation", "update", "weight")
HISTOGRAM: Final = "histogram"
GRADIENT: Final = "gradient"
#: Sampled kinds are read at each of the first steps, then every so many.
FIRST: Final = 5
EVERY: Final = 50
#: Steps between two reckonings.
WINDOW: Final = 50
#: Longest interval, as a multiple of the ordinary one.
_MOST: Final = 64
#: Seconds a step below which nothing gives way unless AUDITOR_BUDGET was set: in a model whose step
#: takes a few milliseconds, what is missed costs more than that.
FLOOR: Final = 5e-4
DEFAULT: Final = 0.01
#: Weight of the newest measurement.
_FRESH: Final = 0.3


class Budget:
    """When to read what.

    Args:
        share: part of the step's time that the agent may take.
        floor: seconds a step up to which nothing gives way.
        histograms: steps between two at which gradients have histograms; 0: none have.
    """

    def __init__(self, share: float = DEFAULT, floor: float = FLOOR, histograms: int = 0) -> None:
        self.share, self.floor, self.histograms = share, floor, histograms
        self.stretch = dict.fromkeys((*SAMPLED, HISTOGRAM, GRADIENT), 1)
        """By how much each kind is read more rarely than it ordinarily is."""
        self._cost: dict[str, float] = {}
        self._fixed: list[float] = []
        self._counted: list[float] = []  # as _fixed, of steps with histograms
        self._part = 0.5  # of what such a step takes, the histograms'
        self._steps: list[float] = []
        self._told: set[str] = set()

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, histograms: int | None = None) -> Budget:
        """AUDITOR_BUDGET, a part of the step's time such as 0.01. Once set it is kept however short the step.

        ``histograms``: as AUDITOR_HISTOGRAMS has it unless given.
        """
        every = Config.from_env(environ).histograms if histograms is None else max(0, histograms)
        text = (os.environ if environ is None else environ).get("AUDITOR_BUDGET", "").strip()
        try:
            share = float(text or DEFAULT)
        except ValueError:
            share = -1.0
        if share > 0:
            return cls(share, 0.0 if text else FLOOR, every)
        note("AUDITOR_BUDGET is no positive number: ignored")
        return cls(histograms=every)

    def due(self, kind: str, step: int) -> bool:
        """Whether ``kind`` is to be read at ``step`` (from 1)."""
        if kind == GRADIENT:
            return step <= FIRST or step % self.stretch[kind] == 0
        if kind == HISTOGRAM:
            return self.histograms > 0 and (step == 1 or step % self.every(kind) == 0)
        return step <= FIRST or step % (EVERY * self.stretch[kind]) == 0

    def next(self, step: int) -> int:
        """The first step after ``step`` at which anything sampled is due."""
        if step < FIRST:
            return step + 1
        return min((step // every + 1) * every for every in map(self.every, SAMPLED))

    def charge(self, kind: str, seconds: float) -> None:
        """Reading ``kind`` once took so long."""
        before = self._cost.get(kind, seconds)
        # The first readings pay for warming up: they would stand for too much.
        self._cost[kind] = min(seconds, before) if before > 4 * seconds else before + _FRESH * (seconds - before)

    def step(self, seconds: float, fixed: float | None, *, histograms: bool = False) -> dict[str, int]:
        """A step took ``seconds``, of which the agent ``fixed`` besides what it samples (None: no gradients read).

        ``histograms``: they were made as well.

        Returns:
            What gives way from now on and had never before: kind and how many steps apart.
        """
        self._steps.append(seconds)
        if fixed is not None:
            (self._counted if histograms else self._fixed).append(fixed)
        if len(self._steps) < WINDOW:
            return {}
        news = self._reckon()
        self._fixed, self._counted, self._steps = self._fixed[-1:], self._counted[-1:], []
        return news

    def _reckon(self) -> dict[str, int]:
        # Medians: a validation between two steps, a page fault, are not what a step takes.
        step = statistics.median(self._steps)
        plain, counting = self._parts()
        each = plain + counting
        allowed = max(self.share * (step - each), self.floor)
        stretch = dict.fromkeys(self.stretch, 1)
        for kind in SAMPLED:
            while each + self._sampled(stretch) > allowed and stretch[kind] < _MOST and kind in self._cost:
                stretch[kind] *= 2
        if counting:
            while each + self._sampled(stretch) > allowed and stretch[HISTOGRAM] < _MOST:
                stretch[HISTOGRAM] *= 2
                each = plain + counting / stretch[HISTOGRAM]
        known = bool(self._fixed) or not self._counted  # else first see what thinner histograms give
        while known and each / stretch[GRADIENT] > allowed and stretch[GRADIENT] < _MOST:
            stretch[GRADIENT] *= 2
        self.stretch = stretch
        news = {kind: self.every(kind) for kind, factor in stretch.items() if factor > 1 and kind not in self._told}
        self._told.update(news)
        return news

    def _parts(self) -> tuple[float, float]:
        """Seconds a step that the gradients take, and those of their histograms at their ordinary pace."""
        plain = statistics.median(self._fixed) if self._fixed else None
        if not self._counted:
            return plain or 0.0, 0.0
        both = statistics.median(self._counted)
        if plain is not None:
            self._part = max(0.0, 1 - plain / both) if both > 0 else 0.0
        return both * (1 - self._part), both * self._part / self.histograms

    def _sampled(self, stretch: Mapping[str, int]) -> float:
        """Seconds a step that the sampled kinds take, spread over all steps."""
        return sum(self._cost.get(kind, 0.0) / (EVERY * stretch[kind]) for kind in SAMPLED)

    def every(self, kind: str) -> int:
        """Steps between two readings of ``kind``."""
        return self.stretch[kind] * {GRADIENT: 1, HISTOGRAM: self.histograms}.get(kind, EVERY)

"""What the rule of learning rates goes by: its thresholds, and what it remembers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from auditor.detect.evidence.anew import Anew
from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.course import Course
from auditor.detect.view import F64


@dataclass(frozen=True, slots=True)
class RateParameters:
    """Thresholds, ours unless said otherwise.

    ``zero_steps``: steps from the first on with a rate of 0, 50 (a warm-up leaves 0 after one). ``promised``: what
    a step takes off the loss to first order, gradient times update over the loss, 5e-5: at that rate a tenth of the
    loss takes 2,000 steps; healthy runs of the zoo promise 1e-3 to 0.4, a rate 10,000 times too small 5e-7.
    ``flat``: and the loss has moved by less than 5 % (and two standard errors of its medians), ``near``: staying
    above this part of the cost of guessing, 0.5 (a model that goes on from good weights may creep). ``longer``: the
    rate has not grown since by more than this factor, 3. ``low``: part of the largest rate below which a schedule
    has come to nothing, 1e-3; ``spent``: what it gave before, in steps at its largest rate, 30; ``late``: part of
    the steps that are left with nothing, 0.5; ``open``: part of the cost of guessing above which there was more to
    learn, 0.1, by a run that began above ``near`` (so few steps bring no new network to where its data let it go).
    ``high``: part of the largest rate, 0.1, above which steps count as those of a schedule that gave more than
    ``spent``: in the second half of them, of ``seen``, 40 steps at least, the loss was surely falling, at a pace that
    in the steps left with nothing (``pace``, 4, times as many at most) takes ``taken``, 0.2, of it; likewise before
    the first time that a rate was cut at one go.
    ``idle``, ``share``: part of the steps that are left with nothing, 0.8, where the whole schedule gave the worth of
    a tenth of them, 0.1: nobody asks for ten times the steps that there are to use. Then a schedule that gave
    ``few``, 100, full steps is none either, and one that cut off a falling loss is told down to ``rest``, 0.01.
    ``stride``: largest update over weight, median of the layers, 0.3 (healthy: 1e-3, CP; up to 0.1 in a warm-up).
    ``thrown``: the same of a run whose loss went to half as much again as its start (and the cost of guessing) at once
    and then, over ``idle_steps``, 100, losses or more, never came below ``kept`` of that cost, nor in the last 100
    below ``guess`` of it, 0.98: 0.1, which no healthy run exceeds but in a warm-up (RULES.md: ``update_ratio``).
    ``risen``: times the rate of the best losses that a rate has grown to which the run was lost, 10; ``learnt``:
    part of the cost of guessing that it had come below before, 0.7. ``jump``: the loss went beyond so many times
    its start, 3. ``kept``: and is still above this part of it after 50 steps, 0.9. ``scaled``: loss scale below
    which it does no harm left out, 16; ``exact``: how near the loss must be what the scale was never applied to,
    0.02. ``heavy``: a momentum, 0.995, that adds up 200 steps (0.9 adds up 10; 0.99, 100, is published: nnU-Net).
    """

    zero_steps: int = 50
    promised: float = 5e-5
    flat: float = 0.05
    near: float = 0.5
    longer: float = 3.0
    low: float = 1e-3
    spent: float = 30.0
    late: float = 0.5
    open: float = 0.1
    high: float = 0.1
    seen: int = 40
    taken: float = 0.2
    pace: float = 4.0
    idle: float = 0.8
    share: float = 0.1
    few: float = 100.0
    rest: float = 0.01
    stride: float = 0.3
    thrown: float = 0.1
    idle_steps: int = 100
    guess: float = 0.98
    risen: float = 10.0
    learnt: float = 0.7
    jump: float = 3.0
    kept: float = 0.9
    heavy: float = 0.995
    scaled: float = 16.0
    exact: float = 0.02


@dataclass(slots=True)
class RateMemory:
    """``drops``: loss that each recorded first step promised to take off; ``strides``: its update over weight.

    ``latest``: loss that the last recorded one promised. ``scale``: that the optimizer divides gradients by.
    ``rates``: those of the losses in ``course``. ``given``: sum of the rates of ``steps``; ``low``: those at next to
    nothing of the largest.
    """

    course: Course = field(default_factory=Course)
    anew: Anew = field(default_factory=Anew)
    cost: Cost = field(default_factory=Cost)
    rates: F64 = field(default_factory=lambda: np.zeros(0))
    drops: list[float] = field(default_factory=list)
    latest: float = math.nan
    strides: list[float] = field(default_factory=list)
    recorded_rate: float = math.nan
    largest_rate: float = math.nan
    known: int = 0
    zeros: int = 0
    given: float = 0.0
    steps: int = 0
    low: int = 0
    scale: float = math.nan
    broken: list[float] = field(default_factory=list)
    """Step and time of a loss that is no number, among the first."""

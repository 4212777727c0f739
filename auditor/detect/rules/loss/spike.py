"""The loss jumps out of its range."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from auditor.detect.evidence.series import Recent, running_median
from auditor.detect.rule import Moment, Rule
from auditor.detect.view import F64, I64, StepView
from auditor.model import Finding, Severity, Subject

#: Steps that are judged by one and the same history.
_STRIDE = 16


@dataclass(frozen=True, slots=True)
class SpikeParameters:
    """Thresholds, all on the median of five steps, so that one odd batch is no spike.

    ``margin``: above the median of the last 64 by so many times the way from there to their maximum,
    5 (ours: adapts to the mini-batch noise, which a z-score does not: a 2.5-sigma rule fires on 96 %
    of healthy 300-step runs). ``single``: and 1.5 times the way to the largest single loss of the
    last 256, which heavy tails (one sample per step) do not exceed three times in five steps.
    ``share``: and by this share of the loss at the start, 0.25 (ours: wobbles of a converged run are
    no spikes). ``history``: steps needed, 100 (ours).
    ``lr_jump``: a learning rate this much above that of 20 steps before begins a new history, 1.5
    (scheduler restarts). ``disturbed``: where gradients are known, the largest norm of the jump's three
    steps, and the one before, over the largest of the last 64 and over the least of the three, 3 (ours): a loss
    that jumps while gradients stay as they were, or are from one step to the next on another level, is that of another
    task (a harder lesson, another data set, new labels), and begins a new history.
    """

    margin: float = 5.0
    share: float = 0.25
    single: float = 1.5
    history: int = 100
    lr_jump: float = 1.5
    disturbed: float = 3.0


@dataclass(slots=True)
class SpikeMemory:
    """Raw losses for the median, the smoothed history, learning rates, and the spike that goes on.

    ``before``: step and time of the last two losses, by which a spike is dated.
    """

    raw: Recent = field(default_factory=lambda: Recent(limit=256))
    smooth: Recent = field(default_factory=lambda: Recent(limit=64))
    rates: Recent = field(default_factory=lambda: Recent(limit=20))
    norms: Recent = field(default_factory=lambda: Recent(limit=64))
    limit: float = math.inf
    calm: float = math.inf
    usual: float = math.nan
    onset: int = -1
    before: list[tuple[int, float]] = field(default_factory=list)


class LossSpike(Rule):
    """The loss jumps far beyond its recent range and stays there for at least three steps."""

    id = "loss_spike"
    severity = Severity.WARNING
    phase = "trend"
    meaning = "the loss jumps out of its recent range; resolved when it comes back"
    needs = "loss; the learning rate, to know scheduler restarts"
    trigger = (
        "median of 5 steps above the median of the last 64 by 5 times the distance to their maximum, by a quarter of "
        "the initial loss, and by 1.5 times the way to the largest of the last 256; not after the learning "
        "rate rose, and not while gradients stay within 3 times the largest norm of the last 64 steps, or are from the "
        "jump on within 3 times each other, on another level"
    )
    source = "OPS, ZClip"
    summary = (
        "The loss jumped to {loss:.4g} at step {step}; it was {usual:.4g} and never above {limit:.4g} would be noise"
        "{where}."
    )
    likely_causes = (
        "a batch unlike the others (bad data, a wrong label, an overlong sequence)",
        "a learning rate at the edge of stability, or Adam's second moment too slow for the gradient (beta2 too large)",
        "no gradient clipping",
    )
    advice = (
        "Look at the batches around step {step}; clip before optimizer.step(): "
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) (Keras: clipnorm=1.0), lower lr= or, with Adam, "
        "betas=(0.9, 0.95). If the loss does not come back, restart from the checkpoint before step {step}."
    )
    consequence_of = ("exploding_gradient", "nonfinite_gradient", "nonfinite_weight")
    Parameters = SpikeParameters
    State = SpikeMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Said when the median of five has left the range; cleared when it is back."""
        at = np.flatnonzero(np.isfinite(view.loss))
        found: list[Finding] = []
        first = 0
        for jump in self._jumps(view):
            found += self._steady(view, at[(at >= first) & (at <= jump)])
            first = jump + 1
            self._restart()
        return found + self._steady(view, at[at >= first])

    def _steady(self, view: StepView, at: I64) -> list[Finding]:
        """What the losses at the indices ``at`` say, under a learning rate that does not jump."""
        if not len(at):
            return []
        values = view.loss[at]
        smooth = running_median(self.memory.raw.last, values, 5)
        found: list[Finding] = []
        done = 0
        while done < len(smooth):
            until = min(len(smooth), done + _STRIDE - self.memory.smooth.count % _STRIDE)
            found += self._part(view, at[done:until], smooth[done:until])
            self.memory.raw.add(values[done:until])
            self._remember(view, at[done:until])
            done = until
        return found

    def resume(self) -> None:
        """What it goes on with may be another loss, or other weights."""
        self._restart()

    def unjudged(self) -> str | None:
        """Too short a history."""
        few = self.memory.smooth.count < self.parameters.history
        return f"needs {self.parameters.history} steps with a loss at a steady learning rate" if few else None

    def _jumps(self, view: StepView) -> list[int]:
        """The indices at which the learning rate is far above that of 20 steps before."""
        rates, memory = view.learning_rate, self.memory
        if not np.isfinite(rates).any():
            return []
        joined = np.concatenate([memory.rates.last, rates])
        before = np.concatenate([np.full(20, np.nan), joined])[len(memory.rates.last) : len(joined)]
        memory.rates.add(rates)
        return [int(at) for at in np.flatnonzero(rates > self.parameters.lr_jump * before)]

    def _restart(self) -> None:
        """A new history, except in a spike: it has to come back first."""
        memory = self.memory
        if not self.active:
            memory.raw, memory.smooth = Recent(limit=256, first=memory.raw.first), Recent(limit=64)
            memory.limit, memory.before = math.inf, []

    def _remember(self, view: StepView, at: I64) -> None:
        told = [(int(view.steps[i]), float(view.times[i])) for i in at[-2:]]
        self.memory.before = [*self.memory.before, *told][-2:]

    def _part(self, view: StepView, at: I64, smooth: F64) -> list[Finding]:
        memory = self.memory
        if not self.active and memory.smooth.count % _STRIDE == 0:
            self._judge_history()
        found: list[Finding] = []
        norms = _norms(view)[at]
        if not self.active and (smooth > memory.limit).any():
            hit = int(np.argmax(smooth > memory.limit))
            if not self._disturbed(norms[: hit + 1]):
                self._restart()
                memory.smooth.add(smooth[hit:])
                memory.norms.add(norms[np.isfinite(norms)])
                return []
            evidence = {"loss": float(smooth[hit]), "usual": memory.usual, "limit": memory.limit}
            # The median of five is beyond the limit at the third loss that is: the second before began it.
            moments = [*memory.before, *((int(view.steps[i]), float(view.times[i])) for i in at[: hit + 1])]
            memory.onset, time = moments[-3:][0]
            onset = Moment(view.attempt, view.rank, memory.onset, time)
            evidence |= _norm(view, int(at[hit]))
            found.append(self.finding(onset, 0, Subject("loss", "loss", view.rank), evidence))
            at, smooth = at[hit:], smooth[hit:]
        if self.active and (smooth < memory.calm).any():
            back = int(np.argmax(smooth < memory.calm))
            lasted = int(view.steps[at[back]]) - memory.onset
            evidence = {"recovered_after_steps": lasted, "loss": float(smooth[back])}
            found.append(self.cleared(view, int(at[back]), Subject("loss", "loss", view.rank), evidence))
            smooth = smooth[back:]
        if not self.active:
            memory.smooth.add(smooth)
            memory.norms.add(norms[np.isfinite(norms)])
        else:
            memory.smooth.count += len(smooth)
        return found

    def _disturbed(self, norms: F64) -> bool:
        """Whether the jump at the end of ``norms`` came with gradients unlike those before; yes if none are known."""
        joined, factor = np.concatenate([self.memory.norms.last, norms[np.isfinite(norms)]]), self.parameters.disturbed
        before, now = joined[:-4], joined[-4:]
        if len(before) < _STRIDE or not np.isfinite(norms[-1]):
            return True
        # What one batch or one update has done stands out of what follows; other data are there to stay.
        return bool(now.max() > factor * before.max() and now.max() > factor * now[1:].min())

    def _judge_history(self) -> None:
        memory, parameters = self.memory, self.parameters
        if len(memory.raw.last) < parameters.history:
            memory.limit = math.inf
            return
        usual, top = float(np.median(memory.smooth.last)), float(memory.smooth.last.max())
        least = parameters.share * abs(memory.raw.initial)
        memory.usual = usual
        limit = usual + max(parameters.margin * (top - usual), least)
        single = float(memory.raw.last.max())
        memory.limit = max(limit, usual + parameters.single * (single - usual))
        memory.calm = usual + max(1.5 * (top - usual), 0.2 * least)


def _norms(view: StepView) -> F64:
    """The norm of each step's gradients, before clipping where that was told, (N,)."""
    norms = view.gradient_norm.copy()
    at, before = view.scalar("grad_norm_before_clip")
    norms[at] = before
    return norms


def _norm(view: StepView, at: int) -> dict[str, float]:
    norm = float(view.gradient_norm[at])
    return {"gradient_norm": norm} if math.isfinite(norm) else {}

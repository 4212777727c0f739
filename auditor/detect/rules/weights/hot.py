"""Learning rates that are too large: what a run shows of them."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.course import first, middle, pooled
from auditor.detect.evidence.moves import heavy
from auditor.detect.facts import RunFacts
from auditor.detect.rules.weights.rate_memory import RateMemory, RateParameters
from auditor.detect.view import F64

#: Losses of which one median is made.
_BLOCK: Final = 25
#: Of the first loss: what a jump leaves beneath it, where guessing costs less than that (ours).
_HIGHER: Final = 1.5


def huge(memory: RateMemory, parameters: RateParameters, losses: F64) -> dict[str, Any] | None:
    """First steps so large that the loss left its scale, and has not come back."""
    strides = [stride for stride in memory.strides[:5] if math.isfinite(stride)]
    heard, start = pooled(losses, memory.cost.rows), float(losses[0]) if math.isfinite(losses[0]) else math.nan
    if not strides or max(strides) < parameters.stride or not start > 0:
        return None
    wrong = ~np.isfinite(losses) & (np.arange(len(losses)) > 0)
    top = float(np.nanmax(heard)) if np.isfinite(heard).any() else math.nan
    after = middle(pooled(losses[20:], memory.cost.rows))
    lost, chance = bool(wrong[-20:].all()), memory.cost.chance
    floor = chance if chance is not None and chance > 0 and (chance < start or heard is not losses) else start
    jumped = top > parameters.jump * floor and top > _HIGHER * start
    if not lost and not (jumped and after > parameters.kept * floor):
        return None
    then = "became non-finite" if lost else f"went from {start:.4g} to {top:.4g} and is {after:.4g}"
    what = f"The first steps moved the weights by {max(strides):.2g} times their size, and the loss {then}"
    return {"what": what, "stride": max(strides), "initial_loss": start, "top_loss": top, "loss": after}


def ruined(memory: RateMemory, parameters: RateParameters, losses: F64) -> dict[str, Any] | None:
    """First steps that threw the loss up, and a network that has been good for nothing since.

    Most networks bound what they say (normalisations, saturated units, a penalty that grows with the logarithm), so a
    loss need not leave its scale. A catapult that works comes back (Lewkowycz et al. 2020); of a network whose units
    were driven to where no gradient passes, the bias of the last layer alone goes on learning: guessing.
    """
    strides = [stride for stride in memory.strides[:5] if math.isfinite(stride)]
    chance, start, whole = memory.cost.chance, first(losses), len(losses) // _BLOCK * _BLOCK
    if chance is None or chance <= 0 or whole < parameters.idle_steps or not np.isfinite(losses).all():
        return None
    levels = np.median(losses[:whole].reshape(-1, _BLOCK), axis=1)
    top = float(pooled(losses[: 2 * _BLOCK], memory.cost.rows).max())
    thrown = bool(strides) and max(strides) >= parameters.thrown and top > _HIGHER * max(start, chance)
    if not thrown or float(levels.min()) < parameters.kept * chance or levels[-4:].min() < parameters.guess * chance:
        return None
    what = (
        f"The first steps moved the weights by {max(strides):.2g} times their size, the loss went from {start:.4g} to "
        f"{top:.4g}, and has been no better than guessing ({chance:.4g}) since"
    )
    told = {"stride": max(strides), "initial_loss": start, "top_loss": top}
    return {"what": what, **told, "loss": float(levels[-1]), "chance": chance}


def risen(memory: RateMemory, parameters: RateParameters, losses: F64) -> dict[str, Any] | None:
    """A rate that grew until what was learnt was lost: the last two medians of 25 losses are those of guessing."""
    chance = memory.cost.chance
    whole = len(losses) // _BLOCK * _BLOCK
    if chance is None or chance <= 0 or whole < 4 * _BLOCK or not np.isfinite(losses).all():
        return None
    levels = np.median(losses[:whole].reshape(-1, _BLOCK), axis=1)
    at = int(np.argmin(levels))
    then, now = middle(memory.rates[:whole][at * _BLOCK :][:_BLOCK]), middle(memory.rates[whole - _BLOCK : whole])
    lost = levels[at] < parameters.learnt * chance and float(levels[-2:].min()) > parameters.kept * chance
    if not lost or not now >= parameters.risen * then > 0:
        return None
    what = (
        f"The learning rate has risen from {then:.3g}, at which the loss came to {levels[at]:.4g}, to {now:.3g}, "
        f"and the loss is {levels[-1]:.4g}, no better than guessing"
    )
    return {"what": what, "rate_then": then, "rate_now": now, "best": float(levels[at]), "loss": float(levels[-1])}


def swings(memory: RateMemory, parameters: RateParameters, run: RunFacts, losses: F64) -> dict[str, Any] | None:
    """Momentum that adds up so many steps that the run swings past what it had found.

    With a momentum of m a step goes on in the next 1 / (1 - m): a constant gradient comes to lr / (1 - m), and a
    swing takes as long (Polyak 1964).
    """
    momentum = heavy(run)
    whole = len(losses) // _BLOCK * _BLOCK
    start, chance = first(losses), memory.cost.chance
    if not momentum >= parameters.heavy or whole < 4 * _BLOCK or not np.isfinite(losses).all() or not start > 0:
        return None
    levels = np.median(losses[:whole].reshape(-1, _BLOCK), axis=1)
    best, now = float(levels.min()), float(levels[-2:].min())
    guess = chance if chance is not None and chance > 0 else start
    lost = now > _HIGHER * best and now > parameters.near * guess
    if not lost and not (now > parameters.jump * best and now > parameters.open * guess):
        return None
    what = (
        f"A momentum of {momentum:g} adds up {1 / (1 - momentum):.0f} steps: the loss had come to {best:.4g} and "
        f"is {now:.4g}"
    )
    return {"what": what, "momentum": momentum, "best": best, "loss": now}

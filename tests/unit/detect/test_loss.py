from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.detect.evidence.series import running_median
from auditor.model import Finding
from support.batches import RUN, batch, table

TABLE = table()
GRADIENTS = [tensor for tensor in TABLE if tensor.kind == "gradient"]
RNG = np.random.default_rng(7)


def judge(
    loss: np.ndarray, *, lr: Any = None, frame: int = 25, weights: float | None = None, follows: bool = True
) -> list[Finding]:
    """The findings of a run with these losses.

    ``weights``: how the weights grow, None if none are sampled; ``follows``: gradients grow with the loss, and the
    one that makes it jump stands out.
    """
    auditor, found, seq = RunAuditor(RUN), [], 0
    norms = np.where(np.isfinite(loss), loss, 1.0)
    norms[1:] *= np.where(norms[1:] > 3 * norms[:-1], 10.0, 1.0)
    for first in range(0, len(loss), frame):
        part = slice(first, min(first + frame, len(loss)))
        rates = None if lr is None else np.broadcast_to(np.asarray(lr, float), loss.shape)[part]
        losses = {"loss": loss[part], "lr": rates, "steps": part.stop - part.start}
        sizes = norms[part] if follows else np.ones(part.stop - part.start)
        losses["l2"] = np.repeat(sizes[:, None], len(GRADIENTS), axis=1)
        found += auditor.observe(batch(seq, TABLE, first=first, **losses), TABLE, 0)
        seq += 1
        if weights is not None:
            size = 1.0 + weights * first
            sample = batch(seq, TABLE, first=part.stop - 1, steps=1, kind="weight", l2=size)
            found += auditor.observe(sample, TABLE, 0)
            seq += 1
    return found


def noisy(level: Any, sd: float, steps: int = 400) -> np.ndarray:
    """``level`` with multiplicative noise."""
    return np.broadcast_to(np.asarray(level, float), (steps,)) * np.exp(sd * RNG.normal(size=steps))


def test_a_jump_that_recovers_is_a_spike_that_resolves() -> None:
    """Onset, size and recovery are in the evidence."""
    loss = noisy(np.geomspace(2.3, 0.5, 400), 0.05)
    loss[250:270] = 5.0
    found = judge(loss)
    assert [(f.rule, f.cleared) for f in found] == [("loss_spike", False), ("loss_spike", True)]
    assert found[0].step == 250
    assert found[0].evidence["loss"] == 5.0
    assert found[0].evidence["limit"] < 5.0
    assert found[1].evidence["recovered_after_steps"] == pytest.approx(20, abs=3)


@pytest.mark.parametrize("frame", [1, 25, 400])
def test_a_jump_to_another_level_of_gradients_is_another_task(frame: int) -> None:
    """Continual learning: loss and gradients jump together, and stay where they are before they fall again."""
    loss = np.concatenate(
        [noisy(np.geomspace(2.3, 0.1, 200), 0.05, 200), noisy(np.geomspace(5.0, 0.1, 200), 0.05, 200)]
    )
    auditor, found = RunAuditor(RUN), []
    for seq, first in enumerate(range(0, len(loss), frame)):
        part = loss[first : first + frame]
        l2 = np.repeat(part[:, None], len(GRADIENTS), axis=1)
        found += auditor.observe(batch(seq, TABLE, first=first, steps=len(part), loss=part, l2=l2), TABLE, 0)
    assert found == []


def test_the_verdict_does_not_depend_on_how_steps_are_framed() -> None:
    """Frames of 7 or of 100 steps: the same onset."""
    loss = noisy(1.0, 0.05)
    loss[200:] = 4.0
    assert [judge(loss, frame=size)[0].step for size in (7, 25, 100)] == [200, 200, 200]


def test_one_odd_batch_is_no_spike() -> None:
    """Single outliers, two in a row at most, belong to mini-batches."""
    loss = noisy(1.0, 0.1, 2000)
    loss[::50] = 30.0
    loss[1::50] = 30.0
    assert judge(loss) == []


def test_heavy_tails_are_their_own_measure() -> None:
    """Batch size one: most losses near zero, some large, in runs of a few."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        loss = np.exp(rng.normal(-6, 2.5, 3000)) + np.where(rng.random(3000) < 0.1, rng.exponential(3.0, 3000), 0)
        assert judge(loss) == [], seed


def test_a_scheduler_restart_is_no_spike() -> None:
    """The learning rate rose tenfold: a new history begins."""
    loss = noisy(1.0, 0.05)
    loss[200:] *= 4.0
    rates = np.where(np.arange(400) < 200, 0.01, 0.1)
    assert judge(loss, lr=rates) == []
    assert judge(loss, lr=0.01) != []


def test_wobbles_of_a_converged_run_are_no_spikes() -> None:
    """From 1e-6 to 1e-3 is a thousandfold and nothing to a loss that began at two."""
    loss = np.concatenate([np.geomspace(2.3, 1e-6, 200), np.full(100, 1e-6), np.full(20, 1e-3), np.full(80, 1e-6)])
    assert judge(loss) == []


def test_a_flat_loss_at_chance_is_not_learning() -> None:
    """Ten outputs and ln 10 for 400 steps, and nothing recorded that would tell more: guessing."""
    [found] = judge(noisy(math.log(10), 0.02))
    assert found.rule == "loss_not_decreasing"
    assert found.step == 399
    assert found.evidence["proof"] == "chance"
    assert found.evidence["level"] == pytest.approx(math.log(10), rel=0.01)


def test_a_flat_loss_without_a_proof_says_nothing() -> None:
    """A converged plateau, a fine-tuned model, a regression at its noise: the floor is unknown."""
    for level in (0.3, 0.01, 1.4, 50.0):
        assert judge(noisy(level, 0.05, 1000), weights=0.01) == []


def test_a_short_run_is_not_judged() -> None:
    """Under 200 steps nothing is said."""
    assert judge(noisy(math.log(10), 0.001, 190)) == []


def test_a_loss_too_noisy_to_tell_is_not_judged() -> None:
    """The test is about certainty: at this noise 200 steps do not show a change of 2 %."""
    assert judge(noisy(math.log(10), 0.8, 220)) == []


def test_weights_that_stay_prove_a_flat_loss_wrong() -> None:
    """Sampled weights equal bit for bit while gradients flow: nothing is trained."""
    found = judge(noisy(0.7, 0.02), weights=0.0)
    assert [f.evidence["proof"] for f in found] == ["weights_unchanged"]
    assert judge(noisy(0.7, 0.02), weights=0.01) == []


def test_a_learning_rate_of_zero_is_named() -> None:
    """Nothing else needs to be known."""
    [found] = [one for one in judge(noisy(0.7, 0.02), lr=0.0) if one.rule == "loss_not_decreasing"]
    assert found.evidence["proof"] == "learning_rate_zero"


def test_mostly_zero_gradients_prove_a_flat_loss_wrong() -> None:
    """A dead network: gradients of four in six tensors are zero throughout."""
    auditor, found = RunAuditor(RUN), []
    for seq in range(16):
        frame = batch(seq, TABLE, first=25 * seq, steps=25, loss=noisy(5.0, 0.01, 25), l2=[0, 0, 0, 0, 1, 1])
        frame.blocks[0].words[:, 3, :4] = frame.blocks[0].words[:, 0, :4]
        found += auditor.observe(frame, TABLE, 0)
    assert [f.evidence["proof"] for f in found if f.rule == "loss_not_decreasing"] == ["zero_gradients"]


def test_a_warm_up_is_not_judged() -> None:
    """While the learning rate still rises a flat loss is what one expects."""
    assert judge(noisy(math.log(10), 0.01, 300), lr=np.linspace(1e-6, 1e-3, 300)) == []


def test_learning_that_begins_late_resolves_the_alert() -> None:
    """The plateau was left."""
    loss = np.concatenate([noisy(math.log(10), 0.01), noisy(1.0, 0.01)])
    assert [f.cleared for f in judge(loss)] == [False, True]


@pytest.mark.parametrize("sizes", [[1] * 12, [5, 7], [12], [2, 10]])
def test_a_running_median_does_not_depend_on_the_cuts(sizes: list[int]) -> None:
    """Values come in pieces; the medians are those of the whole."""
    values = RNG.normal(size=12)
    expected = [np.median(values[max(0, i - 4) : i + 1]) for i in range(12)]
    out, at = [], 0
    for size in sizes:
        out += running_median(values[max(0, at - 4) : at], values[at : at + size], 5).tolist()
        at += size
    assert out == pytest.approx(expected)


def test_another_task_is_no_spike() -> None:
    """A harder lesson, other labels: the loss jumps and gradients stay what they were; a new history begins."""
    loss = noisy(1.0, 0.05)
    loss[200:] *= 4.0
    assert judge(loss, follows=False) == []
    assert judge(loss) != []
    loss[300:310] = 40.0
    assert [found.step for found in judge(loss, follows=False)] == []

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding, Severity
from support.batches import RUN, batch, table
from support.course import CHANCE, recording
from support.lanes import Sender

DEEP = table(layers=8)
TENSORS = 16


def judge(loss: Any, l2: Any, steps: int = 200, frame: int = 20) -> tuple[list[Finding], RunAuditor]:
    """The findings of a run of one layout; ``loss`` (steps,), ``l2`` (steps, tensors)."""
    auditor, found = RunAuditor(RUN), []
    losses = np.broadcast_to(np.asarray(loss, float), (steps,))
    norms = np.broadcast_to(np.asarray(l2, float), (steps, TENSORS))
    for seq in range(steps // frame):
        part = slice(seq * frame, (seq + 1) * frame)
        found += auditor.observe(
            batch(seq, DEEP, first=part.start, steps=frame, loss=losses[part], l2=norms[part]), DEEP, 0
        )
    return found, auditor


def growing(factor: float, start: int = 50) -> np.ndarray:
    """One up to ``start``, then growing by ``factor`` per step."""
    return np.where(np.arange(200) < start, 1.0, factor ** (np.arange(200) - start).clip(0).astype(float))


def only(rule: str, findings: list[Finding]) -> list[Finding]:
    """The findings of one rule."""
    return [finding for finding in findings if finding.rule == rule]


def test_a_norm_that_runs_away_and_takes_the_loss_along_is_exploding() -> None:
    """The step, the growth and the tensor with the largest gradient are named."""
    norms = growing(1.2)[:, None] * np.where(np.arange(TENSORS) == 4, 5.0, 1.0)
    found = only("exploding_gradient", judge(growing(1.2), norms)[0])
    assert found[0].severity is Severity.CRITICAL
    assert found[0].subject.name == "fc2.weight"
    # 1.2 ** 26 is the first beyond 100 times; the median of three follows one step later.
    assert found[0].step == 77
    assert found[0].evidence["growth"] == pytest.approx(1.2**26, rel=1e-5)


def test_a_norm_that_grows_without_the_loss_harms_nobody() -> None:
    """Escaping a plateau takes gradients thousands of times larger, and the loss falls."""
    found, _ = judge(np.linspace(2.3, 0.1, 200), growing(1.1)[:, None])
    assert found == []


def test_a_loss_that_grows_with_steady_gradients_is_not_exploding() -> None:
    """A linear climb of the loss is another rule's business."""
    assert only("exploding_gradient", judge(growing(1.05), 1.0)[0]) == []


@pytest.mark.parametrize(("peak", "said"), [(8.0, False), (20.0, True)])
def test_a_loss_without_a_lower_bound_is_measured_by_its_fall(peak: float, said: bool) -> None:
    """From -0.4 to -4.5 and up again: by its first value, of no size, any rise would be a multiple."""
    losses = np.concatenate([np.linspace(-0.4, -4.5, 120), np.linspace(-4.5, peak, 20), np.full(60, -3.0)])
    norms = np.where((np.arange(200) > 125) & (np.arange(200) < 140), 1.5 ** (np.arange(200.0) - 125), 1.0)
    assert bool(only("exploding_gradient", judge(losses, norms[:, None])[0])) == said


def test_single_wild_batches_are_not_exploding() -> None:
    """The median of three steps forgives one outlier at a time."""
    wild = np.where(np.arange(200) % 9 == 8, 1e5, 1.0)
    assert only("exploding_gradient", judge(wild, wild[:, None])[0]) == []


def test_an_explosion_that_is_over_is_cleared() -> None:
    """Clipping by hand, a lowered rate: norm and loss came back."""
    curve = np.where((np.arange(200) > 50) & (np.arange(200) < 70), 1e4, 1.0)
    found = only("exploding_gradient", judge(curve, curve[:, None])[0])
    assert [finding.cleared for finding in found][-1]
    assert not found[0].cleared


def test_early_layers_without_gradients_and_without_progress_are_vanishing() -> None:
    """A ratio of 1e-6 between first and last layers while the loss stays."""
    norms = np.geomspace(1e-6, 1.0, TENSORS)
    found, _ = judge(2.3 + 0.01 * np.random.default_rng(0).normal(size=200), norms)
    hits = only("vanishing_gradient", found)
    assert hits[0].step == 100
    assert hits[0].subject.name == "fc0.weight"
    assert hits[0].evidence["ratio"] < 1e-3


def test_a_network_that_learns_is_not_starved() -> None:
    """The same ratio with a falling loss is nobody's problem."""
    norms = np.geomspace(1e-6, 1.0, TENSORS)
    assert only("vanishing_gradient", judge(np.linspace(2.3, 1.0, 200), norms)[0]) == []


def test_frozen_early_layers_are_not_starved() -> None:
    """All-zero gradients in the first layers: frozen or masked, no ratio at all."""
    norms = np.where(np.arange(TENSORS) < 4, 0.0, 1.0)
    assert only("vanishing_gradient", judge(2.3, norms)[0]) == []


def test_a_shallow_network_is_not_judged_and_says_so() -> None:
    """First and last quarter need four matrices."""
    auditor, shallow = RunAuditor(RUN), table(layers=2)
    for seq in range(10):
        norms = [1e-9, 1e-9, 1.0, 1.0]
        frame = batch(seq, shallow, first=20 * seq, steps=20, loss=2.0, l2=norms)
        assert only("vanishing_gradient", auditor.observe(frame, shallow, 0)) == []
    assert auditor.unjudged()["vanishing_gradient"] == "2 weight matrices, needs 4"


@pytest.mark.parametrize("seed", range(20))
def test_heavy_tails_are_not_exploding(seed: int) -> None:
    """Batches of one sample with Cauchy noise: gradient and loss go a thousandfold up and down, and set no trend."""
    residual = np.abs(np.random.default_rng(seed).standard_cauchy(200)) + 1e-3
    assert only("exploding_gradient", judge(residual**2, residual[:, None])[0]) == []


@pytest.mark.parametrize("frame", [1, 7, 50])
def test_an_explosion_is_told_at_the_same_step_however_frames_are_cut(frame: int) -> None:
    """Noise around a growing norm, compared with what came before."""
    noise = np.exp(0.3 * np.random.default_rng(5).normal(size=200))
    found = only("exploding_gradient", judge(growing(1.3) * noise, (growing(1.3) * noise)[:, None], frame=frame)[0])
    assert found[0].step == 69


def starving(ratio: float, losses: Any, start: float | None = None) -> list[str]:
    """The steps and rules of a run of four classes whose first layers get ``ratio`` times the last ones' gradient."""
    sender, steps, found = Sender(RunAuditor(RUN)), 300, []
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "SparseCategoricalCrossentropy", "from_logits": True}})
    told = np.broadcast_to(np.asarray(losses, float), (steps,)).copy()
    told[0] = told[0] if start is None else start
    for step in range(1, 21):
        found += sender.record(recording(step, float(told[step - 1]), "classes"))
    norms = np.broadcast_to(np.geomspace(ratio, 1.0, TENSORS), (steps, TENSORS))
    for first in range(0, steps, 50):
        part = slice(first, first + 50)
        made = batch(0, DEEP, first=first + 1, steps=50, loss=told[part], l2=norms[part])
        found += sender.steps(made, DEEP)
    return [f"{one.step}" for one in only("vanishing_gradient", found) if not one.cleared][:1]


@pytest.mark.parametrize(
    ("ratio", "level", "start", "steps"),
    [
        (1e-6, 1.0, 3.0, ["100"]),  # a first loss of three times guessing is no progress
        (2e-3, 1.0, None, ["200"]),  # a thousandth it is not: it takes longer to be sure
        (2e-3, 0.6, None, []),  # it learns
        (1e-1, 1.0, None, []),  # what the last layer's fan makes of it
        (1e-6, 0.2, None, []),  # it goes on from good weights, and need not get better
    ],
)
def test_what_guessing_costs_tells_whether_a_network_is_starved(
    ratio: float, level: float, start: float | None, steps: list[str]
) -> None:
    """Not how the loss began, which a scale of the outputs or good weights decide."""
    noise = np.exp(0.01 * np.random.default_rng(1).normal(size=300))
    assert starving(ratio, level * CHANCE * noise, start) == steps

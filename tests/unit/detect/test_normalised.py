from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.ingest.decode import Tensor
from auditor.model import Finding
from auditor_agent.statistics import STATISTICS
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

TABLE = (Tensor("weight", "bn.weight", (8,), "float32"), Tensor("weight", "bn.bias", (8,), "float32"))
LAYERS = {"layers": [{"name": "bn", "kind": "BatchNorm1d"}, {"name": "fc", "kind": "Linear"}]}


def units(mean: float, spread: float) -> Any:
    """Mean, standard deviation, minimum and maximum of eight units."""
    return np.array([[mean] * 8, [spread] * 8, [mean - spread] * 8, [mean + spread] * 8], np.float32)


def recorded(evaluation: Any, *, name: str = "bn", steps: tuple[int, ...] = (50, 100, 200, 400)) -> list[Finding]:
    """Training steps with units of mean 0 and spread 1, each followed by an evaluation."""
    sender, found = Sender(RunAuditor(RUN)), []
    for step in steps:
        found += sender.record(Recording(step, [array("units", name, units(0, 1))], {}, LAYERS))
        facts = {**LAYERS, "phase": "eval", "training": "false"}
        found += sender.record(Recording(step, [array("units", name, evaluation)], {}, facts, phase="eval"))
    return [one for one in found if one.rule == "train_eval_gap_at_start"]


def test_statistics_that_are_not_those_of_training() -> None:
    """Two evaluations after step 100 whose units are shifted, or spread differently."""
    for off in (units(3, 1), units(0, 4), units(0, 0.2)):
        [found] = recorded(off)
        assert (found.step, found.subject.name) == (200, "bn")
        assert found.evidence["gap"] > 1


def test_small_differences_and_other_layers() -> None:
    """Other data is a little different; a layer that does not normalise may be very; early evaluations do not count."""
    assert recorded(units(0.3, 1.4)) == []
    assert recorded(units(3, 1), name="fc") == []
    assert recorded(units(3, 1), steps=(20, 50)) == []


def declared(momentum: float, *, framework: str = "torch", ones: bool = True) -> list[Finding]:
    """60 steps of a model that declares such a layer; ``ones``: its scale is as it was made."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework=framework)
    sender.manifest({"model": {"layers": [{"name": "bn", "class": "BatchNorm1d", "momentum": momentum}]}})
    for i in range(6):
        made = batch(i, TABLE, first=10 * i + 1, kind="weight", loss=1.0)
        floats = made.blocks[0].words.view(np.float32)
        floats[:, STATISTICS.index("min"), 0] = 1.0 if ones else 0.7
        floats[:, STATISTICS.index("max"), 0] = 1.0 if ones else 1.3
        found += sender.steps(made, TABLE)
    return [one for one in found if one.rule == "train_eval_gap_at_start"]


def test_a_momentum_that_never_moves() -> None:
    """0 in PyTorch, 1 in Keras, if the layer is new; trained ones are frozen so on purpose."""
    [found] = declared(0.0)
    assert (found.step, found.evidence["momentum"]) == (50, 0.0)
    assert len(declared(1.0, framework="keras")) == 1
    assert declared(0.1) == declared(0.0, ones=False) == declared(0.99, framework="keras") == []


def evaluated(
    momentum: float, losses: tuple[float, float], held_out: float, *, framework: str = "keras", new: bool = True
) -> list[Finding]:
    """Five epochs of 40 steps whose losses fall from the first of ``losses`` to the second, evaluated after each."""
    sender, found, kept = Sender(RunAuditor(RUN)), [], table()
    sender.start(framework=framework)
    scale = {"min": 1.0, "max": 1.0} if new else {"min": 0.4, "max": 1.6}
    layer = {"name": "norm", "class": "BatchNormalization", "momentum": momentum}
    init = {"model/norm/gamma": scale}
    sender.manifest({"model": {"layers": [layer]}, "init": {"weights": init} if framework == "keras" else init})
    for i in range(5):
        course = np.full(40, losses[1])
        course[: 20 if i == 0 else 0] = losses[0]
        made = batch(i, kept, first=40 * i + 1, steps=40, loss=course)
        made.scalars["val_loss"] = (np.array([39]), np.array([held_out]))
        found += sender.steps(made, kept)
    return [one for one in found if one.rule == "train_eval_gap_at_start"]


@pytest.mark.parametrize(("momentum", "framework"), [(0.9995, "keras"), (0.0004, "torch")])
def test_statistics_that_lag_behind(momentum: float, framework: str) -> None:
    """Nine tenths of them are those of the start after 160 steps, and evaluation has gained nothing: twice."""
    [found] = evaluated(momentum, (2.3, 0.2), 2.2, framework=framework)
    assert (found.step, found.subject.name) == (160, "norm")
    assert found.evidence["kept"] == pytest.approx(0.93, abs=0.02)


@pytest.mark.parametrize(
    ("momentum", "losses", "held_out", "new"),
    [
        (0.99, (2.3, 0.2), 2.2, True),
        (0.9995, (2.3, 0.2), 0.6, True),
        (0.9995, (2.3, 2.2), 2.3, True),
        (0.9995, (2.3, 0.2), 2.2, False),
    ],
)
def test_statistics_that_lag_without_harm_or_not_at_all(
    momentum: float, losses: tuple[float, float], held_out: float, new: bool
) -> None:
    """Keras' usual momentum, an evaluation that gains with training, a run that learns nothing, a trained layer."""
    assert evaluated(momentum, losses, held_out, new=new) == []


@pytest.mark.parametrize(
    ("factor", "samples", "told"),
    [(14.0, 200, 1), (3.2, 16, 1), (14.0, 4, 0), (2.4, 200, 0), (float("nan"), 200, 0)],
    ids=["an evaluation", "just so", "a dry run", "a tiny layer after one pass", "weights that are no numbers"],
)
def test_weights_that_were_evaluated_before_they_were_normalised(factor: float, samples: int, told: int) -> None:
    """Told at once, with the layer that was worst; a dry run is no evaluation."""
    sender = Sender(RunAuditor(RUN))
    unready = {"type": "unready", "step": 0, "kind": "spectral_norm", "layers": ["critic.4", "critic.0"]}
    event = unready | {"factors": [factor, 2.1], "passes": 3, "samples": samples}
    found = sender.steps(batch(0, TABLE, loss=1.0, events=(event,)), TABLE)
    told_of = [one.subject.name for one in found if one.rule == "train_eval_gap_at_start"]
    assert told_of == ["critic.4"] * told


EMBEDDED = (Tensor("gradient", "emb.weight", (64, 8), "float32"), *table(1, ("gradient",)))


@pytest.mark.parametrize(("rows", "told"), [(1, 1), (2, 1), (12, 0)])
def test_an_embedding_of_which_a_row_is_used(rows: int, told: int) -> None:
    """At most two rows with a gradient in each of 50 steps; a dozen are a small batch."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.manifest({"model": {"layers": [{"name": "emb", "class": "Embedding"}]}})
    for i in range(6):
        made = batch(i, EMBEDDED, first=10 * i + 1, loss=1.0)
        made.blocks[0].words[:, 3, 0] = (64 - rows) * 8
        found += sender.steps(made, EMBEDDED)
    found = [one for one in found if one.rule == "embedding_unused"]
    assert [one.step for one in found] == [50] * told


def penalised(
    told: float | None, loss: float, *, rate: float = 0.01, gradients: tuple[float, ...] = (0.0, 0.0, 0.0)
) -> list[Finding]:
    """Recorded steps of a layer with an L2 penalty of ``rate`` on weights whose squares sum to 100.

    ``gradients``: of every element at each step; 0: none is recorded.
    """
    sender, found = Sender(RunAuditor(RUN)), []
    layer = {"name": "dense", "class": "Dense", "kernel_regularizer": {"class": "L2", "l2": rate}}
    sender.manifest({"loss": {"class": "MeanSquaredError"}, "model": {"layers": [layer]}})
    output, target = np.full((10, 1), 2.0), np.zeros((10, 1))
    for step, gradient in enumerate(gradients, 1):
        arrays = [array("weight", "model/dense/kernel", np.full((5, 20), 1.0))]
        arrays += [array("gradient", "model/dense/kernel", np.full((5, 20), gradient))] * (gradient > 0)
        arrays += [array("output", "output0", output), array("target", "target0", target)]
        scalars = {"loss": loss} | ({} if told is None else {"loss/penalty": told})
        found += sender.record(Recording(step, arrays, scalars, {"phase": "train"}))
    return [one for one in found if one.rule == "missing_regularization"]


def test_a_declared_penalty_that_is_not_in_the_loss() -> None:
    """Told to be 0 where the weights give 1; told to be 1, or too small to tell, it is there."""
    [found] = penalised(0.0, 4.0)
    assert (found.step, found.evidence["penalty"]) == (3, pytest.approx(1.0))
    assert penalised(1.0, 5.0) == penalised(0.0, 4.0, rate=1e-6) == []
    assert len(penalised(None, 4.0)) == 1  # the loss is that of the data alone
    assert penalised(None, 5.0) == []


@pytest.mark.parametrize(
    ("gradients", "said"),
    [
        ((0.1,) * 3, [(3, "warning")]),
        ((0.3,) * 3, [(3, "info")]),
        ((0.1, 0.3, 0.1), [(3, "info")]),
        ((0.3,) * 3 + (0.1,) * 4, [(3, "info"), (6, "warning")]),
        ((0.0,) * 3, [(3, "info")]),
    ],
    ids=["matters", "is negligible", "now and then", "comes to matter", "unknown"],
)
def test_a_missing_penalty_is_a_warning_where_it_would_matter(
    gradients: tuple[float, ...], said: list[tuple[int, str]]
) -> None:
    """It would pull by 0.02 at each weight: a fifth of the data's gradient of 0.1, a fifteenth of one of 0.3."""
    found = penalised(0.0, 4.0, gradients=gradients)
    assert [(one.step, one.severity.value) for one in found] == said


@pytest.mark.parametrize(
    ("samples", "loss", "optimizers", "events", "said"),
    [
        (1, 1.0, 1, (), True),
        (1, 0.3, 1, (), False),
        (2, 1.0, 1, (), False),
        (1, 1.0, 2, (), False),
        (1, 1.0, 1, ({"type": "mode", "step": 1, "phase": "train", "kinds": ["BatchNorm2d"]},), False),
    ],
    ids=["not learnt", "learnt", "two samples", "adversaries", "frozen on purpose"],
)
def test_batches_of_one(samples: int, loss: float, optimizers: int, events: Any, *, said: bool) -> None:
    """Normalised by its own statistics a sample loses what tells it from others."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="torch")
    each = [{"class": "torch.optim.adam.Adam"}] * optimizers
    layers = [{"name": "features.1", "class": "BatchNorm2d", "momentum": 0.1}]
    sender.manifest({"model": {"layers": layers}, **({"optimizers": each} if optimizers > 1 else {})})
    for first in range(1, 301, 60):
        level = [1.0 if step < 30 else loss for step in range(first, first + 60)]
        made = batch(0, TABLE, first=first, steps=60, kind="weight", loss=level, events=events if first == 1 else ())
        made.scalars["samples"] = (np.arange(1, 60), np.full(59, float(samples)))
        found += sender.steps(made, TABLE)
    told = [one for one in found if one.rule == "train_eval_gap_at_start"]
    assert [(one.step, one.subject.name) for one in told] == [(200, "features.1")] * said

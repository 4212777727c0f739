"""Which of two programs a fix is for, and its line, where an entry and a framework do not say enough."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import torch

from auditor.compare import catalogue, mending
from auditor.compare.causes import as_json, diagnose
from auditor.compare.identify.fact import Fact
from auditor.compare.profile import Profile
from auditor.compare.recognise import optimizer as rules
from auditor.compare.recognise import schedule
from auditor.compare.recognise.cause import Cause
from support.tiny import Tiny, glorot, inputs, keras_stepper, sgd, torch_stepper

R = 1e-2
STEPS = 24
EPOCH, BATCH = 6, 16
PER_STEP = [R * 0.9**at for at in range(STEPS)]
PER_EPOCH = [R * 0.9 ** (at // EPOCH) for at in range(STEPS)]
FASTER = [R * 0.5 ** (at // EPOCH) for at in range(STEPS)]
HELD = [R] * STEPS


def told(a: Profile, b: Profile) -> tuple[str, str, str]:
    """Id, side and line of the first cause."""
    one = as_json(diagnose(a, b).causes[0], (a.framework, b.framework))
    return one["id"], one["fix_in"], one["fix"]


def stepped(framework: str, rates: list[float]) -> Profile:
    """Plain steps at these rates, of epochs of six."""
    made = torch_stepper(lambda p: torch.optim.SGD(p, R), rates)
    found = Tiny(stepper=lambda: made, framework=framework, rate=rates, steps=STEPS).profile()
    found.facts.add(Fact("data.samples_per_epoch", EPOCH * BATCH))
    return found


@pytest.mark.parametrize(
    ("framework", "own", "other", "says"),
    [
        ("torch", PER_STEP, PER_EPOCH, "scheduler.step() once after every epoch, outside"),
        ("torch", PER_EPOCH, PER_STEP, "scheduler.step() after every batch, inside"),
        ("torch", HELD, PER_EPOCH, "scheduler.step() once after every epoch, outside"),
        ("torch", PER_EPOCH, HELD, "no scheduler.step()"),
        ("torch", PER_EPOCH, FASTER, "the other side's settings: there the rate falls to 0.125 of the largest"),
        ("keras", PER_STEP, PER_EPOCH, "keras.callbacks.LearningRateScheduler(schedule), asked once an epoch"),
        ("keras", PER_EPOCH, PER_STEP, "LearningRateSchedule, asked at every step"),
        ("tensorflow", PER_STEP, PER_EPOCH, "optimizer.learning_rate.assign(rate) once after every epoch"),
        ("tensorflow", PER_EPOCH, PER_STEP, "LearningRateSchedule, asked at every step"),
        ("sklearn", PER_EPOCH, PER_STEP, "drive the rate by hand"),
    ],
)
def test_a_schedule_is_told_how_often_the_other_sides_moves(
    framework: str, own: list[float], other: list[float], says: str
) -> None:
    """In the words of the framework whose program is mended: never what that program does already."""
    entry, side, line = told(stepped("torch" if framework == "keras" else "keras", other), stepped(framework, own))
    assert (entry, side) == ("SCH-01", "b")
    assert says in line


def test_stretches_of_no_known_epoch_are_told_by_their_steps() -> None:
    """And where steps are missing, or a side's rates are not known, the catalogue's line names no side's conduct."""
    line = mending.line(cause("SCH-01", "update.schedule", ("x", "y"), ("8 steps", "step")), ("keras", "torch"))
    assert line == "scheduler.step() once after every 8 steps"
    line = mending.line(cause("SCH-01", "update.schedule", ("x", "y"), ("8 steps", "step")), ("torch", "keras"))
    assert "decay_steps=8 steps" not in line
    assert "decay_steps=8" in line
    unknown = mending.line(Cause("SCH-01", "update.schedule", ("x", "y"), 1.0, ""), ("keras", "torch"))
    assert unknown == catalogue.entry("SCH-01").fix_for("torch")
    assert "after every batch, or after every epoch" in unknown


@pytest.mark.parametrize(
    ("falls", "beat"),
    [([8, 16, 24], "8 steps"), ([6, 18], "epoch"), ([12], "epoch"), ([8], ""), ([7, 12], ""), ([1, 2, 3], "step"),
     ([5, 11, 17, 23], "epoch"), ([], "constant")],
)  # fmt: skip
def test_one_fall_or_falls_at_odd_times_tell_no_beat(falls: list[int], beat: str) -> None:
    """Unless they come with the epochs, whose length is known; and where steps are missing nothing does."""
    rates = np.array([0.5 ** sum(at >= fall for fall in falls) for at in range(30)])
    steps = np.arange(1, 31)
    assert schedule._beat(rates, steps, EPOCH) == beat
    assert schedule._beat(rates[::2], steps[::2], EPOCH) == ""


def cause(entry: str, parameter: str, values: tuple[Any, Any], hints: tuple[str, str]) -> Cause:
    """One difference, of which this is known besides."""
    return Cause(entry, parameter, values, 1.0, "", hints=hints)


def heavy(seed: int = 0) -> list[np.ndarray]:
    """Weights away from zero, biases too, on which a decay shows."""
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 0.3, shape).astype(np.float32) for shape in ((6, 24), (24,), (24, 1), (1,))]


def decayed(framework: str, **penalty: Any) -> Profile:
    """A decay of 0.2 by the optimizer, or twice 0.1 in the loss."""
    decay = 0.0 if penalty else 0.2
    return Tiny(stepper=lambda: sgd(R, weight_decay=decay), framework=framework, weights=heavy, **penalty).profile()


def test_an_optimizer_that_decays_all_is_the_one_to_mend() -> None:
    """A penalty is on what somebody put it on: the other's line would be one for an optimizer that decays nothing."""
    kernels, everything = decayed("keras", l2=0.1), decayed("torch")
    for a, b, side in ((everything, kernels, "a"), (kernels, everything, "b")):
        entry, where, line = told(a, b)
        assert (entry, where) == ("OPT-09", side)
        assert "p.ndim < 2], 'weight_decay': 0}" in line


@pytest.mark.parametrize(
    ("framework", "all_of_them", "says"),
    [
        ("keras", False, "bias_regularizer, and beta_regularizer and gamma_regularizer"),
        ("keras", True, "kernel_regularizer alone"),
        ("torch", False, "add the squares of biases"),
        ("torch", True, "if p.ndim > 1)"),
    ],
)
def test_a_penalty_in_the_loss_is_mended_in_the_loss(framework: str, all_of_them: bool, says: str) -> None:
    """On both sides one: nothing is said of an optimizer."""
    own, other = (
        decayed(framework, l2=0.1, **({"penalized": lambda _: True} if one else {}))
        for one in (all_of_them, not all_of_them)
    )
    entry, side, line = told(other, own)
    assert (entry, side) == ("OPT-09", "b")
    assert says in line
    assert "weight_decay" not in line


def logistic(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The binary loss as it is meant."""
    return torch.nn.functional.binary_cross_entropy_with_logits(output, target)


def mistaken(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The binary loss of Keras given logits: clipped, as if they were probabilities."""
    shares = torch.clip(output, 1e-7, 1 - 1e-7)
    return -(target * torch.log(shares) + (1 - target) * torch.log(1 - shares)).mean()


def binary(framework: str, loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Profile:
    """One output, of which a sign is to be told."""
    y = (inputs()[:, :1] > 0).astype(np.float32)
    return Tiny(stepper=sgd, framework=framework, loss=loss, y=y, weights=lambda: glorot(0, (6, 24, 1))).profile()


@pytest.mark.parametrize(
    ("framework", "says"),
    [("keras", "BinaryCrossentropy(from_logits=True)"), ("tensorflow", "tf.nn.sigmoid_cross_entropy_with_logits")],
)
def test_a_binary_loss_is_mended_by_a_binary_loss(framework: str, says: str) -> None:
    """In the program whose numbers are no probabilities, whichever was named first."""
    right, wrong = binary("torch", logistic), binary(framework, mistaken)
    for a, b, side in ((right, wrong, "b"), (wrong, right, "a")):
        entry, where, line = told(a, b)
        assert (entry, where) == ("LOSS-04", side)
        assert says in line
        assert "softmax" not in line


@functools.cache
def clipping(how: str) -> Profile:
    """Gradients cut at one limit, by Keras; identified once."""
    stepper = keras_stepper(lambda: keras.optimizers.SGD(R, **{how: 0.1}))
    return Tiny(stepper=lambda: stepper, framework="keras", rate=R).profile()


@pytest.mark.parametrize(
    ("optimizer", "says"),
    [
        (None, "keras.optimizers.SGD(global_clipnorm=0.1)"),
        ({"class": "SGD", "module": "keras"}, "keras.optimizers.SGD(global_clipnorm=0.1)"),
        ({"class": "Lion", "module": "keras"}, "keras.optimizers.Lion(global_clipnorm=0.1)"),
        ({"class": "LossScaleOptimizer", "module": "keras"}, "keras.optimizers.SGD(global_clipnorm=0.1)"),
        ({"class": "Mine", "module": "train"}, "keras.optimizers.SGD(global_clipnorm=0.1)"),
    ],
)
def test_a_limit_is_set_where_the_sides_own_optimizer_is_made(optimizer: dict[str, str] | None, says: str) -> None:
    """As it is declared, else by the rule that was measured, with the other side's limit."""
    b = replace(clipping("clipnorm"), manifest={"optimizer": optimizer} if optimizer else None)
    found = [one for one in rules.causes(clipping("global_clipnorm"), b) if one.id == "OPT-19"]
    assert [mending.line(one, ("keras", "keras")) for one in found] == [says]


@pytest.mark.parametrize(
    ("framework", "own", "wanted", "says"),
    [
        ("torch", "", "clip_norm 1", "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)"),
        (
            "torch",
            "",
            "clip_norm_per_variable 0.5",
            "for p in model.parameters(): torch.nn.utils.clip_grad_norm_([p], 0.5)",
        ),
        ("torch", "", "none", "clip no gradients: the other side does not"),
        ("tensorflow", "", "clip_value 2", "grads = [tf.clip_by_value(g, -2.0, 2.0) for g in grads]"),
        ("tensorflow", "adam", "clip_value 2", "keras.optimizers.Adam(clipvalue=2.0)"),
        ("keras", "", "clip_norm 1, clip_value 2", catalogue.entry("OPT-19").fix_for("keras")),
        ("sklearn", "", "none", catalogue.entry("OPT-19").fix_for("sklearn")),
    ],
)  # fmt: skip
def test_a_limit_is_told_with_its_kind_and_value(framework: str, own: str, wanted: str, says: str) -> None:
    """Where it is one."""
    one = cause("OPT-19", "update.clipping", (wanted, "another"), ("", own))
    assert mending.line(one, ("keras", framework)) == says


@pytest.mark.parametrize(
    ("parameter", "says"),
    [
        ("lstm.along_time", "nn.LSTM(i, h, batch_first=True)"),
        ("gru.along_time", "nn.GRU(i, h, batch_first=True)"),
        ("attention.along_time", "nn.MultiheadAttention(width, heads, batch_first=True)"),
    ],
)
def test_the_layer_that_runs_along_the_samples_is_the_one_to_mend(parameter: str, says: str) -> None:
    """Whichever was named first."""
    first = Cause("FWD-16", parameter, (False, True), 0.1, "")
    second = replace(first, values=(True, False))
    assert [mending.at_fault(one) for one in (first, second)] == [0, 1]
    assert mending.line(first, ("torch", "keras")) == mending.line(second, ("tensorflow", "torch")) == says


@pytest.mark.parametrize(
    ("framework", "says"),
    [
        ("torch", "nn.BatchNorm1d(n, momentum=0.1)"),
        ("keras", "BatchNormalization(momentum=0.9)"),
        ("tensorflow", "BatchNormalization(momentum=0.9)"),
        ("sklearn", catalogue.entry("FWD-02").fix_for("sklearn")),
    ],
)
def test_a_momentum_of_running_statistics_is_the_others_counterpart(framework: str, says: str) -> None:
    """PyTorch's counts the new batch, Keras's what was there: the value is what is left of an old one."""
    one = Cause("FWD-02", "batchnorm.decay", (0.9, 0.09999999999999998), 0.1, "")
    assert mending.line(one, ("keras", framework)) == says


@pytest.mark.parametrize(
    ("parameter", "values", "mended", "says"),
    [
        ("softmax.axis", (1, -1), "b", "nn.Softmax(dim=1)"),
        ("softmax.over", (12, 32), "b", "dim= the axis of 12 values, along which the other side's"),
        ("softmax.over", ("the samples", "the classes"), "a", "Softmax(axis=-1)"),
        ("softmax.over", ("the classes", "the samples"), "b", "nn.Softmax(dim=-1)"),
    ],
)
def test_a_softmax_is_told_the_other_sides_axis(
    parameter: str, values: tuple[Any, Any], mended: str, says: str
) -> None:
    """Never the last one where the other side has another; over the samples nobody means."""
    one = cause("FWD-22", parameter, values, ("", ""))
    assert "ab"[mending.at_fault(one)] == mended
    assert says in mending.line(one, ("keras", "torch"))


@pytest.mark.parametrize("wrong", [0, 1])
@pytest.mark.parametrize(
    ("entry", "parameter", "words", "says"),
    [
        ("LOSS-13", "loss.function", ("cosine added to one", "cosine distance"), "1 + keras.losses.cosine_similarity"),
        ("LOSS-13", "loss.takes", ("labels of 0 and 1", "values"), "2 * y - 1"),
        ("OPT-29", "update.rule", ("SparseAdam", "adam"), "or SparseAdam on both sides"),
    ],
)
def test_forms_of_one_loss_and_rules_of_one_name_have_lines_of_their_own(
    entry: str, parameter: str, words: tuple[str, str], says: str, wrong: int
) -> None:
    """For the side that nobody means, where there is one."""
    one = cause(entry, parameter, words if not wrong else words[::-1], ("", ""))
    assert says in mending.line(one, ("keras", "keras"))
    if parameter == "loss.function":
        assert mending.at_fault(one) == wrong


@pytest.mark.parametrize("wrong", [0, 1])
def test_an_evaluation_on_rows_of_training_is_mended_on_its_own_side(wrong: int) -> None:
    """Whichever was named first."""
    words = ["other rows", "other rows"]
    words[wrong] = "rows of training"
    one = cause("DATA-03", "data.evaluation.rows", (words[0], words[1]), ("", ""))
    assert mending.at_fault(one) == wrong

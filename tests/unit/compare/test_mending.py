"""The line that mends a cause carries the other side's value, in the words of the framework that it is for."""

from __future__ import annotations

import ast
import inspect

import keras
import pytest
import torch

from auditor.compare import catalogue
from auditor.compare.mending import CLASSES, SETTINGS, at_fault, line
from auditor.compare.recognise.cause import Cause

CASES: dict[str, tuple[Cause, tuple[str, str], str]] = {
    "momentum in PyTorch": (
        Cause("OPT-02", "sgd.momentum", (0.9, 0.0), 1.0, ""), ("keras", "torch"),
        "torch.optim.SGD(params, momentum=0.9)"),
    "momentum in Keras": (
        Cause("OPT-02", "sgd.momentum", (0.5, 0.9), 1.0, ""), ("sklearn", "keras"),
        "keras.optimizers.SGD(momentum=0.5)"),
    "momentum in scikit-learn": (
        Cause("OPT-02", "sgd.momentum", (0.0, 0.9), 1.0, ""), ("torch", "sklearn"), "model.set_params(momentum=0.0)"),
    "the first side's program": (
        Cause("OPT-11", "sgd.nesterov", (False, True), 1.0, "", mend="a"), ("torch", "keras"),
        "torch.optim.SGD(params, momentum=momentum, dampening=0, nesterov=True)"),
    "memory of RMSprop": (
        Cause("OPT-13", "rmsprop.decay", (0.9, 0.99), 1.0, ""), ("keras", "torch"),
        "torch.optim.RMSprop(params, alpha=0.9)"),
    "one of two": (
        Cause("OPT-02", "adam.beta_1", (0.5, 0.9), 1.0, ""), ("keras", "torch"),
        "torch.optim.Adam(params, betas=(0.5, beta_2))"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_setting_is_written_with_the_other_sides_value(name: str) -> None:
    """By rule and framework."""
    cause, frameworks, wanted = CASES[name]
    assert line(cause, frameworks) == wanted


@pytest.mark.parametrize(
    ("framework", "rate", "rows"),
    [
        ("torch", "lr=0.001 where the optimizer is made", "DataLoader(dataset, batch_size=32)"),
        ("tensorflow", "learning_rate=0.001 where the optimizer is made", "dataset.batch(32)"),
        ("sklearn", "model.set_params(learning_rate_init=0.001)", "model.set_params(batch_size=32)"),
    ],
)
def test_a_rate_and_a_batch_size_are_told_with_their_values(framework: str, rate: str, rows: str) -> None:
    """As they were written, not as float32 keeps them."""
    sides = ("keras", framework)
    assert line(Cause("OPT-01", "update.learning_rate", (0.0010000000474974513, 0.1), 5.0, ""), sides) == rate
    assert line(Cause("DATA-02", "data.batch_size", (32, 64), 0.2, ""), sides) == rows
    unknown = Cause("DATA-02", "data.batch_size", (None, 64), 0.2, "")
    assert line(unknown, sides) == catalogue.entry("DATA-02").fix_for(framework)


def test_an_entry_of_several_differences_says_what_to_do_of_this_one() -> None:
    """Means that differ are not mended by a scale."""
    means = Cause("DATA-00", "data.input.mean", (0.1, 0.9), 0.3, "")
    assert "same samples" in line(means, ("torch", "keras"))
    scale = Cause("DATA-00", "data.input.scale", (1.0, 255.0), 2.0, "")
    assert line(scale, ("torch", "keras")) == catalogue.entry("DATA-00").fix_for("keras")


@pytest.mark.parametrize(
    "cause",
    [
        Cause("OPT-03", "adam.epsilon_placement", ("inside", "outside"), 1.0, ""),
        Cause("OPT-00", "update.rule", ("adam", "sgd"), 1.0, ""),
        Cause("LOSS-01", "loss.scale", (1.0, 0.5), 1.0, ""),
        Cause("OPT-18", "nadam.momentum_decay", (0.004, 0.0), 1.0, ""),
    ],
)
def test_what_is_no_single_setting_has_the_catalogues_line(cause: Cause) -> None:
    """Placements, rules, losses, and settings that the framework does not have."""
    assert line(cause, ("torch", "keras")) == catalogue.entry(cause.id).fix_for("keras")


@pytest.mark.parametrize(("rule", "setting"), [(rule, one) for rule, names in SETTINGS.items() for one in names])
@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_the_frameworks_take_what_is_written(rule: str, setting: str, framework: str) -> None:
    """Every argument is one that the constructor of the framework's own optimizer names."""
    written = line(Cause("OPT-02", f"{rule}.{setting}", (0.5, 0.25), 1.0, ""), ("torch", framework))
    call = ast.parse(written, mode="eval").body
    assert isinstance(call, ast.Call)
    assert "0.5" in written
    made = getattr(torch.optim if framework == "torch" else keras.optimizers, CLASSES[rule][framework == "keras"])
    assert {word.arg for word in call.keywords} <= set(inspect.signature(made).parameters)


@pytest.mark.parametrize(
    ("entry", "parameter", "wrong", "right"),
    [
        ("MODE-01", "mode.train", "false", "true"),
        ("MODE-03", "mode.eval", "true", "false"),
        ("LOSS-05", "loss.takes", "softmax of probabilities", "probabilities"),
        ("LOSS-04", "loss.takes", "logits taken for probabilities", "logits"),
        ("DATA-01", "data.shuffle", "sorted (0.94)", "mixed (0)"),
        ("LOSS-16", "penalty.gradient_factor", 0.0, 0.02),
    ],
)
def test_the_side_that_does_what_nobody_means_is_the_one_to_mend(
    entry: str, parameter: str, wrong: object, right: object
) -> None:
    """Whichever was named first; where both or neither do, the second."""
    assert at_fault(Cause(entry, parameter, (wrong, right), 1.0, "")) == 0
    assert at_fault(Cause(entry, parameter, (right, wrong), 1.0, "")) == 1
    assert at_fault(Cause(entry, parameter, (right, right), 1.0, "")) == 1
    sorted_ = Cause("DATA-01", "data.shuffle", ("sorted (0.94)", "mixed (0)"), 1.0, "")
    assert line(sorted_, ("torch", "keras")) == catalogue.entry("DATA-01").fix_for("torch")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (("relu", "none"), "apply relu there, as the other side does"),
        (("none", "relu"), "apply no activation there"),
        (("relu + relu", "none"), catalogue.entry("FWD-10").fix_for("keras")),
    ],
)
def test_an_activation_is_told_by_its_name(values: tuple[str, str], says: str) -> None:
    """Where it is one."""
    assert line(Cause("FWD-10", "forward.activation", values, 0.5, ""), ("torch", "keras")) == says

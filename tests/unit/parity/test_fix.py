"""The lines of ``--fix``: applied to the second program, they leave nothing that differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
import torch

from auditor.parity import diagnose, fix
from auditor_agent.parity import Outcome, check
from support.parity_differences import DIFFERENCES, RMS, SGD
from support.parity_models import keras_program, torch_program

Make = Callable[[], dict[str, Any]]
#: Differences of a Keras program from its PyTorch original that lines of code mend, one difference each.
MENDED = (
    "Adam beta 2", "learning rate", "amsgrad", "decay coupled", "decay's value", "decay missing",
    "momentum", "momentum missing", "nesterov", "SGD decay coupled", "another rule", "RMSprop rho", "RMSprop centered",
    "Adagrad accumulator", "accumulation", "training mode",
    "LayerNorm epsilon", "GELU", "LeakyReLU slope", "softmax axis", "dropout", "loss summed", "loss halved",
    "another loss", "L2 missing", "L2 factor",
)  # fmt: skip
#: The like of a PyTorch program from its Keras original: options of either.
MENDED_IN_TORCH: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "learning rate": ("mlp", {"lr": 1e-3}, {"lr": 2e-3}),
    "decay": ("mlp", {"decay": 0.01}, {}),
    "SGD decay": ("mlp", {**SGD, "decay": 0.01}, SGD),
    "rule": ("mlp", {**RMS, "momentum": 0.5}, {}),
    "clipping": ("mlp", {"clip": "global"}, {}),
    "clipping each": ("mlp", {"clip": "each"}, {"clip": "global"}),
    "L2": ("mlp", {"l2": 1e-3}, {}),
    "accumulation": ("mlp", {"accumulate": 4}, {}),
    "mode": ("cnn", {"training": True}, {"training": False}),
    "BatchNorm": ("cnn", {"norm_eps": 1e-3, "norm_memory": 0.01}, {}),
    "loss": ("mlp", {"loss": "half"}, {"loss": "mae"}),
    "activation": ("mlp", {"activation": "silu"}, {"activation": "relu"}),
    "slope": ("mlp", {"activation": "leaky", "slope": 0.3}, {"activation": "leaky", "slope": 0.01}),
}
ROUNDS = 4


def mended(make: Make, lines: list[str]) -> Make:
    """The program with lines of code before its ``return``."""

    def again() -> dict[str, Any]:
        made = make()
        names = {"keras": keras, "torch": torch, **made}
        exec("\n".join(lines), names)
        return {name: names[name] for name in {*made, "training", "accumulate", "before_step", "penalty"} & set(names)}

    return again


def rounds(left: Make, right: Make, steps: int = 4) -> tuple[Outcome, list[list[str]]]:
    """Lockstep and lines in turn until nothing differs; the last outcome, and the lines of every round."""
    told: list[list[str]] = []
    for _ in range(ROUNDS):
        found = check(left, right, steps)
        if found.first is None:
            break
        told.append([line for line in fix.lines(found) if not line.startswith("#")])
        assert told[-1], found.first
        right = mended(right, told[-1])
    return found, told


@pytest.mark.parametrize("name", MENDED)
def test_the_lines_make_a_keras_program_equal(name: str) -> None:
    """One round for one difference; two layers that differ take a round each."""
    given = DIFFERENCES[name]
    left = torch_program(given.family, **{**given.both, **given.torch})
    found, told = rounds(left, keras_program(given.family, **{**given.both, **given.keras}))
    assert found.first is None
    assert 1 <= len(told) <= 2


@pytest.mark.parametrize(
    ("name", "left_over"),
    [("Adam epsilon", "OPT-03"), ("BatchNorm momentum", "FWD-03"), ("BatchNorm epsilon", "FWD-03")],
)
def test_what_the_frameworks_cannot_do_alike_is_left_over(name: str, left_over: str) -> None:
    """Where epsilon enters, what the running variance divides by: told once the setting is mended."""
    given = DIFFERENCES[name]
    left = torch_program(given.family, **{**given.both, **given.torch})
    right = keras_program(given.family, **{**given.both, **given.keras})
    lines = [line for line in fix.lines(check(left, right, 4)) if not line.startswith("#")]
    after = diagnose.cause(check(left, mended(right, lines), 4))
    assert after is not None
    assert after.id == left_over


@pytest.mark.parametrize("name", MENDED_IN_TORCH)
def test_the_lines_make_a_pytorch_program_equal(name: str) -> None:
    """From a Keras original."""
    family, theirs, ours = MENDED_IN_TORCH[name]
    found, told = rounds(keras_program(family, **theirs), torch_program(family, **ours))
    assert found.first is None
    assert told


def test_several_differences_are_mended_together() -> None:
    """An epsilon, a rate of dropout, a penalty and an optimizer at once."""
    left = torch_program("mlp", norm="layer", dropout=0.3, **SGD)
    right = keras_program("mlp", norm="layer", norm_eps=1e-3, dropout=0.1, l2=1e-3)
    found, told = rounds(left, right)
    assert found.first is None
    assert len(told) <= 3


def test_a_schedule_is_neither_taken_for_a_rate_nor_lost() -> None:
    """The rate at which a run ended is nobody's setting; Keras's own schedule stays in a new optimizer."""
    missing = DIFFERENCES["schedule missing"].run()
    assert fix.lines(missing) == ["# SCH-01: decay_steps = epochs * steps_per_epoch"]
    both = {"schedule": True, "beta_2": 0.999}
    found, told = rounds(torch_program("mlp", **both), keras_program("mlp", **{**both, "beta_2": 0.99}), 8)
    assert found.first is None
    assert "learning_rate=optimizer._learning_rate" in told[0][0]


def test_what_no_line_mends_is_told_in_words() -> None:
    """The catalogue's line, for the side that it is to be written in."""
    broadcast = DIFFERENCES["loss broadcast"].run()
    assert diagnose.cause(broadcast) is not None
    assert fix.lines(broadcast) == ["# LOSS-02 in the first program: loss = ((prediction.squeeze(-1) - y) ** 2).mean()"]
    activation = fix.lines(DIFFERENCES["activation"].run())
    assert activation == [
        "# in place of model.layers[2]: keras.layers.Activation(keras.activations.relu)",
        "# FWD-10: Activation function",
    ]


def test_what_is_clipped_by_hand_stays_as_it_is() -> None:
    """The limit of a function cannot be read; the other side's is not thrown away."""
    lines = fix.lines(DIFFERENCES["clipped globally or each"].run())
    assert lines == ["# OPT-19: keras.optimizers.Adam(global_clipnorm=C)"]

"""What is declared otherwise and measured alike is written otherwise, and no other configuration."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.compare.causes import diagnose
from auditor.compare.manifests import differences
from auditor.compare.profile import Profile
from auditor.compare.spelling import told_apart
from auditor.report.words import part_of
from support.tiny import Tiny, sgd


def run(optimizer: dict[str, Any], rate: float = 0.1, framework: str = "torch", **more: Any) -> Profile:
    """A run that declares this optimizer and steps by plain SGD."""
    made = Tiny(stepper=lambda: sgd(rate), framework=framework, steps=12)
    return made.profile(manifest={"framework": framework, "optimizer": optimizer, **more})


def kinds(a: Profile, b: Profile) -> dict[str, str]:
    """By parameter, what each declared difference is one of."""
    listed = differences(a.manifest or {}, b.manifest or {})
    return {one["parameter"]: one["kind"] for one in told_apart(listed, a, b, diagnose(a, b))}


def test_a_setting_that_one_side_alone_names_is_spelling_where_the_steps_are_alike() -> None:
    """A schedule that is constant, groups of one rate: the recorded steps obey one rule."""
    one, other = run({"class": "SGD", "lr": 0.1}), run({"class": "SGD", "lr": 0.1, "initial_lr": 0.1})
    assert kinds(one, other) == {"optimizer.initial_lr": "spelling"}


def test_a_number_that_both_give_is_configuration() -> None:
    """Whatever it does to the steps."""
    one, other = run({"class": "SGD", "eps": 1e-8}), run({"class": "SGD", "eps": 1e-7})
    assert kinds(one, other) == {"optimizer.epsilon": "configuration"}


def test_where_the_steps_differ_every_word_may_be_why() -> None:
    """Another rate: what one side alone declares stays configuration."""
    one, other = run({"class": "SGD"}), run({"class": "SGD", "initial_lr": 0.1}, rate=0.2)
    assert kinds(one, other) == {"optimizer.initial_lr": "configuration"}


def test_what_is_not_identified_is_left_as_declared() -> None:
    """Of precision nothing is measured here, and of surroundings nothing is asked."""
    one, other = run({}, precision={"policy": "float32"}), run({}, precision={"policy": "mixed"}, seeds={"seed": 1})
    assert kinds(one, other) == {"precision.policy": "configuration", "seeds.seed": "surroundings"}


@pytest.mark.parametrize(
    ("kind", "configuration", "says"),
    [
        ("spelling", False, "written otherwise, measured alike"),
        ("configuration", True, "configuration"),
        (None, False, "surroundings"),
    ],
)
def test_each_kind_has_its_words(kind: str | None, configuration: bool, says: str) -> None:
    """And what an older daemon sends has those of its flag."""
    assert part_of({"kind": kind, "configuration": configuration}) == says


def test_rmsprop_has_one_word_for_its_memory() -> None:
    """PyTorch's alpha is Keras's rho."""
    sides = [{"optimizer": {"class": "RMSprop", word: 0.9}, "framework": word} for word in ("alpha", "rho")]
    assert [one["parameter"] for one in differences(*sides)] == ["framework"]

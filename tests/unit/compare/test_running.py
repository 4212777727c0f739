"""FWD-02: momentum of batch normalisation, weighed by what the running statistics are at a run's end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.causes import Diagnosis, diagnose
from auditor.compare.profile import Profile
from auditor.compare.recognise import running
from support.tiny import Tiny, event, glorot, sgd


def run(decay: float | None, steps: int = 40, *, looks: str | None = "false", batch: int = 16, **more: Any) -> Profile:
    """A run with one normalisation that keeps ``decay`` of the old; evaluated in the mode ``looks``, or never."""
    kept = {} if decay is None else {"decay": decay}
    manifest = {"canonical": {"normalization": {"norm": {"epsilon": 1e-5, "running_variance": "biased", **kept}}}}
    modes = [("train", "true")] + ([("eval", looks)] if looks is not None else [])
    events = [event(1, "mode", phase=phase, training=word, modules=[], kinds=[]) for phase, word in modes]
    return Tiny(stepper=sgd, steps=steps, batch=batch).profile(**{"manifest": manifest, "events": events, **more})


def weighed(found: Diagnosis) -> tuple[float, str, bool]:
    """Weight of the one cause, how it is known, whether it makes a mismatch."""
    (cause,) = [one for one in (*found.causes, *found.harmless) if one.id == "FWD-02"]
    return cause.weight, cause.how, found.matters


@pytest.mark.parametrize(("other", "steps"), [(0.99, 40), (0.999, 40), (0.95, 12)])
def test_statistics_that_lag_behind_are_a_mismatch(other: float, steps: int) -> None:
    """d^n of what they began with is still there: 67 % after 40 batches of Keras's default."""
    size, how, claims = weighed(diagnose(run(0.9, steps), run(other, steps)))
    assert (how, claims) == ("measured", True)
    lag = abs(other**steps - 0.9**steps)
    assert size >= min(0.4, lag)


def test_the_lag_is_told_in_parts() -> None:
    """Of both sides, in their order."""
    (cause,) = diagnose(run(0.5), run(0.99)).causes
    assert cause.effect.startswith("nothing against 66.9 % of the statistics"), cause.effect
    assert cause.values == (0.5, 0.99)


def test_a_momentum_of_the_other_meaning_is_told_by_the_batches_it_keeps() -> None:
    """0.9 in PyTorch is the weight of the new: statistics of the last batch alone, with its noise."""
    found = diagnose(run(0.1), run(0.9))
    assert weighed(found)[2]
    assert found.causes[0].effect.startswith("evaluation normalises by the statistics of the last 1.22 batches")


def test_a_longer_run_has_caught_up() -> None:
    """Both frameworks' defaults after a thousand steps: another noise, far below what matters."""
    sides = [replace(run(decay), last_step=1000) for decay in (0.9, 0.99)]
    size, _, claims = weighed(diagnose(*sides))
    assert size < 0.02
    assert claims, "of one framework somebody set it"
    assert not diagnose(sides[0], replace(sides[1], framework="keras")).matters


@pytest.mark.parametrize("looks", [None, "true"])
def test_without_an_evaluation_by_them_they_are_declared(looks: str | None) -> None:
    """Nothing is normalised by statistics that nobody looks at."""
    _, how, claims = weighed(diagnose(run(0.9, looks=looks), run(0.99, looks=looks)))
    assert (how, claims) == ("declared", False)


@pytest.mark.parametrize("decays", [(0.9, 0.9), (0.99, 0.99), (0.9, None)])
def test_one_momentum_is_none(decays: tuple[float | None, float | None]) -> None:
    """Nor one of which nothing is known: a cumulative average has no decay."""
    found = diagnose(*(run(decay) for decay in decays))
    assert "FWD-02" not in [one.id for one in (*found.causes, *found.harmless)]


def test_a_loop_declares_it_with_its_layers() -> None:
    """TensorFlow's loops have no canonical section of normalisation."""

    def loop(momentum: float) -> dict[str, Any]:
        layers = [{"name": "bn", "class": "BatchNormalization", "config": {"momentum": momentum}}]
        return {"model": {"layers": layers}, "canonical": {"normalization": {}}}

    found = diagnose(run(0.9, manifest=loop(0.9)), run(0.9, manifest=loop(0.99)))
    assert [one.values for one in found.causes if one.id == "FWD-02"] == [(0.9, 0.99)]
    assert found.matters


def test_inputs_of_mean_0_and_variance_1_show_no_lag() -> None:
    """What the statistics begin with is then what they come to."""
    side = run(0.99)
    standard, wide = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 2.0], [0.1, 3.0]])
    assert running._lag(side, 0.99, standard).off == 0.0
    assert running._lag(side, 0.99, wide).off > 0.3
    assert running._lag(side, 0.5, wide).off < 1e-6


def frozen(framework: str, *, trainable: bool = True, ran: bool = True, mode: str = "true") -> Profile:
    """A stack with one normalisation, which a graph shows to have run or not."""
    norm = {"class": "BatchNormalization" if framework == "keras" else "BatchNorm1d", "name": "bn"}
    layers = [{"name": "fc", "class": "Dense", "config": {"units": 24}}, norm | {"trainable": trainable, "config": {}}]
    facts = {"operations": [{"layer": "fc"}, {"layer": "bn"}]} if ran else {}
    events = [event(1, "mode", phase="train", training=mode, modules=[], kinds=[])]
    made = Tiny(stepper=sgd, framework=framework, facts=facts, weights=lambda: glorot("kt".index(framework[0])))
    return made.profile(manifest={"model": {"layers": layers}}, events=events)


@pytest.mark.parametrize(
    ("keras", "torch", "told"),
    [
        (frozen("keras", trainable=False), frozen("torch"), "measured"),
        (frozen("keras", trainable=False, ran=False), frozen("torch", ran=False), "declared"),
        (frozen("keras", trainable=False), frozen("torch", mode="mixed"), None),
        (frozen("keras"), frozen("torch"), None),
    ],
    ids=["frozen", "nobody saw it run", "in evaluation mode there too", "trained"],
)
def test_frozen_normalisation_of_keras_keeps_to_its_statistics(
    keras: Profile, torch: Profile, told: str | None
) -> None:
    """PyTorch's goes on with the batch's, whatever its weights ask for."""
    found = [one.how for one in diagnose(keras, torch).causes if one.parameter == "mode.frozen"]
    assert found == ([told] if told else [])

"""Layers that compute on both sides and are trained on one: told as that, and not as layers that are missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from auditor.compare import aligned, causes, mending, titles
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import untracked
from auditor.compare.recognise.cause import Cause
from auditor.compare.recognise.untracked import Untracked
from auditor.compare.structure import Operation, Structure
from support.recordings import assembled
from support.tiny import Stepper, Tiny, Weights, adam, glorot, sgd

DENSE = tuple(Operation("dense", f"layer{place}", {"units": units}) for place, units in enumerate((24, 24, 1)))
HIDDEN = ("layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias")


def deep(_: int = 0) -> Weights:
    """Three layers, the biases other than zero."""
    rng = np.random.default_rng(5)
    return [one if one.any() else rng.normal(0, 0.1, one.shape).astype(np.float32) for one in glorot(0, (6, 24, 24, 1))]


def only_last(make: Callable[[], Stepper]) -> Callable[[], Stepper]:
    """An optimizer that is given the last layer alone."""

    def made() -> Stepper:
        step = make()
        return lambda weights, gradients, at: [*weights[:-2], *step(weights[-2:], gradients[-2:], at)]

    return made


def run(tiny: Tiny, hidden: Sequence[str] = (), layers: Sequence[str] = (), framework: str = "torch") -> Profile:
    """As it is recorded where neither the optimizer nor the model knows of ``hidden``; ``layers`` are listed."""
    roles, recordings = {"weight", "gradient", "updated"}, tiny.recordings()
    kept = [
        replace(one, arrays=[each for each in one.arrays if each.role not in roles or each.name not in hidden])
        for one in recordings
    ]
    tensors = {each.name: {"shape": list(each.shape)} for each in kept[0].arrays if each.role == "weight"}
    model = {"tensors": tensors, "layers": [{"name": name, "class": "Linear"} for name in layers]}
    found = profile("a", framework, assembled(kept), Beside(manifest={"model": model}, last_step=len(kept)))
    known = DENSE[-1:] if hidden else DENSE
    return replace(found, structure=Structure(known, whole=True, ordered=True, ran=True))


def pair(
    *, hidden: Sequence[str] = HIDDEN, layers: Sequence[str] = (), given: Mapping[str, Any] | None = None
) -> tuple[Profile, Profile]:
    """A side that hides layers from its optimizer, and one that trains them."""
    settings: dict[str, Any] = {"weights": deep, "stepper": sgd, **(given or {})}
    hiding = Tiny(**{**settings, "stepper": only_last(settings["stepper"])})
    return run(hiding, hidden, layers), run(Tiny(**settings))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("stepper", [sgd, adam])
def test_layers_that_an_optimizer_never_hears_of_are_no_missing_layers(
    stepper: Callable[[], Stepper], turned: bool
) -> None:
    """The outputs are those of the whole network: a list of layers that is no ``nn.ModuleList``."""
    a, b = pair(given={"stepper": stepper})
    found = causes.diagnose(*((b, a) if turned else (a, b)))
    assert found.causes[0].id == "BWD-00"
    assert not any(one.id.startswith("FWD") for one in (*found.causes, *found.harmless))
    assert found.earliest is found.causes[0]
    assert found.causes[0].mend == ("b" if turned else "a")
    assert found.causes[0].values[turned] == "not trained"
    assert "nn.ModuleList" in mending.line(found.causes[0], ("torch", "torch"))
    assert "does not know of" in titles.title(found.causes[0])


def test_layers_that_are_missing_are_missing() -> None:
    """The outputs differ, whether the weights that both have are the same or not."""
    _, b = pair()
    shallow = run(Tiny(weights=deep, stepper=only_last(sgd), activation=torch.relu), HIDDEN)
    assert aligned.first_step(shallow, b) is None
    told = causes.diagnose(shallow, b).causes
    assert "forward.dense" in [one.parameter for one in told]
    assert "backward.untracked" not in [one.parameter for one in told]


def test_listed_layers_are_frozen_or_left_out() -> None:
    """The model lists them and the optimizer does not hold them: nothing to register."""
    a, b = pair(layers=("layer0", "layer1"))
    told = [one for one in causes.diagnose(a, b).causes if one.parameter in {"update.frozen", "backward.untracked"}]
    assert [(one.id, one.parameter, one.mend, one.values[1]) for one in told] == [
        ("OPT-00", "update.frozen", "a", "none")
    ]


def test_weights_that_were_not_recorded_say_nothing() -> None:
    """Sampled for their size, declared and left out, or of a model that nobody knows."""
    a, b = pair()
    assert untracked.by_weights(a, b) is not None
    assert untracked.by_weights(replace(a, manifest=b.manifest), b) is None
    assert untracked.by_weights(replace(a, manifest=None), b) is None
    first = b.evidence.first
    assert first is not None
    key = ("weight", "layer0.weight")
    few = replace(first.arrays[key], values=np.zeros(3, np.float32), elements=3)
    some = replace(first, arrays={**first.arrays, key: few})
    sampled = replace(b, evidence=replace(b.evidence, steps=(some, *b.evidence.steps[1:])))
    assert untracked.by_weights(a, sampled) is None


@pytest.mark.parametrize(("ran", "told"), [("layer0", True), ("encoder/layer0", False), ("model/layer0", True)])
def test_another_model_in_a_loop_may_have_an_optimizer_of_its_own(ran: str, told: bool) -> None:
    """TensorFlow's second optimizer is not recorded."""
    a, b = pair(given={"facts": {"layers": [{"name": ran}]}})
    own = {**dict((a.manifest or {})["model"]), "layers": [{"name": "layer2", "path": "model/layer2"}]}
    loop = replace(a, framework="tensorflow", manifest={"model": own})
    assert (untracked.by_weights(loop, b) is not None) is told


def test_losses_that_stay_together_are_of_weights_that_both_train() -> None:
    """Whoever moves them where they were not recorded."""
    _, b = pair()
    assert untracked.by_weights(run(Tiny(weights=deep, stepper=sgd), HIDDEN), b) is None


@pytest.mark.parametrize("kind", ["identity", "ones", "unpushed", "noise", "twice"])
def test_tensors_that_change_nothing_may_be_missing(kind: str) -> None:
    """A scale of ones, an identity, a branch behind zeros, a bias before a normalisation, a copy of a tied kernel."""
    a, b = pair(hidden=("layer1.weight",))
    kernels = {"identity": np.eye(24), "ones": np.ones((24, 24))}
    first = b.evidence.first
    mine = a.evidence.first
    assert first is not None
    assert mine is not None
    name = "layer1.weight"

    def changed(role: str, values: np.ndarray) -> Profile:
        array = replace(first.arrays[role, name], values=values.astype(np.float32).reshape(-1))
        steps = (replace(first, arrays={**first.arrays, (role, name): array}), *b.evidence.steps[1:])
        return replace(b, evidence=replace(b.evidence, steps=steps))

    gradient = np.asarray(first.arrays["gradient", name].values, np.float64)
    assert untracked.by_weights(a, b) is not None
    if kind == "twice":
        copy = replace(mine.arrays["weight", "layer0.weight"], name="tied", shape=(24, 24), elements=576,
                       values=first.arrays["weight", name].values)  # fmt: skip
        tied = replace(mine, arrays={**mine.arrays, ("weight", "tied"): copy})
        both = replace(first, arrays={**first.arrays, ("weight", "tied"): copy})
        declared = {each: {"shape": list(one.shape)} for each, one in tied.of("weight").items()}
        a = replace(a, evidence=replace(a.evidence, steps=(tied, *a.evidence.steps[1:])),
                    manifest={"model": {"tensors": declared}})  # fmt: skip
        other = replace(b, evidence=replace(b.evidence, steps=(both, *b.evidence.steps[1:])))
    elif kind in kernels:
        other = changed("weight", kernels[kind])
    else:
        other = changed("gradient", gradient * (0 if kind == "unpushed" else 1e-7))
    assert untracked.by_weights(a, other) is None


@pytest.mark.parametrize(("shapes", "told"), [(((24, 6), (24,), (24, 24)), True), (((24, 6),), False)])
def test_parameters_that_nobody_holds_speak_for_weights_that_begin_otherwise(
    shapes: Sequence[Sequence[int]], told: bool
) -> None:
    """An agent of PyTorch tells them by shape; of all that the other side has more, or a layer may be missing."""
    a, b = pair(given={"facts": {"unowned": [{"shape": list(shape)} for shape in shapes]}})
    plain = pair()[1]
    assert (untracked.by_record(a, plain) is not None) is told
    assert untracked.by_record(a, b) is None, "the other side holds them no more than this one"
    drawn = run(Tiny(weights=lambda: glorot(3, (6, 24, 24, 1)), stepper=sgd))
    found = [one.parameter for one in causes.diagnose(a, drawn).causes]
    assert ("backward.untracked" in found, "forward.dense" in found) == (told, not told)


@pytest.mark.parametrize(("mend", "kept"), [("a", ["update.frozen"]), ("b", ["update.frozen", "backward.untracked"])])
def test_weights_that_are_told_as_frozen_are_told_once(mend: Any, kept: list[str]) -> None:
    """Of the side that does not train them."""
    frozen = Cause("OPT-00", "update.frozen", ("w", "none"), 0.5, "", mend=mend)
    missing = Cause("FWD-00", "forward.dense", ("none", "dense(24)"), 0.9, "")
    assert [one.parameter for one in untracked.weigh([frozen, missing], Untracked("a", ("w",), 0.5, ""))] == kept
    assert untracked.weigh([missing], None) == [missing]

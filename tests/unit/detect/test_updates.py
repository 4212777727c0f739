"""What each step does to the weights, in runs that really train; healthy ones say nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from auditor.alerts.stories import ancestors
from auditor.detect.engine import RunAuditor
from auditor.detect.evidence.fresh import fresh
from auditor.detect.rules.gradients.accumulated import GradientAccumulated
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array
from support.numpy_training import SHAPES, Training, rules

OURS = {
    *("learning_rate", "gradient_accumulated", "unchanged_parameters", "optimizer_step_missing", "update_ratio"),
    *("update_swallowed", "weight_explosion", "zero_gradient", "clip_saturated", "wrong_mode"),
}


def said(training: Training, steps: int = 160) -> list[str]:
    """The rules of this slice that speak."""
    return [rule for rule in rules(training.run(steps)) if rule in OURS]


def first(training: Training, rule: str, steps: int = 160) -> Finding:
    """The first finding of ``rule``."""
    return next(one for one in training.run(steps) if one.rule == rule)


@pytest.mark.parametrize(
    "training",
    [
        Training(rate=0.1),
        Training(rate=0.02, batch=4),
        Training(rate=0.5, batch=256),
        Training(rate=lambda step: 0.2 * min(1.0, (step - 1) / 50)),
        Training(rate=lambda step: 0.2 * (1 + np.cos(step / 160 * np.pi))),
        Training(rate=0.1, targets="noise"),
        Training(rate=0.05, dtype="float16"),
    ],
    ids=["plain", "small batches", "large batches", "warm-up from zero", "cosine to zero", "nothing to learn", "half"],
)
def test_healthy_updates_say_nothing(training: Training) -> None:
    """Small and large batches, warm-up from a rate of 0, a schedule down to 0, noise, float16 with visible steps."""
    assert said(training) == []


def test_gradients_that_pile_up() -> None:
    """Without zeroing each gradient is the one before and a new one; the alert comes within the first 20 steps."""
    found = first(Training(rate=0.01, keep=True), "gradient_accumulated")
    assert found.step <= 20
    assert found.evidence["growth"] > 3
    assert found.evidence["alike"] > 0.85


def test_a_framework_that_computes_each_gradient_anew_piles_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras' own train_step: whatever its gradients look like; one written by hand may keep them."""
    monkeypatch.setattr(Training, "framework", "keras")
    for own in (True, False):
        training = Training(rate=0.01, keep=True, manifest={"precision": {"own_train_step": own}})
        assert ("gradient_accumulated" in said(training, 40)) is own


def test_full_batches_are_alike_without_piling_up() -> None:
    """The same data at every step: gradients are alike, but nothing new comes and the norm falls."""
    training = Training(rate=0.05, batch=4096)
    assert said(training, 60) == []


@pytest.mark.parametrize("piled", [False, True])
def test_full_batches_whose_gradients_grow_keep_what_they_promise(piled: bool) -> None:
    """Off a saddle gradients double in a few steps, alike as if piled up: the loss falls by as much as they say."""
    curvature, rate = np.diag(-np.linspace(0.8, 1.2, 16)), 0.3
    weight, pile, recordings = np.full((16, 1), 0.01), np.zeros((16, 1)), []
    slope = np.linspace(0.5, 1.5, 16)[:, None] * piled
    for step in range(1, 14):
        gradient = slope if piled else curvature @ weight
        pile = pile + gradient if piled else gradient
        loss = float((slope * weight).sum() + (0.0 if piled else 0.5 * (weight * (curvature @ weight)).sum()))
        updated = weight - rate * pile
        named = {"weight": weight, "gradient": pile, "updated": updated}
        arrays = [array(role, "fc.weight", values) for role, values in named.items()]
        recordings.append(Recording(step, arrays, {"loss": loss}, {"phase": "train"}))
        weight = updated
    assert judged(*recordings) == (["gradient_accumulated"] if piled else [])


def test_the_traces_survive_a_restart() -> None:
    """The rule's history as JSON values gives the same verdict."""
    rule = GradientAccumulated()
    training = Training(rate=0.01, keep=True)
    training.run(6)
    lane = training.sender.auditor.to_state()["lanes"][0]
    kept = lane["rules"]["gradient_accumulated"]
    rule.restore(kept)
    assert rule.memory.pairs == 5
    assert set(rule.memory.traces) == set(SHAPES)
    assert rule.state() == kept
    assert RunAuditor.from_state(training.sender.auditor.to_state()).to_state()["lanes"][0]["rules"] == lane["rules"]


@pytest.mark.parametrize(
    ("rate", "says"),
    [
        (1e-9, "a tenth of the loss takes"),
        (0.0, "was 0 in each of the first 50 steps"),
        (-0.1, "The learning rate is -0.1"),
        (40.0, "moved the weights by"),
    ],
)
def test_rates_that_cannot_work(rate: float, says: str) -> None:
    """Tiny, zero, negative, huge: each with the numbers that prove it."""
    found = first(Training(rate=rate), "learning_rate")
    assert says in found.evidence["what"]


@pytest.mark.parametrize(("later", "said"), [(1.0, 1), (1e6, 0)])
def test_steps_that_promise_more_and_more_are_under_way(later: float, said: int) -> None:
    """Far targets: the first steps take off next to nothing, and what one takes off doubles and doubles again."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "MeanSquaredError"}})
    wanted, gradient = np.linspace(990.0, 1010.0, 32)[:, None], np.ones((4, 8))
    loss = float((wanted**2).mean())
    for step in (*range(1, 21), 50):
        weight = np.full((4, 8), 0.1)
        moved = weight - 1e-4 * gradient * (later if step > 20 else 1.0)
        arrays = [array("weight", "fc.weight", weight), array("gradient", "fc.weight", gradient)]
        arrays += [array("updated", "fc.weight", moved), array("output", "output0", np.zeros_like(wanted))]
        arrays.append(array("target", "target0", wanted))
        found += sender.record(Recording(step, arrays, {"loss": loss, "lr": 1e-4}, {"phase": "train"}))
    found += sender.steps(batch(0, table(), first=1, steps=150, loss=np.full(150, loss)), table())
    assert sum(one.rule == "learning_rate" for one in found) == said


def test_a_small_rate_on_good_weights_is_fine_tuning() -> None:
    """A model whose loss is far below that of guessing may creep: nothing is said."""
    trained = Training(rate=0.3)
    trained.run(300)
    assert said(Training(rate=1e-5, begin=trained.weights)) == []


def test_parameters_that_no_optimizer_holds() -> None:
    """They have gradients and stay as an initialiser left them, while the others move."""
    groups = [{"parameters": ["fc1.weight", "fc1.bias"]}]
    manifest = {"optimizer": {"class": "SGD", "groups": groups}}
    found = first(Training(frozen=("fc0.weight", "fc0.bias"), manifest=manifest), "unchanged_parameters")
    assert (found.step, found.subject.name) == (50, "fc0.weight")
    assert found.evidence["parameters"] == ["fc0.weight", "fc0.bias"]
    assert "no optimizer holds" in found.evidence["why"]


def test_held_parameters_that_stay() -> None:
    """Held or not told: a weight with gradients that the rate should move, and does not."""
    assert said(Training(frozen=("fc0.weight", "fc0.bias"))) == ["unchanged_parameters"]


def test_nothing_moves_at_all() -> None:
    """Gradients and a rate, and every weight stays: the step is missing."""
    found = first(Training(frozen=tuple(SHAPES)), "optimizer_step_missing")
    assert found.step == 50
    assert "unchanged_parameters" not in said(Training(frozen=tuple(SHAPES)))


def test_half_precision_swallows_small_updates() -> None:
    """float16 weights and a rate below their spacing: most elements stay, and the alert says how many."""
    found = first(Training(rate=3e-4, dtype="float16", targets="noise"), "update_swallowed")
    assert found.evidence["share"] > 0.5
    assert found.evidence["dtype"] == "float16"


@pytest.mark.parametrize("how", ["zero", "cut"])
def test_weights_that_no_gradient_reaches(how: str) -> None:
    """Zeros throughout, or none at all for the first layer, which the optimizer holds."""
    names = ("fc0.weight", "fc0.bias")
    manifest = {
        "optimizer": {"class": "SGD", "groups": [{"parameters": list(SHAPES)}]},
        "model": {"tensors": {name: {"shape": list(shape)} for name, shape in SHAPES.items()}},
    }
    training = Training(zero=names if how == "zero" else (), cut=names if how == "cut" else (), manifest=manifest)
    found = first(training, "zero_gradient")
    assert (found.step, found.subject.name) == (50, "fc0.weight")


def test_parameters_that_ask_for_no_gradient_are_held_all_the_same() -> None:
    """A frozen body whose parameters the optimizer was given with all others: declared, and meant so."""
    body = {"fc0.weight", "fc0.bias"}
    manifest = {
        "optimizer": {"class": "SGD", "groups": [{"parameters": list(SHAPES)}]},
        "model": {
            "tensors": {name: {"shape": [1], **({"trainable": False} if name in body else {})} for name in SHAPES}
        },
    }
    assert said(Training(cut=tuple(body), manifest=manifest)) == []


def test_a_head_without_gradients_may_be_unused() -> None:
    """The last layers without a gradient, and not known to run: an auxiliary head, no alert."""
    manifest = {
        "optimizer": {"class": "SGD", "groups": [{"parameters": [*SHAPES, "aux.weight"]}]},
        "model": {"tensors": {name: {"shape": [2, 2]} for name in [*SHAPES, "aux.weight"]}},
    }
    assert said(Training(manifest=manifest)) == []


def test_the_verdict_does_not_depend_on_the_frames() -> None:
    """The same run cut into frames of 1 and of 13 steps: the same findings."""
    for training in (Training(rate=1e-9), Training(rate=40.0), Training(frozen=("fc0.weight",))):
        told = [
            [(one.rule, one.step, one.subject.name) for one in training.run(per_frame=cut) if one.rule in OURS]
            for cut in (1, 13)
        ]
        assert told[0]
        assert told[0] == told[1]


@pytest.mark.parametrize(
    ("draw", "verdict"),
    [
        (lambda rng: rng.uniform(-np.sqrt(1 / 30), np.sqrt(1 / 30), (40, 30)), True),
        (lambda rng: rng.uniform(-np.sqrt(6 / 70), np.sqrt(6 / 70), (40, 30)), True),
        (lambda rng: rng.uniform(-np.sqrt(1 / 30), np.sqrt(1 / 30), (40, 30)) * 1.02, False),
        (lambda rng: rng.normal(0, np.sqrt(2 / 30), (40, 30)), True),
        (lambda rng: rng.normal(0, 0.5, (40, 30)), False),
        (lambda rng: rng.uniform(-0.3, 0.3, (40, 30)) + 0.1, False),
        (lambda rng: rng.laplace(0, 0.2, (40, 30)), False),
        (lambda rng: rng.uniform(-0.3, 0.3, 40), False),
    ],
)
def test_what_looks_as_it_was_drawn(draw: Callable[[Any], Any], verdict: bool) -> None:
    """Uniform up to a published bound, normal with a published variance; not what is off, heavy-tailed, or a bias."""
    values = draw(np.random.default_rng(3))
    moments = {"mean": values.mean(), "std": values.std(), "absmax": np.abs(values).max()}
    assert fresh(values.shape, moments) is verdict


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize(("spread", "said_"), [(0.1, True), (0.37, False)])
def test_variables_that_the_loss_is_made_of_and_nothing_moves(spread: float, said_: bool, asked: bool) -> None:
    """As an initialiser leaves them they were forgotten, or cut off; trained ones may be left as they are."""
    kernel = {
        "name": "enc/kernel",
        "asked": asked,
        "shape": [64, 32],
        "mean": 0.0,
        "std": spread,
        "absmax": spread * np.sqrt(3) * 0.9999,
    }
    kernel |= {"std": np.sqrt(2 / 96), "absmax": np.sqrt(6 / 96) * 0.9999} if said_ else {}
    sender, tensors = Sender(RunAuditor(RUN)), table()
    sender.start(framework="tensorflow")
    event = {"type": "unapplied", "step": 50, "variables": [kernel], "moved": 4}
    found = sender.steps(batch(0, tensors, first=50, steps=1, loss=1.0, events=[event]), tensors)
    rule = "zero_gradient" if asked else "unchanged_parameters"
    assert [one.rule for one in found] == ([rule] if said_ else [])


def test_a_step_that_the_agent_misses_is_said_and_taken_back() -> None:
    """The agent's word is enough where no step comes; gradients of a step that comes later clear it."""
    sender = Sender(RunAuditor(RUN))
    event = {"step": 100, "type": "step_missing", "backwards": 100, "optimizer": "Adam", "parameters": ["(8, 6)"]}
    [found] = sender.steps(batch(0, table(), first=100, steps=1, kind=None, loss=0.7, events=[event]), table())
    assert (found.rule, found.step, found.evidence["steps"]) == ("optimizer_step_missing", 100, 100)
    [cleared] = sender.steps(batch(1, table(), first=101, steps=3, loss=0.7), table())
    assert cleared.cleared


def test_an_optimizer_of_a_copy_moves_nothing() -> None:
    """No gradient ever reaches what it holds: said as such, and as weights that stay."""
    manifest = {
        "optimizer": {"class": "SGD", "groups": [{"parameters": list(SHAPES)}]},
        "model": {"tensors": {name: {"shape": list(shape)} for name, shape in SHAPES.items()}},
    }
    assert said(Training(cut=tuple(SHAPES), manifest=manifest)) == ["zero_gradient", "unchanged_parameters"]


def test_variables_that_a_loop_never_applies() -> None:
    """TensorFlow: trainable variables at the front that are not among those applied in 50 steps."""
    layers = [
        {"name": name, "weights": [{"name": f"{name}.{part}", "trainable": True} for part in ("weight", "bias")]}
        for name in ("fc0", "fc1")
    ]

    class Loop(Training):
        """A loop of TensorFlow's."""

        framework = "tensorflow"

    found = first(Loop(cut=("fc0.weight", "fc0.bias"), manifest={"model": {"layers": layers}}), "unchanged_parameters")
    assert (found.step, found.evidence["parameters"]) == (50, ["fc0.weight", "fc0.bias"])
    assert said(Loop(manifest={"model": {"layers": layers}})) == []
    theirs = {"optimizers": {"1": ["fc0.weight", "fc0.bias"]}}  # another optimizer's, whose steps are not told
    assert said(Loop(cut=("fc0.weight", "fc0.bias"), manifest={"model": {"layers": layers}}, facts=theirs)) == []


def told(step: int, **facts: Any) -> Recording:
    """A recorded step of one weight, with a gradient of its own."""
    values = np.random.default_rng(step).normal(size=(4, 4))
    arrays = [array(role, "fc.weight", values) for role in ("weight", "gradient")]
    return Recording(step, arrays, {"loss": 1.0}, {"phase": "train", **facts})


def judged(*recordings: Recording) -> list[str]:
    """What is said of them."""
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="torch")
    return rules([one for recording in recordings for one in sender.record(recording)])


def test_gradients_found_before_the_backward_pass_are_kept_whatever_they_look_like() -> None:
    """Eight recorded steps in a row; a single step that finds none begins anew."""
    kept = [told(step, gradients_before="kept") for step in range(1, 12)]
    assert judged(*kept) == ["gradient_accumulated"]
    assert judged(*kept[:5], told(6, gradients_before="none"), *kept[6:]) == []


def test_gradients_that_pile_up_by_their_numbers_alone_count_only_where_the_agent_could_not_look() -> None:
    """The same gradients, each the one before and something new, with and without that fact."""
    rng, recordings, total = np.random.default_rng(3), [], np.zeros((8, 8))
    for step in range(1, 14):
        total = total + np.ones((8, 8)) + 0.3 * rng.normal(size=(8, 8))
        recordings.append(Recording(step, [array("gradient", "fc.weight", total)], {"loss": 1.0}, {"phase": "train"}))
    assert judged(*recordings) == ["gradient_accumulated"]
    for one in recordings:
        one.facts["gradients_before"] = "zero"
    assert judged(*recordings) == []


def test_a_step_outside_its_loop_throws_gradients_away() -> None:
    """Eight passes, seven for nothing, three times; accumulation, and the two passes of SAM, are none."""
    lost = [told(step, backwards=8, discarded=7, gradients_before="zero") for step in range(1, 5)]
    assert judged(*lost) == ["optimizer_step_missing"]
    assert judged(*(told(step, backwards=8, discarded=0) for step in range(1, 9))) == []
    assert judged(*(told(step, backwards=2, discarded=1) for step in range(1, 9))) == []


@pytest.mark.parametrize(("samples", "said"), [(1, []), (32, ["optimizer_step_missing"])])
def test_gradients_of_single_samples_are_summed_by_hand(samples: int, said: list[str]) -> None:
    """Each is clipped by itself, for differential privacy; those of batches that are zeroed again come to nothing."""
    facts = {"phase": "train", "backwards": 16, "discarded": 15, "gradients_before": "zero"}
    given = [array("batch", "input0", np.ones((samples, 4)))]
    assert judged(*(Recording(step, given, {"loss": 1.0}, dict(facts)) for step in range(1, 6))) == said


def test_parameters_that_nobody_holds() -> None:
    """As an initialiser leaves them; not those that were trained elsewhere."""
    bound = 1 / np.sqrt(32)
    new = {"shape": [32, 32], "mean": 0.0, "std": bound / np.sqrt(3), "absmax": bound * 0.9999}
    assert judged(told(2, unowned=[new])) == ["unchanged_parameters"]
    assert judged(told(2, unowned=[{**new, "std": 0.7, "absmax": 2.5}])) == []


def test_an_adapter_that_no_optimizer_holds() -> None:
    """The second matrix of a LoRA begins at zeros and has gradients; nothing else would leave it there."""
    groups = [{"parameters": ["fc0.weight", "fc0.bias", "fc1.bias"]}]
    zeros = {"fc1.weight": np.zeros(SHAPES["fc1.weight"], np.float32)}
    manifest = {"optimizer": {"class": "Adam", "groups": groups}}
    outside = Training(frozen=("fc1.weight",), begin=zeros, manifest=manifest)
    found = first(outside, "unchanged_parameters")
    assert (found.subject.name, found.evidence["others"]) == ("fc1.weight", 0)
    held = {"optimizer": {"class": "Adam", "groups": [{"parameters": list(SHAPES)}]}}
    assert "unchanged_parameters" not in said(Training(begin=zeros, manifest=held))


def test_a_rate_that_breaks_the_run_at_once_is_named_at_once() -> None:
    """A program that ends with the first NaN has no fiftieth step; it is the root of what broke."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="torch")
    rng = np.random.default_rng(0)
    weight, tensors = rng.normal(size=(8, 8)), table()
    for step in range(1, 4):
        after = weight + 2.0 * step * rng.normal(size=(8, 8))
        arrays = [array(role, "fc0.weight", value) for role, value in (("weight", weight), ("updated", after))]
        arrays.append(array("gradient", "fc0.weight", weight - after))
        found += sender.record(Recording(step, arrays, {"loss": 10.0**step, "lr": 3.0}, {"phase": "train"}))
        weight = after
    losses = np.array([10.0, 100.0, 1000.0, np.nan])
    found += sender.steps(batch(0, tensors, first=1, steps=4, loss=losses, lr=3.0), tensors)
    rates = [one for one in found if one.rule == "learning_rate"]
    assert [(one.step, "non-finite" in one.evidence["what"]) for one in rates] == [(4, True)]
    assert "learning_rate" in ancestors("nonfinite_loss")

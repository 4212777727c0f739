"""A penalty that is divided by the samples of each batch, one that nobody can read, and losses that samples weigh."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.identify import backward, order, penalty
from auditor.compare.identify.evidence import Evidence, evidence
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.loss import slope
from auditor.compare.identify.loss_fits import LossFit
from auditor.compare.identify.loss_pairs import pairs_of
from auditor.compare.identify.loss_parts import Part
from auditor.compare.profile import Beside, Facts, Profile, profile
from auditor.compare.recognise import loss, loss_parts, regularization
from auditor.compare.trajectories import Curve
from auditor.ingest.records import Recorded, StepRecording

ALPHA = 0.01
WEIGHTS = {"a.kernel": (4, 3), "a.bias": (3,)}


def recorded(role: str, name: str, values: np.ndarray) -> tuple[tuple[str, str], Recorded]:
    """An array of a step."""
    return (role, name), Recorded(role, name, str(values.dtype), values.shape, values.size, values.reshape(-1))


def steps(coefficient: Any, *, told: bool = True) -> Evidence:
    """Six steps, the third and the last of five samples and not of twenty; the coefficient by their number."""
    rng, found = np.random.default_rng(0), []
    for step in range(1, 7):
        rows = 5 if step % 3 == 0 else 20
        weights = {name: rng.normal(size=shape) for name, shape in WEIGHTS.items()}
        value = coefficient(rows, step) * float((weights["a.kernel"] ** 2).sum())
        arrays = dict(recorded("weight", name, each) for name, each in weights.items())
        arrays |= dict([recorded("output", "output0", rng.normal(size=(rows, 3)))])
        arrays |= dict([recorded("target", "target0", rng.normal(size=(rows, 3)))])
        scalars = {"loss": 1.0 + value} | ({"loss/penalty": value} if told else {})
        found.append(StepRecording(0, 0, step, arrays, scalars))
    return evidence("tensorflow", found)


def told(given: Evidence) -> dict[str, Any]:
    """The facts of a penalty."""
    kinds = {"a.kernel": "dense.kernel", "a.bias": "dense.bias"}
    return {fact.parameter: fact.value for fact in penalty.facts(given, [], kinds)}


def test_a_coefficient_that_is_divided_by_the_samples_is_that_of_a_whole_batch() -> None:
    """As scikit-learn divides its alpha: a last batch of fewer samples has another."""
    found = told(steps(lambda rows, _: ALPHA / rows))
    assert found["penalty.l2"] == pytest.approx(ALPHA / 20)
    assert found["penalty.tensors"] == "kernels"


def test_a_penalty_that_no_choice_of_tensors_explains_is_told_as_such() -> None:
    """It is not nothing."""
    assert told(steps(lambda _, step: ALPHA * step**2)) == {penalty.UNEXPLAINED: True}


def test_a_penalty_that_was_told_as_no_number_is_not_known() -> None:
    """A model with a loss of its own has no part of it that is the penalty."""
    given = steps(lambda rows, _: ALPHA / rows)
    unknown = [replace(one, scalars=one.scalars | {"loss/penalty": np.nan}) for one in given.steps]
    assert told(evidence("keras", unknown)) == {}


def test_squares_are_known_of_batches_of_one_size() -> None:
    """One multiple of them explains what is left of those alone."""
    sums = [pair.squares for pair in pairs_of(steps(lambda rows, _: ALPHA / rows, told=False))]
    assert [bool(np.isfinite(one)) for one in sums] == [True, True, False, True, True, False]


def side(*facts: Fact) -> Profile:
    """A run of which these facts are known."""
    found = Facts()
    for fact in facts:
        found.add(fact)
    return replace(profile("a", "tensorflow", [], Beside()), facts=found)


@pytest.mark.parametrize(
    ("more", "ids"),
    [
        ([], ["LOSS-16"]),
        ([Fact(penalty.UNEXPLAINED, value=True)], []),
        ([Fact("loss.parts", (Part("binary cross entropy", 1, 1), Part("product", 1, 1)))], []),
        ([Fact("loss.parts", (Part("binary cross entropy", 1, 1),))], ["LOSS-16"]),
    ],
)
def test_a_loop_that_declares_no_penalty_may_have_one_in_its_loss(more: list[Fact], ids: list[str]) -> None:
    """Layers declare none: what stands in the loss that nobody could read is not zero."""
    known = side(Fact("penalty.l2", 0.1), Fact("penalty.tensors", "kernels"))
    loop = side(Fact("penalty.declared.l2", 0.0, how="declared"), *more)
    assert [one.id for one in regularization.causes(known, loop)] == ids


@pytest.mark.parametrize("turned", [False, True])
def test_the_slope_of_a_loss_of_a_difference_is_by_the_output(turned: bool) -> None:
    """``(output - target) ** 2`` and ``(target - output) ** 2`` fall the same way, of which the difference was kept."""
    rng = np.random.default_rng(0)
    output, target = rng.normal(size=(2, 8, 2))
    kept = target - output if turned else output - target
    inputs = [None, "output0"] if turned else ["output0", None]
    nodes = [{"op": "Mean", "inputs": [1]}, {"op": "Pow", "inputs": [2]}, {"op": "Sub", "inputs": inputs}]
    arrays = dict([recorded("output", "output0", output), recorded("output", "Pow.input", kept)])
    one = StepRecording(0, 0, 1, arrays, {"loss": float((kept**2).mean())}, {"loss": {"graph": nodes}})
    fit = LossFit("squared error", "values", "mean", 1.0, broadcast=False, smoothing=0.0, residual=0.0)
    found = slope(one, fit, 1e-5)
    assert found is not None
    np.testing.assert_allclose(found, (output - target).mean(axis=0), atol=1e-6)


def weighed(factor: Any, below: str) -> StepRecording:
    """A step whose loss is a mean of products of what ``below`` gave."""
    nodes = [
        {"op": "Mean", "inputs": [1], "input_shapes": [[8]]},
        {"op": "Mul", "inputs": [2, None], "shape": [8], "input_shapes": [[8], factor]},
        {"op": "Reshape", "inputs": [3]},
        {"op": below, "inputs": ["output0", None]},
    ]
    rng = np.random.default_rng(1)
    output, labels = rng.normal(size=(8, 3)), rng.integers(0, 3, 8)
    arrays = dict([recorded("output", "output0", output), recorded("target", "target0", labels)])
    arrays |= dict([recorded("gradient", "out.bias", rng.normal(size=3))])
    return StepRecording(0, 0, 1, arrays, {"loss": 1.0}, {"loss": {"graph": nodes}})


@pytest.mark.parametrize(
    ("factor", "below", "known"),
    [
        ([8], "SparseSoftmaxCrossEntropyWithLogits", False),
        ([], "SparseSoftmaxCrossEntropyWithLogits", True),
        ([8], "Log", True),
    ],
)
def test_a_gradient_of_weighted_samples_is_held_against_no_loss(factor: Any, below: str, known: bool) -> None:
    """Weights that nobody recorded; one number changes no direction, and a target times a logarithm is a loss."""
    fit = LossFit("cross entropy", "logits", "mean", 1.0, broadcast=False, smoothing=0.0, residual=0.0)
    given = [replace(weighed(factor, below), step=at) for at in range(1, 5)]
    assert (backward.unlike(evidence("tensorflow", given), fit) is not None) is known


@pytest.mark.parametrize(("weight", "size", "parameters"), [(2.0, 0.5, []), (2.0, 1.0, ["loss.scale"])])
def test_rows_of_a_part_of_the_batch_count_for_as_much(weight: float, size: float, parameters: list[str]) -> None:
    """The mean over half of the nodes of a graph is no sum."""
    whole, part = (
        side(Fact("loss.parts", (Part("cross entropy", each, by),))) for each, by in ((1.0, 1.0), (size, weight))
    )
    assert [one.parameter for one in loss_parts.causes(whole, part)] == parameters


def choice(spread: float, l2: float, tensors: str) -> tuple[float, float, float, str | list[str]]:
    """What a choice of tensors makes of a penalty."""
    return spread, l2, 0.0, tensors


def test_of_choices_that_none_can_tell_apart_the_one_with_a_strength_that_a_program_says() -> None:
    """In a few steps the weights hardly move: all kernels at 9.8e-5 seem as steady as some at 1e-4."""
    every, some, half = choice(1e-6, 9.783e-5, "kernels"), choice(5e-6, 1e-4, "some"), choice(6e-6, 1.5e-4, "half")
    assert penalty._shortest([every, some], 1e-5) == some
    assert penalty._shortest([every, some], 1e-6) == every, "the other is told apart by the numbers"
    assert penalty._shortest([some, every], 1e-5) == some
    assert penalty._shortest([every, half], 1e-5) == half, "half of 3e-4, as weight decay counts"
    assert penalty._shortest([every, choice(5e-6, 1.234e-4, "some")], 1e-5) == every


def loop(graph: list[dict[str, Any]], *facts: Fact, chain: Any = ()) -> Profile:
    """A run with a loss of its own, of which this graph is known."""
    one = StepRecording(0, 0, 1, {}, {"loss": 1.0}, {"loss": {"graph": graph, "chain": list(chain)}})
    return replace(side(*facts), evidence=evidence("tensorflow", [one]))


@pytest.mark.parametrize(("squares_of", "ids"), [("weight", []), ("output0", ["LOSS-16"])])
def test_a_loss_made_of_weights_may_hold_a_penalty_that_nobody_declares(squares_of: str, ids: list[str]) -> None:
    """A loop that divides its loss and the squares of the weights by what the samples weigh."""
    graph = [{"op": "RealDiv", "inputs": [1, None]}, {"op": "Pow", "inputs": [squares_of, None], "exponent": 2.0}]
    known = side(Fact("penalty.l2", 0.1), Fact("penalty.tensors", "kernels"))
    own = loop(graph, Fact("penalty.declared.l2", 0.0, how="declared"))
    assert [one.id for one in regularization.causes(known, own)] == ids


@pytest.mark.parametrize(("weight", "told"), [(0.003, []), (0.006, ["loss.function"])])
def test_losses_of_the_same_parts_are_one_whichever_numbers_explain(weight: float, told: list[str]) -> None:
    """The tables explain the one; of the other only its graph is known."""
    parts = [(Part("square", 1, 1), Part("square", 12, each)) for each in (0.003, weight)]
    known = side(Fact("loss.function", "squared error"), Fact("loss.parts", parts[0]))
    own = loop([], Fact("loss.parts", parts[1]), chain=("AddV2", "Mean", "Square", "Sub"))
    assert loss_parts.alike(known, own) == (not told)
    assert [one.parameter for one in loss.causes(known, own) if one.parameter == "loss.function"] == told


def test_the_samples_of_every_step_tell_of_partial_batches() -> None:
    """An epoch's last step is seldom recorded whole. Of a model that a step calls twice they count twice.

    Where they are no multiple of the calls, the recorded steps say of no partial batch that it is not there.
    """
    given = steps(lambda *_: ALPHA)
    batches = [replace(one, arrays=one.arrays | dict([recorded("batch", "input0", np.ones((20, 2)))]))
               for one in given.steps if one.step % 3]  # fmt: skip
    for sizes, partial in (((20, 20, 5), [[5]]), ((40, 40, 5), []), ((40, 40, 10), [[5]]), ((20, 20, 20), [[]])):
        samples = Curve(np.arange(1, 4), np.array(sizes, np.float64))
        found = order.facts(evidence("torch", batches), {"samples": samples}, [])
        assert [one.value for one in found if one.parameter == "data.partial_batches"] == partial

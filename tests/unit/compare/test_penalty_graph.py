"""A penalty that the graph of the loss spells out: whose squares, how often, and that its values follow from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.compare.identify import loss, penalty
from auditor.compare.identify.evidence import evidence
from auditor.compare.identify.penalty_graph import Spelt, spelt
from auditor.ingest.records import Recorded, StepRecording

SHAPES = {"one": (40, 30), "scale": (30,), "two": (30, 20), "twin": (40, 30)}
KINDS = {"one": "dense.kernel", "scale": "norm.kernel", "two": "dense.kernel", "twin": "dense.kernel"}
L2 = 1e-4


def added(*terms: dict[str, Any], factor: float = 1.0) -> list[dict[str, Any]]:
    """A loss of the data and ``factor`` times these terms, each a sum over something of a weight."""
    nodes: list[dict[str, Any]] = [
        {"op": "Add", "inputs": [1, 2], "alpha": 1},
        {"op": "NllLoss", "inputs": []},
        {"op": "Mul", "inputs": [3, None], "other": factor},
        {"op": "AddN", "inputs": [4 + 2 * at for at in range(len(terms))]},
    ]
    for at, one in enumerate(terms):
        leaf = {key: value for key, value in one.items() if key != "over"}
        nodes += [{"op": one.get("over", "Sum"), "inputs": [5 + 2 * at], "from": one["input_shapes"][0]}, leaf]
    return nodes


def term(name: str, shape: tuple[int, ...], op: str = "Square", **more: Any) -> dict[str, Any]:
    """What is summed over."""
    return {"op": op, "inputs": [name], "input_shapes": [list(shape)], **more}


def steps(graph: list[dict[str, Any]], value: dict[str, float], power: int = 2) -> list[StepRecording]:
    """Steps whose weights hardly move, with a told penalty of so many times the sums of these tensors."""
    rng = np.random.default_rng(1)
    first = {name: rng.normal(size=shape) * 0.05 + (name == "scale") for name, shape in SHAPES.items()}
    found = []
    for step in range(1, 4):
        now = {name: each + 1e-6 * step * rng.normal(size=each.shape) for name, each in first.items()}
        arrays = {
            ("weight", name): Recorded("weight", name, "float32", each.shape, each.size, each.astype("f4").reshape(-1))
            for name, each in now.items()
        }
        told = sum(
            c * float((np.abs(now[name].astype("f4").astype(float)) ** power).sum()) for name, c in value.items()
        )
        facts = {"loss": {"graph": graph}}
        found.append(StepRecording(0, 0, step, arrays, {"loss": 2.0 + told, "loss/penalty": told}, facts))
    return found


def told(made: list[StepRecording]) -> dict[str, Any]:
    """The facts of the penalty."""
    return {fact.parameter: fact.value for fact in penalty.facts(evidence("torch", made), [], KINDS)}


@pytest.mark.parametrize(
    ("terms", "strength", "power", "tensors"),
    [
        ([term("one", (40, 30)), term("two", (30, 20))], 1.0, 2, ("one", "two")),
        ([term("two", (30, 20), "Pow", exponent=2.0)], 1.0, 2, ("two",)),
        ([term("two", (30, 20), "Abs")], 1.0, 1, ("two",)),
        ([term("two", (30, 20), over="Mean")], 1 / 600, 2, ("two",)),
        ([{"op": "Mul", "inputs": ["two", "two"], "input_shapes": [[30, 20]]}], 1.0, 2, ("two",)),
    ],
)
def test_the_terms_of_weights_are_read(
    terms: list[dict[str, Any]], strength: float, power: int, tensors: tuple[str, ...]
) -> None:
    """Squares however they are written, sizes, and means."""
    assert list(spelt(steps(added(*terms), {}))) == [Spelt(strength, power, tensors)]
    [found] = spelt(steps(added(*terms, factor=L2), {}))
    assert found.strength == pytest.approx(L2 * strength)


def length(order: float, squared: bool = False) -> list[dict[str, Any]]:
    """A loss of the data and a norm of a weight, squared or not."""
    graph = added(factor=L2)[:3]
    norm = {**term("two", (30, 20), "LinalgVectorNorm", ord=order), "shape": []}
    return [*graph, *([{"op": "Pow", "inputs": [4], "exponent": 2, "shape": []}] if squared else []), norm]


@pytest.mark.parametrize(("order", "squared", "power"), [(1, False, 1), (2.0, True, 2)])
def test_norms_are_read_where_they_are_sums(order: float, squared: bool, power: int) -> None:
    """``w.norm(1)``, ``w.norm() ** 2``: as PyTorch's programs spell them."""
    [found] = spelt(steps(length(order, squared), {}))
    assert (found.power, found.tensors) == (power, ("two",))
    assert found.strength == pytest.approx(L2)


@pytest.mark.parametrize(("order", "squared"), [(2, False), (1, True), (3, False)])
def test_a_norm_that_is_no_sum_is_no_penalty_of_that_kind(order: float, squared: bool) -> None:
    """A length by itself, the square of a sum of sizes."""
    assert list(spelt(steps(length(order, squared), {}))) == []


@pytest.mark.parametrize(
    "terms",
    [
        [term("output0", (30, 20))],
        [term("two", (30, 20), "Pow", exponent=3.0)],
        [term("two", (30, 20)), term("one", (40, 30), "Abs")],
        [],
    ],
)
def test_what_is_no_penalty_of_one_kind_is_none(terms: list[dict[str, Any]]) -> None:
    """Squares of the output, cubes, squares of some beside the sizes of others."""
    assert list(spelt(steps(added(*terms), {}))) == []


def test_of_tensors_without_names_those_that_the_values_follow_from() -> None:
    """A tape says of what shape a weight was, and two of that shape are there; which one shows in the numbers."""
    graph = added(term("weight", (40, 30)), term("weight", (30, 20)), factor=L2)
    assert {one.tensors for one in spelt(steps(graph, {}))} == {("one", "two"), ("two", "twin")}
    for kernel in ("one", "twin"):
        assert set(told(steps(graph, {kernel: L2, "two": L2}))["penalty.tensors"]) == {kernel, "two"}


def test_weights_that_hardly_move_leave_the_choice_to_the_graph() -> None:
    """Any choice of tensors explains three values that are the same but for rounding."""
    wanted = {"one": L2, "two": L2, "twin": L2}
    graph = added(*(term(name, SHAPES[name]) for name in wanted), factor=L2)
    found = told(steps(graph, wanted))
    assert found["penalty.l2"] == pytest.approx(L2, rel=1e-6)
    assert set(found["penalty.tensors"]) == set(wanted)
    absolute = told(steps(added(term("two", (30, 20), "Abs"), factor=L2), {"two": L2}, power=1))
    assert (absolute["penalty.l1"], absolute["penalty.l2"]) == (pytest.approx(L2, rel=1e-6), 0.0)


def elastic(squares: float, sizes: float, name: str = "two") -> list[dict[str, Any]]:
    """A loss with so many squares and so many sizes of a tensor; each under a factor of its own."""
    graph: list[dict[str, Any]] = [{"op": "AddN", "inputs": [1, 2, 5]}, {"op": "MseLoss", "inputs": ["output0"]}]
    for at, (factor, op) in enumerate(((squares, "Square"), (sizes, "Abs"))):
        graph += [{"op": "Mul", "inputs": [3 + 3 * at, None], "other": factor},
                  {"op": "Sum", "inputs": [4 + 3 * at], "from": [30, 20]}, term(name, (30, 20), op)]  # fmt: skip
    return graph


@pytest.mark.parametrize("name", ["two", "weight"])
def test_squares_and_sizes_of_the_same_weights_are_both_told(name: str) -> None:
    """L1 and L2 at once, whose values no single sum explains."""
    made = steps(elastic(3e-4, 5e-5, name), {"two": 3e-4})
    for one in made:
        sizes = 5e-5 * float(np.abs(one.of("weight")["two"].whole().astype(float)).sum())
        one.scalars.update({key: one.scalars[key] + sizes for key in ("loss", "loss/penalty")})
    found = told(made)
    assert (found["penalty.l2"], found["penalty.l1"]) == (pytest.approx(3e-4), pytest.approx(5e-5))
    assert found["penalty.tensors"] == ["two"]


@pytest.mark.parametrize(("more", "known"), [(0.0, True), (0.03, False)])
def test_a_loss_that_holds_terms_of_weights_is_known_without_them(more: float, known: bool) -> None:
    """A squared error with L1 and L2 by hand, of which PyTorch tells the sum alone; not one that holds more."""
    rng, made = np.random.default_rng(4), steps(elastic(3e-4, 5e-5), {})
    for one in made:
        weight = one.of("weight")["two"].whole().astype(float)
        output, target = rng.normal(size=(2, 16, 1)).astype("f4")
        for role, values in (("output", output), ("target", target)):
            one.arrays[role, f"{role}0"] = Recorded(role, f"{role}0", "float32", (16, 1), 16, values.ravel())
        terms = 3e-4 * float((weight**2).sum()) + more * one.step**2 + 5e-5 * float(np.abs(weight).sum())
        one.scalars.pop("loss/penalty")
        one.scalars["loss"] = float(((output - target).astype(float) ** 2).mean()) + terms
    fits = loss.identify(evidence("torch", made))
    assert fits[0].explains is known
    if known:
        assert fits[0].function == "squared error"
        found = {fact.parameter: fact.value for fact in penalty.facts(evidence("torch", made), fits, KINDS)}
        assert (found["penalty.l2"], found["penalty.l1"]) == (pytest.approx(3e-4), pytest.approx(5e-5))


def test_a_graph_that_the_values_do_not_follow_from_is_not_believed() -> None:
    """Twice the strength: some other part of the loss is of the weights as well."""
    graph = added(term("one", (40, 30)), factor=2 * L2)
    assert told(steps(graph, {"one": L2}))["penalty.l2"] != pytest.approx(2 * L2, rel=1e-3)


@pytest.mark.parametrize(("off", "known"), [(0.0, True), (1e-3, False)])
def test_a_penalty_that_is_what_the_data_leave_of_the_loss_is_as_coarse_as_the_loss(off: float, known: bool) -> None:
    """Told as the difference of two float32 of twice its size and more: in steps of the last digit of these."""
    values, totals = np.arange(72000.0, 72010.0) * 2.0**-22 + off * 2.0**-22, np.full(10, 2.32)
    assert penalty._taken_off(values, totals, 2.0**-24) is known


@pytest.mark.parametrize(
    ("framework", "leaf", "expected"),
    [("torch", "output0", 0.0), ("tensorflow", "output0", 0.0), ("keras", "output0", None), ("torch", "weight", None)],
)
def test_a_loss_that_is_told_whole_without_weights_has_no_penalty(
    framework: str, leaf: str, expected: float | None
) -> None:
    """Though no loss explains its values; Keras's ``fit`` adds its penalties elsewhere."""
    graph = [{"op": "Mean", "shape": [], "from": [4, 3], "inputs": [1]},
             {"op": "Square", "shape": [4, 3], "inputs": [leaf], "input_shapes": [[4, 3]]}]  # fmt: skip
    made = steps(graph, {})
    for one in made:
        del one.scalars["loss/penalty"]
        one.facts["loss"] = {"graph": graph, "output_shape": [4, 3]}
    found = {fact.parameter: fact.value for fact in penalty.facts(evidence(framework, made), [], KINDS)}
    assert found.get("penalty.l2") == expected


def test_a_graph_that_comes_back_to_itself_says_nothing() -> None:
    """Nor one that adds the same to itself again and again."""
    around = [{"op": "Add", "inputs": [1, 0], "alpha": 1}, {"op": "MseLoss", "inputs": ["output0"]}]
    twice = [{"op": "Add", "inputs": [at + 1, at + 1], "alpha": 1} for at in range(60)]
    for graph in (around, [*twice, {"op": "Sum", "inputs": [61], "from": [30, 20]}, term("two", (30, 20))]):
        assert list(spelt(steps(graph, {}))) == []


def test_the_step_that_knows_the_tensors_names_is_read() -> None:
    """PyTorch's first says ``parameter`` of each, and two have that shape."""
    made = steps(added(term("parameter", (40, 30))), {})
    for one in made[1:]:
        one.facts["loss"] = {"graph": added(term("twin", (40, 30)))}
    assert list(spelt(made)) == [Spelt(1.0, 2, ("twin",))]

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Array, Recording
from support.batches import RUN
from support.lanes import Sender, array

RNG = np.random.default_rng(7)
LABELS = RNG.integers(0, 4, 32)


def softmax(logits: Any) -> Any:
    """Rows of probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def cross_entropy(logits: Any, labels: Any) -> float:
    """The mean over rows."""
    return float(-np.log(softmax(logits)[np.arange(len(labels)), labels]).mean())


def judge(
    output: Any,
    target: Any,
    *,
    loss: float = 1.0,
    facts: dict[str, Any] | None = None,
    manifest: dict[str, Any] | None = None,
    steps: int = 3,
    more: Sequence[Array] = (),
) -> list[Finding]:
    """What the rules on outputs say of some recorded steps that all hold the same."""
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="keras")
    sender.manifest(manifest or {})
    found: list[Finding] = []
    for step in range(1, steps + 1):
        arrays = [array("output", "output0", output), array("target", "target0", target), *more]
        found += sender.record(Recording(step, arrays, {"loss": loss}, facts or {}))
    ours = {"softmax_twice", "logits_as_probabilities", "output_activation_mismatch", "label_range"}
    return [one for one in found if one.rule in ours]


def declared(loss: str, activation: str = "linear", **more: Any) -> dict[str, Any]:
    """A manifest with a loss and one layer."""
    return {"loss": {"class": loss, **more}, "model": {"layers": [{"class": "Dense", "activation": activation}]}}


CROSS = "SparseCategoricalCrossentropy"


def test_softmax_twice_is_proven_by_the_loss() -> None:
    """Probabilities that the loss squashes again; those that Keras takes as such are told from the declaration."""
    rows = softmax(RNG.normal(size=(32, 4)))
    twice, once = cross_entropy(rows, LABELS), float(-np.log(rows[np.arange(32), LABELS]).mean())
    [found] = judge(rows, LABELS, loss=twice, manifest=declared(CROSS, "softmax", from_logits=True))
    assert (found.rule, found.step) == ("softmax_twice", 3)
    assert found.evidence["floor"] == pytest.approx(np.log(np.e + 3) - 1)
    [undone] = judge(rows, LABELS, loss=once, manifest=declared(CROSS, "softmax", from_logits=True))
    assert (undone.rule, undone.evidence["undone"], found.evidence["undone"]) == ("softmax_twice", True, False)
    assert judge(rows, LABELS, loss=once, manifest=declared(CROSS, "softmax", from_logits=False)) == []
    assert judge(rows, LABELS, loss=once, manifest=declared(CROSS, "linear", from_logits=True)) == []


def test_sigmoid_twice_is_proven_by_the_loss() -> None:
    """A binary cross entropy from logits of what a sigmoid gave; logits that happen to lie in 0..1 are none of it."""
    rows, ones = 1 / (1 + np.exp(-RNG.normal(size=(32, 1)))), (np.arange(32) % 2.0)[:, None]
    twice = float((np.log1p(np.exp(rows)) - rows * ones).mean())
    [found] = judge(rows, ones, loss=twice, manifest=declared("BinaryCrossentropy", "sigmoid", from_logits=True))
    assert (found.rule, found.evidence["classes"], found.evidence["undone"]) == ("softmax_twice", 2, False)
    assert judge(rows, ones, loss=twice, manifest=declared("BinaryCrossentropy", "linear", from_logits=True)) == []


def test_a_relu_before_a_loss_of_probabilities_is_said_at_once() -> None:
    """The next step may have no finite output; from logits it takes three."""
    rows = np.maximum(RNG.normal(size=(32, 4)), 0)
    [found] = judge(rows, LABELS, manifest=declared(CROSS, "relu", from_logits=False), steps=1)
    assert (found.rule, found.step) == ("output_activation_mismatch", 1)
    assert judge(rows, LABELS, manifest=declared(CROSS, "relu", from_logits=True), steps=2) == []
    [late] = judge(rows, LABELS, manifest=declared(CROSS, "relu", from_logits=True))
    assert (late.rule, late.step) == ("output_activation_mismatch", 3)


def test_softmax_twice_is_proven_by_the_graph() -> None:
    """PyTorch: the recorded graph shows LogSoftmax of the model's own output, whatever the loss's value."""
    graph = {"operation": "CrossEntropy", "graph": [{"op": "LogSoftmax", "inputs": ["output0"]}]}
    [found] = judge(softmax(RNG.normal(size=(32, 4))), LABELS, loss=9.0, facts={"loss": graph})
    assert found.rule == "softmax_twice"
    assert judge(RNG.normal(size=(32, 4)), LABELS, facts={"loss": graph}) == []


@pytest.mark.parametrize(
    ("dims", "below", "found"), [((1, 1), "Softmax", 1), ((1, 0), "Softmax", 0), ((1, 1), "Exp", 0)]
)
def test_a_softmax_between_the_model_and_the_loss(dims: tuple[int, int], below: str, found: int) -> None:
    """The model gives logits, the loop makes probabilities of them, the loss does it again."""
    nodes = [{"op": "LogSoftmax", "dim": dims[0], "inputs": [1]}, {"op": below, "dim": dims[1], "inputs": ["output0"]}]
    facts = {"loss": {"operation": "CrossEntropy", "graph": nodes}}
    said = judge(RNG.normal(size=(32, 4)), LABELS, facts=facts)
    assert [(one.rule, one.step, one.evidence["classes"]) for one in said] == [("softmax_twice", 3, 4)] * found


def test_a_sigmoid_between_the_model_and_the_loss() -> None:
    """Likewise with a binary cross entropy from logits."""
    operation = "BinaryCrossEntropyWithLogits"
    nodes = [{"op": operation, "inputs": [1, None]}, {"op": "Sigmoid", "inputs": ["output0"]}]
    ones = (np.arange(32) % 2.0)[:, None]
    [found] = judge(RNG.normal(size=(32, 1)), ones, facts={"loss": {"operation": operation, "graph": nodes}})
    assert (found.rule, found.evidence["outputs"]) == ("softmax_twice", "The loop applies sigmoid to the outputs")


def test_logits_taken_for_probabilities_are_named() -> None:
    """Raw outputs under from_logits=False, and under NLLLoss; log-probabilities under NLLLoss are right."""
    raw = RNG.normal(size=(32, 4))
    [found] = judge(raw, LABELS, manifest=declared(CROSS, from_logits=False))
    assert (found.rule, found.evidence["taken"]) == ("logits_as_probabilities", "probabilities")
    nll = {"loss": {"operation": "NllLoss"}}
    assert [one.rule for one in judge(raw, LABELS, facts=nll)] == ["logits_as_probabilities"]
    assert judge(np.log(softmax(raw)), LABELS, facts=nll) == []
    connected = {"loss": {"operation": "arithmetic", "graph": [{"op": "CtcLoss", "inputs": ["output0"]}]}}
    assert [one.rule for one in judge(raw, LABELS, facts=connected)] == ["logits_as_probabilities"]
    assert judge(np.log(softmax(raw)), LABELS, facts=connected) == []


@pytest.mark.parametrize(
    ("output", "target", "manifest", "says"),
    [
        (np.ones((16, 1)), np.arange(16) % 2, declared("BinaryCrossentropy", "softmax"), "softmax over a single unit"),
        (
            np.abs(RNG.normal(size=(64, 1))),
            RNG.normal(size=(64, 1)),
            declared("MeanSquaredError", "relu"),
            "relu gives 0 and more",
        ),
        (
            RNG.uniform(0, 1, (64, 1)),
            RNG.normal(size=(64, 1)) * 20,
            declared("MeanAbsoluteError", "sigmoid"),
            "sigmoid gives 0 to 1",
        ),
        (
            np.maximum(RNG.normal(size=(64, 1)), 0) / 9,
            np.arange(64) % 2,
            declared("BinaryCrossentropy", "relu", from_logits=False),
            "relu before a cross entropy",
        ),
        (
            RNG.uniform(0, 1, (32, 4)),
            LABELS,
            declared(CROSS, "sigmoid", from_logits=False),
            "4 exclusive classes have a sigmoid each",
        ),
    ],
)
def test_an_activation_that_cannot_reach_the_targets(output: Any, target: Any, manifest: Any, says: str) -> None:
    """The alert says which activation and what it cannot do."""
    [found, *_] = judge(output, target, manifest=manifest)
    assert found.rule == "output_activation_mismatch"
    assert says in found.evidence["what"]


@pytest.mark.parametrize(
    ("output", "target", "manifest"),
    [
        (np.abs(RNG.normal(size=(64, 1))), np.abs(RNG.normal(size=(64, 1))), declared("MeanSquaredError", "relu")),
        (RNG.uniform(0, 1, (64, 1)), RNG.uniform(0, 1, (64, 1)), declared("MeanSquaredError", "sigmoid")),
        (RNG.uniform(0, 1, (64, 4)), np.eye(4)[np.arange(64) % 4], declared("BinaryCrossentropy", "sigmoid")),
        (RNG.normal(size=(64, 1)), RNG.normal(size=(64, 1)) * 50, declared("MeanSquaredError")),
        (softmax(RNG.normal(size=(32, 4))), LABELS, declared(CROSS, "softmax", from_logits=False)),
        (RNG.normal(size=(32, 4)), LABELS, declared(CROSS, from_logits=True)),
        (np.ones((16, 1)), np.ones(16), declared("MeanSquaredError")),
    ],
)
def test_outputs_that_fit_are_left_alone(output: Any, target: Any, manifest: Any) -> None:
    """Bounded outputs for bounded targets, free ones for free ones, logits and probabilities in their places."""
    assert judge(output, target, manifest=manifest) == []


def test_a_relu_that_is_not_told_shows_in_exact_zeros() -> None:
    """A module of one's own ends in ReLU: half the outputs are 0, half the targets are below."""
    cut, targets = np.maximum(RNG.normal(size=(64, 1)), 0), RNG.normal(size=(64, 1))
    mean_squares = {"loss": {"class": "MeanSquaredError"}}
    [found] = judge(cut, targets, manifest=mean_squares)
    assert found.evidence["activation"] == "relu"
    assert judge(cut, np.abs(targets), manifest=mean_squares) == []
    assert judge(cut + 0.1, targets, manifest=mean_squares) == []


def test_labels_beyond_the_classes() -> None:
    """Labels from 1 to C, and -1 for a binary cross entropy; torch's -100 means ignored."""
    raw = RNG.normal(size=(32, 4))
    found = judge(raw, LABELS + 1, manifest=declared(CROSS, from_logits=True))
    assert [(one.rule, one.evidence["high"]) for one in found] == [("label_range", 4.0)]
    binary = declared("BinaryCrossentropy", from_logits=True)
    assert [one.rule for one in judge(raw[:, :1], 1.0 - 2 * (LABELS > 1), manifest=binary)] == ["label_range"]
    assert judge(raw, np.where(LABELS > 2, -100, LABELS), manifest=declared(CROSS, from_logits=True)) == []
    noisy = (LABELS > 1) + RNG.uniform(-0.3, 0.3, 32)
    assert judge(raw[:, :1], noisy, manifest=binary) == []


@pytest.mark.parametrize(
    ("first", "masked", "expected"),
    [(1, False, True), (0, False, False), (0, True, False), (1, True, True)],
)
def test_one_hot_rows_of_labels_from_one_on(first: int, masked: bool, expected: bool) -> None:
    """The last class has no place in such a row, the first none in the data; rows that are masked have no 1 either."""
    outputs, labels = softmax(RNG.normal(size=(64, 5))), first + np.arange(64) % 5
    rows = np.eye(7)[labels][:, :5]
    rows[:8] *= not masked
    found = judge(outputs, rows, manifest=declared("CategoricalCrossentropy", "softmax", from_logits=False))
    assert [one.rule for one in found] == ["label_range"] * expected
    few = judge(outputs[:6], rows[4:10], manifest=declared("CategoricalCrossentropy", from_logits=False))
    assert [one for one in few if one.rule == "label_range"] == []


@pytest.mark.parametrize(
    ("classes", "labels", "last", "expected"),
    [
        (4, 0, 400, True),
        (4, 0, 50, False),
        (4, None, 400, False),
        (7, 0, 400, False),
    ],
)
def test_labels_that_are_all_of_one_class(classes: int, labels: int | None, last: int, expected: bool) -> None:
    """Of a unit per class all but one are never asked for; sorted data begins so, and similarities have no units."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="keras")
    sender.manifest(declared(CROSS, from_logits=True))
    for step in (*range(1, 21), *(step for step in (50, 100, 200, 400) if step <= last)):
        target = RNG.integers(0, classes, 32) if labels is None else np.full(32, labels)
        arrays = [array("output", "output0", RNG.normal(size=(32, classes))), array("target", "target0", target)]
        arrays.append(array("gradient", "head/kernel", RNG.normal(size=(8, 4))))
        found += sender.record(Recording(step, arrays, {"loss": 1.0}, {}))
    assert [one.step for one in found if one.rule == "label_range"] == [100] * expected


def test_one_odd_step_is_no_fault_and_a_repaired_one_clears() -> None:
    """Two recorded steps are not enough to speak; the first that is right again clears."""
    raw, manifest = RNG.normal(size=(32, 4)), declared(CROSS, from_logits=False)
    assert judge(raw, LABELS, manifest=manifest, steps=2) == []
    sender = Sender(RunAuditor(RUN))
    sender.manifest(manifest)
    found: list[Finding] = []
    for step, output in enumerate([raw, raw, raw, softmax(raw)], start=1):
        found += sender.record(Recording(step, [array("output", "output0", output)], {}, {}))
    assert [(one.step, one.cleared) for one in found] == [(3, False), (4, True)]


def test_outputs_cut_off_to_serve_as_probabilities() -> None:
    """Exact zeros and ones under a binary cross entropy of probabilities: no sigmoid gives them."""
    labels, facts = np.arange(64) % 2, {"loss": {"operation": "BinaryCrossEntropy"}, "output_activation": "clamp"}
    [found] = judge(np.clip(RNG.normal(size=(64, 1)), 0, 1), labels, facts=facts)
    assert "cut off to 0..1" in found.evidence["what"]
    assert judge(np.clip(RNG.uniform(0, 1, (64, 1)), 1e-7, 1 - 1e-7), labels, facts=facts) == []


def test_a_softmax_over_the_samples() -> None:
    """Columns that sum to 1, of probabilities or their logarithms; one alert, of the right fault."""
    columns = softmax(RNG.normal(size=(4, 32))).T
    for output, operation in ((columns, "CrossEntropy"), (np.log(columns), "NllLoss")):
        [found] = judge(output, LABELS, facts={"loss": {"operation": operation}})
        assert found.rule == "output_activation_mismatch"
        assert "over the samples" in found.evidence["what"]


def test_several_ones_under_a_softmax() -> None:
    """Independent labels are no distribution; one-hot, smoothed and mixed targets are."""
    graph = [{"op": "LogSoftmax", "inputs": ["output0"]}]
    facts = {"loss": {"operation": "arithmetic", "soft_target": [32, 4], "graph": graph}}
    many = (RNG.uniform(0, 1, (32, 4)) > 0.5).astype(float)
    [found] = judge(RNG.normal(size=(32, 4)), many, facts=facts)
    assert (found.rule, found.evidence["high"]) == ("label_range", many.sum(axis=1).max())
    for soft in (np.eye(4)[LABELS], 0.9 * np.eye(4)[LABELS] + 0.025, softmax(RNG.normal(size=(32, 4)))):
        assert judge(RNG.normal(size=(32, 4)), soft, facts=facts) == []


def test_targets_of_a_loss_written_by_hand_are_the_output_less_the_difference() -> None:
    """Torch's L1, or (p - y) ** 2 either way round: a tanh that cannot reach them is named."""
    output, target = np.tanh(RNG.normal(size=(32, 1))), 100 + RNG.normal(size=(32, 1))
    for op, sides, off in (("Abs", ["output0", None], output - target), ("Pow", [None, "output0"], target - output)):
        graph = [{"op": "Mean", "inputs": [1]}, {"op": op, "inputs": [2]}, {"op": "Sub", "inputs": sides}]
        facts = {"loss": {"operation": "arithmetic", "chain": ["Mean", op, "Sub"], "graph": graph}}
        sender, found = Sender(RunAuditor(RUN)), []
        sender.start(framework="torch")
        for step in range(1, 4):
            arrays = [array("output", "output0", output), array("output", f"{op}.input", off)]
            found += sender.record(Recording(step, arrays, {"loss": 9.0}, {**facts, "output_activation": "tanh"}))
        assert [one.rule for one in found] == ["output_activation_mismatch"]


BINARY = "BinaryCrossentropy"


@pytest.mark.parametrize(("several", "said"), [(0, []), (16, ["output_activation_mismatch"])])
def test_a_softmax_over_labels_that_hold_together(several: int, said: list[str]) -> None:
    """Samples with two labels cannot be had from rows that sum to 1; one-hot rows can, smoothed ones too."""
    rows, targets = softmax(RNG.normal(size=(32, 4))), np.eye(4)[LABELS]
    targets[:several, 0] = targets[:several, 1] = 1.0
    probabilities = declared(BINARY, "softmax", from_logits=False)
    for each in (targets, targets * 0.9 + 0.025):
        assert [one.rule for one in judge(rows, each, manifest=probabilities)] == said


def test_sigmoids_over_labels_that_hold_together() -> None:
    """They need not sum to 1, and fit."""
    rows = 1 / (1 + np.exp(-RNG.normal(size=(32, 4))))
    targets = (RNG.random((32, 4)) < 0.5).astype(np.float64)
    assert judge(rows, targets, manifest=declared(BINARY, "sigmoid", from_logits=False)) == []


def test_a_sigmoid_at_its_end_is_no_softmax_over_one_unit() -> None:
    """Exactly 1 for every sample: what drives it there is another fault."""
    at_the_end, targets = np.ones((16, 1)), np.arange(16) % 2
    assert judge(at_the_end, targets, manifest=declared("BinaryCrossentropy", "sigmoid", from_logits=False)) == []


def test_a_logarithm_that_is_taken_between_model_and_loss() -> None:
    """The loss of probabilities taken for their logarithms is negative: where it is not, they were not."""
    rows, nll = softmax(RNG.normal(size=(32, 4))), {"loss": {"operation": "NllLoss"}}
    picked = float(rows[np.arange(32), LABELS].mean())
    assert judge(rows, LABELS, loss=float(-np.log(rows[np.arange(32), LABELS]).mean()), facts=nll) == []
    assert [one.rule for one in judge(rows, LABELS, loss=-picked, facts=nll)] == ["logits_as_probabilities"]


@pytest.mark.parametrize(
    ("framework", "optimizers", "label", "said"),
    [("torch", 1, 1.0, True), ("torch", 1, 0.0, True), ("torch", 2, 1.0, False), ("keras", 1, 1.0, False)],
)
def test_labels_of_two_classes_that_are_all_of_one(framework: str, optimizers: int, label: float, said: bool) -> None:
    """A generator's targets are as well: it has an opponent."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework=framework)
    sender.manifest({"optimizers": [{"class": "Adam"}] * optimizers})
    facts = {"loss": {"operation": "BinaryCrossEntropyWithLogits"}, "phase": "train"}
    for step in (*range(1, 21), 50, 100):
        output, target = RNG.normal(size=(32, 1)), np.full((32, 1), label)
        arrays = [array("output", "output0", output), array("target", "target0", target)]
        found += sender.record(Recording(step, arrays, {"loss": 0.7}, facts))
    assert [one.step for one in found if one.rule == "label_range"] == [100] * said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda rows: np.log(rows + 1e-8), []),
        (lambda rows: np.log(rows).reshape(4, 8, 4).transpose(0, 2, 1), []),
        (lambda rows: rows, ["logits_as_probabilities"]),
        (lambda rows: np.log(rows).reshape(4, 8, 4), ["logits_as_probabilities"]),
    ],
)
def test_an_nll_loss_is_judged_by_what_it_was_given(given: Any, said: list[str]) -> None:
    """Logarithms that the script takes itself; classes along axis 1, or along another one, of sequences."""
    rows = softmax(RNG.normal(size=(32, 4)))
    node = {"op": "NllLoss", "inputs": [1], "saved": {}}
    facts = {"loss": {"operation": "NllLoss", "graph": [node, {"op": "Log", "inputs": ["output0"]}]}}
    more = [array("output", "NllLoss.input", given(rows))]
    assert [one.rule for one in judge(rows, LABELS, facts=facts, more=more)] == said
    assert judge(rows, LABELS, facts=facts) == []  # not recorded: nothing is claimed


@pytest.mark.parametrize("told", ["linear", "sigmoid"])
@pytest.mark.parametrize("own", [True, False])
def test_a_model_that_ends_in_another_model(told: str, own: bool) -> None:
    """The layer that ran last has the model's very outputs, unit by unit: its activation is the model's."""
    output, target = RNG.uniform(0.1, 0.9, (32, 3)), RNG.normal(size=(32, 3))
    shown = output if own else output / 2
    units = np.stack([shown.mean(0), shown.std(0), shown.min(0), shown.max(0)])
    facts = {
        "output_activation": told,
        "layers": [{"name": "inner/dense", "kind": "Dense", "activation": "sigmoid"}],
        "loss": {"operation": "mean_squared_error"},
    }
    found = judge(
        output,
        target,
        loss=float(((output - target) ** 2).mean()),
        facts=facts,
        more=[array("units", "inner/dense", units)],
    )
    expected = ["output_activation_mismatch"] if own or told == "sigmoid" else []
    assert [one.rule for one in found] == expected


def test_logits_that_went_through_a_tanh() -> None:
    """From -1 to 1 no answer can be sure; what is scaled up behind it is free."""
    rows, sides = np.tanh(RNG.normal(size=(32, 4))), (LABELS[:, None] > 1).astype(float)
    [classes] = judge(rows, LABELS, manifest=declared(CROSS, "tanh", from_logits=True))
    [two] = judge(rows[:, :1], sides, manifest=declared("BinaryCrossentropy", "tanh", from_logits=True))
    surest = [one.evidence["surest"] for one in (classes, two)]
    assert surest == pytest.approx([np.e / (np.e + 3 / np.e), 0.731], rel=1e-3)
    assert judge(8 * rows, LABELS, manifest=declared(CROSS, "tanh", from_logits=True)) == []

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.lanes import Sender, array


def judge(loss: dict[str, Any], output: Any = None, target: Any = None, **facts: Any) -> list[Finding]:
    """What the rule says of one recorded step."""
    arrays = [array("output", "output", output)] if output is not None else []
    arrays += [array("target", "target", target)] if target is not None else []
    sender = Sender(RunAuditor(RUN))
    return sender.record(Recording(1, arrays, {"loss": 2.0}, {"loss": loss, **facts}))


def test_a_column_against_a_row_is_found_with_its_proof() -> None:
    """(N, 1) against (N,): the alert holds the shapes and both squared errors."""
    values = np.arange(8.0, dtype=np.float32)
    [found] = judge(
        {"operation": "arithmetic", "output_shape": [8, 1], "shape": [8, 8], "chain": ["Mean", "Pow", "Sub"]},
        values[:, None],
        values,
    )
    assert found.rule == "loss_shape_broadcast"
    assert (found.evidence["output_shape"], found.evidence["target_shape"]) == ([8, 1], [8])
    assert found.evidence["squared_error_own_target"] == 0.0
    assert found.evidence["squared_error_every_target"] == pytest.approx(10.5)


def test_a_column_against_a_row_within_a_loss_of_torch() -> None:
    """nn.MSELoss expands the target to (1, N) before autograd sees it; an own distance of pairs is no such loss."""
    shapes = {"output_shape": [8, 1], "target_shape": [1, 8], "broadcast": True}
    assert [found.rule for found in judge(shapes | {"operation": "MseLoss"})] == ["loss_shape_broadcast"]
    assert judge(shapes | {"operation": "arithmetic"}) == []


def test_the_difference_alone_tells_it() -> None:
    """A hand-written loss in PyTorch records the difference, not the target: (8, 1) that became (8, 8)."""
    chain = {"operation": "arithmetic", "output_shape": [8, 1], "broadcast": True, "chain": ["Mean", "Pow", "Sub"]}
    [found] = judge(chain | {"shape": [8, 8]})
    assert found.evidence["target_shape"] == [8]
    assert judge(chain | {"shape": [8, 5]}) == []


@pytest.mark.parametrize(
    "loss",
    [
        {"output_shape": [8, 1], "target_shape": [8, 1]},
        {"output_shape": [8], "target_shape": [8]},
        {"output_shape": [8, 10], "target_shape": [8]},
        {"output_shape": [8, 10], "target_shape": [1, 10]},
        {"output_shape": [8, 3], "target_shape": []},
        {"output_shape": [1, 1], "target_shape": [1]},
        {"output_shape": [2, 5, 1, 3], "target_shape": [2, 1, 5, 3]},
        {"output_shape": [8, 1, 3], "target_shape": [8, 3], "chain": ["Mean", "Min", "Sum", "Sub"]},
        {"output_shape": [8, 1], "target_shape": [8], "shape": [8]},
        {"output_shape": [8, 1]},
        {"output_shape": "wide", "target_shape": [True, None]},
    ],
)
def test_shapes_that_belong_together_are_left_alone(loss: dict[str, Any]) -> None:
    """Equal shapes, classes against rows, one side expanded on purpose, losses over pairs, unknown shapes."""
    assert judge(loss) == []


def test_an_evaluation_is_not_the_loss_that_is_minimised() -> None:
    """Only training steps are judged, and a run without shapes says so."""
    loss = {"output_shape": [8, 1], "target_shape": [8], "broadcast": True}
    assert judge(loss, phase="eval") == []
    assert len(judge(loss)) == 1
    assert "loss_shape_broadcast" in RunAuditor(RUN).unjudged()


def test_it_is_over_once_the_shapes_fit() -> None:
    """The alert is cleared by a later training step whose shapes fit."""
    sender = Sender(RunAuditor(RUN))
    wrong = {"loss": {"output_shape": [8, 1], "target_shape": [8], "broadcast": True}}
    right = {"loss": {"output_shape": [8], "target_shape": [8]}}
    found = [f for i, facts in enumerate((wrong, right, right)) for f in sender.record(Recording(i, [], {}, facts))]
    assert [(f.step, f.cleared) for f in found] == [(0, False), (1, True)]


@pytest.mark.parametrize("error", ["squared", "absolute"])
def test_where_operations_are_unknown_the_loss_itself_must_prove_it(error: str) -> None:
    """Keras aligns (N, 1) with (N,): only a loss that is the mean over all pairs shows a broadcast."""
    power = 2 if error == "squared" else 1
    output, target = np.linspace(-1, 2, 8, dtype=np.float32), np.linspace(3, 1, 8, dtype=np.float32)
    own = float(np.mean(np.abs(output - target) ** power))
    every = float(np.mean(np.abs(output[:, None] - target[None, :]) ** power))
    shapes = {"output_shape": [8, 1], "target_shape": [8]}
    arrays = [array("output", "output0", output[:, None]), array("target", "target0", target)]
    said = [
        Sender(RunAuditor(RUN)).record(Recording(1, arrays, {"loss": loss}, {"loss": shapes})) for loss in (own, every)
    ]
    assert [[found.rule for found in one] for one in said] == [[], ["loss_shape_broadcast"]]


@pytest.mark.parametrize(("factors", "steps"), [((1.0005, 1.3, 1.0005), []), ((1.3, 1.0005, 0.9995), [2])])
def test_a_loss_that_comes_close_once_is_a_coincidence(factors: tuple[float, ...], steps: list[int]) -> None:
    """Some other loss meets the mean over all pairs to three digits now and then; a rounded one stays there."""
    output, target = np.linspace(-1, 2, 8, dtype=np.float32), np.linspace(3, 1, 8, dtype=np.float32)
    every = float(np.mean((output[:, None] - target[None, :]) ** 2))
    shapes = {"output_shape": [8, 1], "target_shape": [8]}
    arrays = [array("output", "output0", output[:, None]), array("target", "target0", target)]
    sender = Sender(RunAuditor(RUN))
    found = [
        finding
        for step, factor in enumerate(factors)
        for finding in sender.record(Recording(step, arrays, {"loss": factor * every}, {"loss": shapes}))
    ]
    assert [finding.step for finding in found if finding.rule == "loss_shape_broadcast"] == steps

"""Every loss of a step is looked at for shapes that broadcast, not the first alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor.detect.engine import RunAuditor
from auditor.detect.evidence.compared import losses
from auditor.model import Finding
from auditor_agent.integrations.torch.graph import read
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.lanes import Sender

Loss = Callable[[Tensor, Tensor], Tensor]


def facts(loss: Callable[[nn.Module, Tensor], Tensor]) -> dict[str, Any]:
    """What the flight recorder tells of such a loss of two outputs, (8, 1) each, and of targets (8, 2)."""
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    root = loss(model, torch.randn(8, 3))
    graph = read(root, {}, {id(model.weight): "weight", id(model.bias): "bias"})
    return {**graph.facts, "graph": graph.nodes}


def two(first: Loss, second: Loss, *, squeezed: bool) -> Callable[[nn.Module, Tensor], Tensor]:
    """The sum of two losses; ``squeezed``: the second one's target has lost its last axis."""

    def loss(model: nn.Module, x: Tensor) -> Tensor:
        output, target = model(x), x[:, :2] * 2
        own = first(output[:, :1], target[:, :1])
        return own + 0.5 * second(output[:, 1:], target[:, 1] if squeezed else target[:, 1:])

    return loss


def by_hand(output: Tensor, target: Tensor) -> Tensor:
    """As many write it."""
    return ((output - target) ** 2).mean()


def the_other_way_round(output: Tensor, target: Tensor) -> Tensor:
    """Absolute, summed."""
    return (target - output).abs().sum()


def judge(*told: dict[str, Any]) -> list[Finding]:
    """What is said of recorded steps with these facts."""
    sender = Sender(RunAuditor(RUN))
    found = [f for step, one in enumerate(told, 1) for f in sender.record(Recording(step, [], {"loss": 1.0}, one))]
    return [one for one in found if one.rule == "loss_shape_broadcast"]


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("second", [functional.mse_loss, functional.smooth_l1_loss, by_hand, the_other_way_round])
@pytest.mark.parametrize("first", [functional.mse_loss, by_hand])
def test_the_second_of_two_losses_broadcasts(first: Loss, second: Loss) -> None:
    """Whichever way each is written; the shapes are those of the one that does."""
    [found] = judge({"loss": facts(two(first, second, squeezed=True))})
    assert (found.evidence["output_shape"], found.evidence["shape"]) == ([8, 1], [8, 8])
    assert judge({"loss": facts(two(first, second, squeezed=False))}) == []


def test_a_second_optimizers_loss_counts_as_well() -> None:
    """Its facts are under another name."""
    right, wrong = (facts(two(by_hand, by_hand, squeezed=squeezed)) for squeezed in (False, True))
    [found] = judge({"loss": right, "loss/1": wrong})
    assert found.evidence["which"] == "loss/1+1"


def test_it_is_over_when_no_loss_broadcasts_any_more() -> None:
    """Each loss of the step is asked."""
    right, wrong = (facts(two(functional.mse_loss, by_hand, squeezed=squeezed)) for squeezed in (False, True))
    assert [(one.step, one.cleared) for one in judge({"loss": wrong}, {"loss": wrong}, {"loss": right})] == [
        (1, False),
        (2, False),
        (3, True),
    ]


def pairs(output: Tensor, target: Tensor) -> Tensor:
    """The nearest of all targets, on purpose."""
    return ((output - target.reshape(-1)) ** 2).min(1).values.mean()


def classes(output: Tensor, target: Tensor) -> Tensor:
    """Rows against classes."""
    return functional.cross_entropy(torch.cat([output, -output], 1), (target.reshape(-1) > 0).long())


def spread(output: Tensor, _: Tensor) -> Tensor:
    """What is taken off is computed as well."""
    return (output - output.mean()).square().mean() + (output[:, None] - output[None]).square().mean()


@pytest.mark.parametrize("second", [pairs, classes, spread])
def test_further_losses_that_are_meant_so(second: Loss) -> None:
    """No fault of a second loss either."""
    assert judge({"loss": facts(two(functional.mse_loss, second, squeezed=False))}) == []


def test_a_penalty_on_weights_compares_nothing() -> None:
    """Distance of a weight to where it began."""

    def loss(model: nn.Module, x: Tensor) -> Tensor:
        start = torch.zeros(3)
        return by_hand(model(x), x[:, :2]) + (model.get_parameter("weight") - start).square().sum()

    assert judge({"loss": facts(loss)}) == []


@pytest.mark.parametrize(
    "loss",
    [
        {"graph": "none"},
        {"graph": [None, {"op": "Mean", "inputs": [7]}]},
        {"graph": [{"op": "Mean", "inputs": [0]}, {"op": "MseLoss", "saved": {"target": []}}]},
    ],
)
def test_facts_of_another_make(loss: dict[str, Any]) -> None:
    """What does not look like a graph tells nothing."""
    assert [name for name, _ in losses({"loss": loss, "lossy": loss, "phase": "train"})] == ["loss"]

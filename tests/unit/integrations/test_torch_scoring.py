"""Models that compute their loss themselves: what they predict is told as if the script had computed it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor_agent.integrations.torch.audit import watch
from support.recordings import assembled


def behind(logits: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
    """As in small GPTs."""
    return logits, loss


def before(logits: Tensor, loss: Tensor) -> dict[str, Tensor]:
    """As in libraries of transformers."""
    return {"loss": loss, "logits": logits}


class Scoring(nn.Module):
    """A classifier that is given the labels as well."""

    def __init__(self, told: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.told = nn.Linear(6, 3), told

    def forward(self, x: Tensor, y: Tensor) -> Any:
        """Logits and loss, as ``told`` has them."""
        logits = self.layer(x)
        return self.told(logits, functional.cross_entropy(logits, y))


def loss_of(output: Any) -> Tensor:
    """Whichever of the outputs it is."""
    found = output.values() if isinstance(output, dict) else output if isinstance(output, tuple) else [output]
    return next(one for one in found if not one.dim())


@pytest.mark.parametrize("told", [behind, before])
@pytest.mark.parametrize("micro", [1, 4])
def test_the_loss_of_such_a_model_is_read_down_to_its_logits(run: Any, told: Any, micro: int) -> None:
    """Its operation, and the logits as the first output, wherever the model puts its loss."""
    torch.manual_seed(0)
    model = Scoring(told)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    for _ in range(5):
        optimizer.zero_grad()
        for _ in range(micro):
            (loss_of(model(torch.randn(8, 6), torch.randint(3, (8,)))) / micro).backward()
        optimizer.step()
    run.finish("completed")
    for step in assembled(run.recordings)[1:]:
        assert step.facts["loss"]["operation"] == "CrossEntropy"
        assert step.of("output")["output0"].shape == (8, 3)
        assert "output1" not in step.of("output")
        assert step.facts["output_activation"] == "linear"


def test_a_model_that_gives_nothing_but_its_loss(run: Any) -> None:
    """The graph is still read down to what the loss is made of."""
    torch.manual_seed(0)
    model = Scoring(lambda _, loss: loss)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    for _ in range(4):
        optimizer.zero_grad()
        loss_of(model(torch.randn(8, 6), torch.randint(3, (8,)))).backward()
        optimizer.step()
    run.finish("completed")
    steps = assembled(run.recordings)[1:]
    assert [step.facts["loss"]["operation"] for step in steps] == ["CrossEntropy"] * 3


class Heads(nn.Module):
    """Classes and places."""

    def __init__(self) -> None:
        super().__init__()
        self.classes, self.places = nn.Linear(6, 3), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and places between -1 and 1."""
        return self.classes(x), torch.tanh(self.places(x))


@pytest.mark.parametrize(("micro", "apart"), [(1, False), (3, False), (1, True)])
def test_losses_that_are_added_up_have_a_target_each(run: Any, micro: int, apart: bool) -> None:
    """In each of a step's micro-batches; nothing is claimed of losses that are backpropagated one after the other."""
    torch.manual_seed(0)
    model = Heads()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    targets = []
    for _ in range(4):
        optimizer.zero_grad()
        for number in range(micro):
            x, labels, places = torch.randn(8, 6), torch.randint(3, (8,)), torch.randn(8, 2)
            targets += [] if number else [(labels.numpy(), places.numpy())]
            logits, found = model(x)
            losses = functional.cross_entropy(logits, labels), 5 * functional.mse_loss(found, places)
            for loss in losses if apart else [sum(losses)]:
                loss.backward()
        optimizer.step()
    run.finish("completed")
    for step, (labels, places) in list(zip(assembled(run.recordings), targets, strict=True))[1:]:
        assert ("heads" in step.facts) is not apart
        if apart:
            continue
        classes, where = step.facts["heads"]
        assert (classes["output"], classes["activation"]) == ("output0", "linear")
        assert (where["output"], where["activation"]) == ("output1", "tanh")
        assert [one["loss"]["operation"] for one in (classes, where)] == ["CrossEntropy", "MseLoss"]
        assert (step.of("target")[classes["target"]].whole() == labels).all()
        assert (step.of("target")[where["target"]].whole() == places).all()


def test_cross_entropy_of_sequences_is_one(run: Any) -> None:
    """Classes along axis 1, positions along axis 2."""
    torch.manual_seed(0)
    model = nn.Conv1d(2, 3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    for _ in range(3):
        optimizer.zero_grad()
        functional.cross_entropy(model(torch.randn(8, 2, 5)), torch.randint(3, (8, 5))).backward()
        optimizer.step()
    run.finish("completed")
    assert [step.facts["loss"]["operation"] for step in assembled(run.recordings)] == ["CrossEntropy"] * 3

"""Another optimizer goes on: fine-tuning after pretraining, a student after its teacher, one fold after the other."""

from __future__ import annotations

from torch import nn

from auditor_agent.integrations.torch.part import Part
from auditor_agent.integrations.torch.row import Open
from auditor_agent.run import Run


def changed(run: Run, last: int, before: nn.Module | None, model: nn.Module | None) -> None:
    """Tell that another optimizer goes on after step ``last``.

    Args:
        run: is told.
        last: step of the optimizer before.
        before: the model that was watched; None if it is no more.
        model: the one that is trained now: another one if nothing of it was watched.
    """
    own = set() if before is None else {id(parameter) for parameter in before.parameters()}
    another = model is not None and not any(id(parameter) in own for parameter in model.parameters())
    run.event(last, "optimizer_changed", model=type(model).__name__, another_model=another)


def taking_over(run: Run, row: Open | None, part: Part, model: nn.Module | None) -> None:
    """Tell of an optimizer that joined and steps a second time before any other does: it goes on alone.

    Args:
        run: is told.
        row: the record in the making, None if the step before is complete.
        part: of the optimizer that is about to step.
        model: the one that is watched.
    """
    if row is not None and part.new and row.stepped == {part.number}:
        changed(run, row.number - 1, model, model if part.model is None else part.model())
    part.new = part.new and row is None

"""A step's scalars, and the checksums that travel among them."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from auditor_agent.capture.transfer import Arrived
from auditor_agent.integrations.torch.loss import LossProbe
from auditor_agent.integrations.torch.row import Open
from auditor_agent.run import Run

#: Names of checksums: ``digest`` and ``digest:TENSOR``.
DIGEST: Final = "digest"


def heard(
    probe: LossProbe, optimizer: Optimizer, number: int, place: int, *, closure: bool
) -> dict[str, float | Tensor]:
    """Learning rates, the loss, what was clipped and the scale, since the last call.

    Args:
        probe: heard them.
        optimizer: about to step.
        number: its place among those that are watched.
        place: of its first group among all groups.
        closure: whether it evaluates the loss itself, maybe several times.
    """
    scalars: dict[str, float | Tensor] = {}
    for at, group in enumerate(optimizer.param_groups, place):
        rate = group.get("lr")
        if rate is not None:
            scalars[f"lr/{at}" if at else "lr"] = rate if isinstance(rate, Tensor) else float(rate)
    passes = probe.heard
    loss = probe.take(last=closure)
    if loss is not None:
        scalars[f"loss/{number}" if number else "loss"] = loss
    if passes > 1:
        scalars["evaluations" if closure else "micro_batches"] = float(passes)
    scalars.update(probe.clips.take())
    if probe.scale is not None:
        scalars["grad_scale"] = probe.scale.clone()
    return scalars


def passed(row: Open, run: Run) -> tuple[int, ...]:
    """Put what the forward pass showed into ``row``; the ids of its tensors."""
    forward = row.forward
    if forward is None:
        return ()
    row.scalars.update(forward.scalars)
    row.matrices.extend(seen.words for seen in forward.tensors)
    return tuple(
        run.tensor(seen.kind, seen.name, (), str(seen.dtype).removeprefix("torch.")) for seen in forward.tensors
    )


class Digests:
    """Makes ``weights`` events of the checksums that have arrived with a step."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._before = ""

    def tell(self, step: Arrived) -> None:
        """Take the checksums out of the step's scalars; those of single tensors are told where they say something."""
        found = {name: step.scalars.pop(name) for name in tuple(step.scalars) if name.partition(":")[0] == DIGEST}
        if not found:
            return
        whole = _hex(found.pop(DIGEST))
        fields: dict[str, Any] = {"digest": whole}
        if whole != self._before or _several_ranks():
            fields["digests"] = {name.partition(":")[2]: _hex(value) for name, value in found.items()}
        self._before = whole
        self._run.event(step.number, "weights", **fields)


def _hex(digest: float) -> str:
    return f"{int(digest):013x}"


def _several_ranks() -> bool:
    """Whether this process trains with others, as far as torch knows."""
    distributed = torch.distributed
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1

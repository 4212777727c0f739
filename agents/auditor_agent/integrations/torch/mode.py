"""Training or evaluation: in which mode the model's layers are, and when that is told.

Only layers that behave differently count: dropout that drops, normalization with running
statistics, recurrent layers with dropout between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from auditor_agent.integrations.torch.names import clean, unwrap
from auditor_agent.run import Run

#: Modules that an event names.
_NAMED: Final = 8


class Modes:
    """Tells the run's ``mode`` events: the first of each phase, and whenever something has changed.

    Args:
        run: takes the events.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._told: dict[str, dict[str, Any]] = {}

    def read(self, phase: str, model: nn.Module, step: int) -> None:
        """Look at the model's layers as they are now.

        Args:
            phase: ``train`` or ``eval``.
            model: may be compiled or wrapped.
            step: the event's.
        """
        fields = mode(model, training=phase == "train")
        del fields["norms"]
        if self._told.get(phase) != fields:
            self._told[phase] = fields
            self._run.event(step, "mode", phase=phase, **fields)


def mode(model: nn.Module, *, training: bool) -> dict[str, Any]:
    """``training``, the ``modules`` and their ``kinds`` that are not in the mode asked for, the ``whole`` model's.

    ``norms``: how many normalisations take the statistics of the batch, and how many those that they have kept.
    """
    root = unwrap(model)
    modules = dict(root.named_modules())
    differing = [(clean(name), one) for name, one in modules.items() if _differs(one) and not _rests(name, modules)]
    flags = {module.training for _, module in differing} or {root.training}
    wrong = [(name, type(module).__name__) for name, module in differing if module.training is not training][:_NAMED]
    return {
        "training": "mixed" if len(flags) > 1 else "true" if True in flags else "false",
        "modules": [name for name, _ in wrong],
        "kinds": [kind for _, kind in wrong],
        "whole": root.training,
        "norms": _norms(modules.values()),
    }


def together(modes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``training`` of several passes of a step, ``mixed`` where they are of both modes; ``norms`` of the last."""
    found = {str(one["training"]) for one in modes}
    return {"training": found.pop() if len(found) == 1 else "mixed", "norms": modes[-1].get("norms")}


def _norms(modules: Iterable[nn.Module]) -> list[int]:
    trained = [one.training for one in modules if isinstance(one, _NormBase) and one.track_running_stats]
    return [trained.count(True), trained.count(False)]


def _rests(name: str, modules: Mapping[str, nn.Module]) -> bool:
    """Whether a module is in evaluation as part of something frozen, of which no weight is trained: as it should be."""
    if modules[name].training:
        return False
    while name and next(modules[name].parameters(), None) is None:  # a dropout is of what it stands in
        name = name.rpartition(".")[0]
    weights = list(modules[name].parameters()) if name else []
    return bool(weights) and not any(weight.requires_grad for weight in weights)


def _differs(module: nn.Module) -> bool:
    """Whether a module computes something else in training than in evaluation."""
    if isinstance(module, _DropoutNd):
        return module.p > 0
    if isinstance(module, _NormBase):
        return bool(module.track_running_stats)
    dropout = getattr(module, "dropout", 0.0)
    return isinstance(module, (nn.RNNBase, nn.MultiheadAttention)) and isinstance(dropout, float) and dropout > 0

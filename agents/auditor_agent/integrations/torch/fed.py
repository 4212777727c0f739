"""What a model's first layer is fed, where the program changed the batch before it: ``x / 255`` in ``forward``.

Autograd keeps nothing of arithmetic on plain inputs, so the layer's own argument is looked at. It is told among the
outputs of layers (``recorder.GIVEN``), and is none of the layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from auditor_agent.recorder import GIVEN


def changed(batch: Iterable[Tensor], taken: Iterable[Tensor]) -> Tensor | None:
    """The argument of the first layer, where it is the batch with other numbers; None where it is the batch itself.

    Args:
        batch: what the model was called with.
        taken: what its first layer was called with.
    """
    given, first = list(batch), next(iter(taken), None)
    if first is None or len(given) != 1 or first.requires_grad or first.dim() < 2:
        return None
    same = first.shape == given[0].shape and first.data_ptr() != given[0].data_ptr()
    return first.detach() if same else None


def layers(heard: Mapping[str, tuple[dict[str, Any], Any]]) -> list[dict[str, Any]]:
    """What is told of each layer that was heard, by its name."""
    return [fact for name, (fact, _) in heard.items() if name != GIVEN]

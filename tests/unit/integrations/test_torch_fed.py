"""What a model's first layer is given, where the program changed the batch on its way there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from auditor_agent.integrations.torch import fed
from auditor_agent.recorder import GIVEN

BATCH = torch.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    ("way", "known"),
    [
        (lambda x: x / 255, True),
        (lambda x: x, False),
        (lambda x: x[:], False),
        (lambda x: x.reshape(3, 4) * 2, False),
        (lambda x: x @ torch.ones(3, 3, requires_grad=True), False),
    ],
)
def test_only_the_batch_with_other_numbers_is_told(way: Callable[[Tensor], Tensor], known: bool) -> None:
    """Not the batch itself, one of another shape, nor what weights have a part in."""
    taken = way(BATCH)
    found = fed.changed([BATCH], [taken])
    assert (found is not None) is known
    assert found is None or torch.equal(found, taken)


def test_of_several_inputs_nobody_knows_which() -> None:
    """Nor of a batch that is one row of numbers."""
    assert fed.changed([BATCH, BATCH], [BATCH * 2]) is None
    assert fed.changed([BATCH[0]], [BATCH[0] * 2]) is None
    assert fed.changed([BATCH], []) is None


def test_it_is_none_of_the_layers() -> None:
    """It stands among their outputs."""
    heard = {GIVEN: ({"name": GIVEN}, []), "first": ({"name": "first"}, [])}
    assert fed.layers(heard) == [{"name": "first"}]

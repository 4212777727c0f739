"""Samples and digests of batches of tensors."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from auditor_agent.capture import native
from auditor_agent.capture.batches import batch_digest
from auditor_agent.integrations.torch.batch import Batches

KINDS: dict[str, Callable[[Tensor], Tensor]] = {
    "float32": lambda x: x,
    "transposed": lambda x: x.T,
    "strided": lambda x: x[:, ::2],
    "double": Tensor.double,
    "long": Tensor.long,
    "bool": lambda x: x > 0,
    "negated": lambda x: torch.complex(x, x).conj().imag,
    "gradient": lambda x: x.clone().requires_grad_(),
    "scalar": lambda x: x.sum(),
    "empty": lambda x: x[:0],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("built", [True, False])
def test_one_tensor_has_the_digest_of_its_array(kind: str, built: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the library and without: what NumPy gives of the same numbers; a second one of the kind as well."""
    if not built:
        monkeypatch.setattr(native, "digest", lambda: None)
    batches = Batches()
    for scale in (10, 20):
        tensor = KINDS[kind](scale * torch.randn(130, 40, generator=torch.Generator().manual_seed(0)))
        batches.one(tensor)
        array = tensor.detach().resolve_neg().contiguous().numpy()
        assert batches.take() == (tensor.shape[0] if tensor.dim() else 1, batch_digest([array]))


def test_bfloat16_counts_as_the_bits_that_it_is() -> None:
    """NumPy has no such type."""
    batches, tensor = Batches(), torch.randn(130, 40).bfloat16()
    batches.one(tensor)
    assert batches.take() == (130, batch_digest([tensor.view(torch.int16).numpy().view("uint16")]))


def test_sparse_batches_have_samples_and_no_digest() -> None:
    """They have no elements in a row."""
    batches = Batches()
    batches.one(torch.eye(6).to_sparse())
    assert batches.take() == (6, None)


def test_accumulated_batches_count_together_and_in_their_order() -> None:
    """Two passes before a step: all samples, and a digest that knows which came first."""
    one, other, told = torch.ones(3, 4), torch.zeros(5, 4), []
    for pair in ((one, other), (other, one)):
        batches = Batches()
        for tensor in pair:
            batches.one(tensor)
        told.append(batches.take())
    assert [samples for samples, _ in told] == [8, 8]
    assert told[0] != told[1]
    assert batches.take() == (0, None)


def test_one_batch_shown_again_is_one_batch() -> None:
    """A closure is evaluated as often as it takes: the digest is that of a single look."""
    batches, tensor, told = Batches(), torch.ones(3, 4), []
    for times in (1, 4):
        for _ in range(times):
            batches.one(tensor)
        told.append(batches.take()[1])
    assert told[0] == told[1]

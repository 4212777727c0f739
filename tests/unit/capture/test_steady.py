from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from auditor_agent.capture import kernels, native
from auditor_agent.capture.portable_histogram import histograms
from auditor_agent.capture.steady import Steady

pytestmark = pytest.mark.skipif(not native.available(), reason="the C kernel was not built")


def parameters() -> list[Tensor]:
    """Two parameters of two dtypes."""
    return [torch.zeros(4, 3), torch.zeros(5, dtype=torch.float64)]


def test_it_reads_what_the_general_way_reads() -> None:
    """The very same words."""
    gradients = [torch.randn(4, 3), torch.randn(5, dtype=torch.float64)]
    assert Steady(parameters()).read(gradients) == (kernels.kernel(gradients), True, b"")


def test_histograms_come_along_when_asked_for() -> None:
    """As the general way makes them; the words stay what they are."""
    gradients = [torch.randn(4, 3), torch.randn(5, dtype=torch.float64)]
    words, counters = kernels.with_histograms(gradients)
    steady = Steady(parameters(), histograms=True)
    assert steady.read(gradients, histograms=True) == (words, True, counters)
    assert steady.read(gradients) == (words, True, b"")
    assert torch.equal(torch.frombuffer(bytearray(counters), dtype=torch.int32).view(2, 64), histograms(gradients))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_it_tells_what_is_not_finite(value: float) -> None:
    """Wherever it is."""
    gradients = [torch.ones(4, 3), torch.tensor([1.0, 1.0, 1.0, 1.0, value], dtype=torch.float64)]
    found = Steady(parameters()).read(gradients)
    assert found is not None
    assert found[1] is False


@pytest.mark.parametrize(
    "gradient",
    [
        torch.ones(1).expand(4, 3),
        torch.ones(3, 4).t(),
        torch.ones(4, 3).to_sparse(),
        torch.ones(4, 3, dtype=torch.float64),
        torch.ones(4, 4),
        torch._neg_view(torch.ones(4, 3)),
        torch.nn.Parameter(torch.ones(4, 3)),
    ],
    ids=["expanded", "transposed", "sparse", "other dtype", "other size", "negated view", "other type"],
)
def test_what_is_no_longer_as_it_was_is_left_to_the_general_way(gradient: Tensor) -> None:
    """Read as if it were dense it would be another tensor, or memory that is nobody's."""
    assert Steady(parameters()).read([gradient, torch.ones(5, dtype=torch.float64)]) is None


@pytest.mark.parametrize(
    "parameter",
    [torch.zeros(3, dtype=torch.complex64), torch.zeros(3, device="meta"), torch.zeros(3, dtype=torch.int32)],
)
def test_parameters_that_the_kernel_cannot_read_are_refused(parameter: Tensor) -> None:
    """And none at all."""
    assert not Steady([parameter]).usable
    assert not Steady([]).usable

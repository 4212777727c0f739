"""What the agent may read as it lies in memory, and what it must leave alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from auditor_agent.capture.kernels import in_memory


class Elsewhere(Tensor):
    """A subclass, as a DTensor is one."""


def test_memory_that_was_given_back_is_not_read() -> None:
    """As FSDP does with the parameters that it gathered: the tensor stays, its storage does not."""
    parameter = nn.Parameter(torch.ones(4))
    assert in_memory(parameter)
    parameter.untyped_storage().resize_(0)
    assert not in_memory(parameter)


def test_only_plain_tensors_of_the_host_lie_there() -> None:
    """Views and expanded tensors do; subclasses and tensors without data do not."""
    assert in_memory(torch.ones(4, 4)[:, 1])
    assert in_memory(torch.ones(1).expand(8))
    assert not in_memory(torch.ones(4).as_subclass(Elsewhere))
    assert not in_memory(torch.ones(4, device="meta"))

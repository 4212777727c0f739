from __future__ import annotations

import numpy as np
import pytest
import torch

from auditor_agent.capture import portable
from auditor_agent.statistics import COUNTS, STATISTICS, WORDS


def columns(*tensors: torch.Tensor) -> dict[str, list[float]]:
    """The kernel's words by statistic, as the daemon reads them."""
    words = np.frombuffer(portable.kernel(tensors), "<u4").reshape(WORDS, len(tensors))
    rows = {name: words[at] for at, name in enumerate(STATISTICS)}
    return {name: (row if name in COUNTS else row.view("<f4")).tolist() for name, row in rows.items()}


def test_each_tensor_has_its_column() -> None:
    """Tensors of different dtypes, shapes and faults do not disturb one another."""
    nan = torch.tensor([1.0, float("nan"), float("inf"), -float("inf"), 0.0])
    found = columns(torch.tensor([[3.0, 4.0]]), nan, torch.zeros(0), torch.tensor(2.0, dtype=torch.float64))
    assert found["count"] == [2, 5, 0, 1]
    assert found["nan"] == [0, 1, 0, 0]
    assert found["inf"] == [0, 2, 0, 0]
    assert found["zeros"] == [0, 1, 0, 0]
    assert found["l2"] == [5.0, 1.0, 0.0, 2.0]
    assert found["mean"] == [3.5, 0.5, 0.0, 2.0]
    assert found["std"] == [0.5, 0.5, 0.0, 0.0]


def test_no_tensors_give_no_words() -> None:
    """A step without gradients is a step of width zero."""
    assert portable.kernel([]) == b""


def test_vanishing_gradients_keep_their_norm() -> None:
    """Squares of 1e-30 underflow in float32; the norm must not."""
    assert columns(torch.full((4,), 1e-30))["l2"][0] == pytest.approx(2e-30, rel=1e-6)


def test_sparse_gradients_are_coalesced_first() -> None:
    """Duplicate rows of an embedding's gradient are one row twice as large, not two rows."""
    tensor = torch.sparse_coo_tensor(
        torch.tensor([[0, 0, 2]]), torch.tensor([3.0, 1.0, 3.0]), (5,), check_invariants=True
    )
    assert columns(tensor)["l2"] == [5.0]
    assert columns(tensor)["count"] == [2]


def test_tensors_that_are_not_contiguous_are_read_where_they_lie() -> None:
    """Order does not matter to a statistic: channels_last, transposed and strided views."""
    image = torch.arange(48, dtype=torch.float32).reshape(1, 3, 4, 4)
    found = columns(image.to(memory_format=torch.channels_last), image.transpose(1, 3), image[..., ::2])
    assert found["sum"] == [1128.0, 1128.0, 552.0]


def test_complex_tensors_count_both_parts() -> None:
    """A complex number is two real ones."""
    assert columns(torch.tensor([3 + 4j]))["count"] == [2]
    assert columns(torch.tensor([3 + 4j]))["l2"] == [5.0]


def test_the_way_for_devices_gives_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs on accelerators never branches on a value, and merges chunks."""
    monkeypatch.setattr(portable, "_CHUNK", 1000)
    tensor = torch.randn(12_345, generator=torch.Generator().manual_seed(0)) + 3
    tensor[17], tensor[4000], tensor[9000] = float("nan"), float("inf"), 0.0
    exact = portable._exact(tensor)
    finite = tensor[torch.isfinite(tensor)].double()
    assert exact[:4].tolist() == [12_345, 1, 1, 1]
    assert exact[4].item() == pytest.approx(finite.mean().item(), rel=1e-12)
    assert exact[5].item() == pytest.approx(finite.std(correction=0).item(), rel=1e-12)
    assert exact[6:9].tolist() == [finite.min(), finite.max(), finite.abs().max()]
    assert exact[11].item() == pytest.approx(finite.square().sum().item(), rel=1e-12)


def test_counts_saturate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five billion elements do not wrap around."""
    rows = torch.zeros(WORDS, 1, dtype=torch.float64)
    rows[0], rows[3] = 5e9, 2**31 + 1
    words = np.frombuffer(portable.to_bytes(portable._pack(rows)), "<u4")
    assert words[:4].tolist() == [2**32 - 1, 0, 0, 2**31 + 1]


def test_gradients_are_unscaled_and_weights_left_alone() -> None:
    """A fused optimizer's gradients still carry the scale of the GradScaler."""
    gradient, weight = torch.tensor([3.0, 4.0]) * 1024, torch.tensor([6.0, 8.0])
    matrix = portable.scaled(portable.words([gradient, weight]), torch.tensor(1 / 1024), 1)
    words = np.frombuffer(portable.to_bytes(matrix), "<f4").reshape(WORDS, 2)
    assert words[STATISTICS.index("l2")].tolist() == [5.0, 10.0]
    assert words[STATISTICS.index("sumsq")].tolist() == [25.0, 100.0]


def test_g5_autograd_and_random_state_are_left_alone() -> None:
    """Reading a parameter neither builds a graph nor draws a number."""
    parameter = torch.nn.Parameter(torch.ones(3))
    before = torch.get_rng_state()
    portable.kernel([parameter])
    assert torch.equal(torch.get_rng_state(), before)
    assert parameter.grad_fn is None

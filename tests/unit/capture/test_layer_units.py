"""What recordings hold of layers and tensors: the C library and torch's operations, against float64 and positions()."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.capture import native, portable
from auditor_agent.integrations.torch.taken import take_all, tensors
from auditor_agent.integrations.torch.units import by_unit, columns, samples_of, shares, some, summary
from auditor_agent.stream.recording import positions

SHAPES = [(512, 300, 1), (3, 5, 49), (16, 8, 256), (1, 1, 1), (1, 1, 9), (9, 1, 1), (1, 3, 1)]
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]


def layouts(dense: Tensor) -> Iterator[Tensor]:
    """The same values as they may lie in memory."""
    yield dense
    yield dense.transpose(1, 2).contiguous().transpose(1, 2)  # channels last
    yield dense.transpose(0, 1).contiguous().transpose(0, 1)
    yield torch.cat((dense, dense), 1)[:, : dense.shape[1]]
    yield torch.cat((dense, dense), 0)[: len(dense)]


def expected(folded: Tensor) -> Tensor:
    """The moments in float64."""
    wide = folded.double()
    std, mean = torch.std_mean(wide, (0, 2), correction=0)
    return torch.stack((mean, std, wide.amin((0, 2)), wide.amax((0, 2)))).float()


@pytest.fixture(params=["native", "portable"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the C library and without it."""
    if request.param == "portable":
        monkeypatch.setattr(native, "available", lambda: False)
    elif not native.available():
        pytest.skip("the C library was not built")
    return str(request.param)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (1e-3, 100), (30, 0)])
@pytest.mark.usefixtures("way")
def test_moments_of_units_are_those_of_float64(
    dtype: torch.dtype, shape: tuple[int, int, int], scale: float, offset: float
) -> None:
    """In every layout; also where the mean dwarfs the deviations."""
    torch.manual_seed(0)
    for folded in layouts((torch.randn(shape) * scale + offset).to(dtype)):
        wanted = expected(folded)
        spread = float(wanted[1].max())
        torch.testing.assert_close(summary(folded), wanted, rtol=1e-4, atol=1e-4 * spread + 1e-6 * offset)


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_squares_beyond_float32_do_not_spoil_the_deviation(scale: float) -> None:
    """Where the C library squares in single precision it notices, and takes the long way."""
    if not native.available():
        pytest.skip("the C library was not built")
    folded = torch.randn(100, 40, 1) * scale
    torch.testing.assert_close(summary(folded), expected(folded), rtol=1e-4, atol=0)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("shape", [(20, 3, 1), (5, 3, 40)], ids=str)
def test_what_is_not_finite_shows_in_its_unit_alone(shape: tuple[int, int, int]) -> None:
    """NaN makes all four NaN, an infinity the deviation; the units beside it are as they were."""
    folded = torch.randn(shape)
    folded[1, 0, 0], folded[2, 1, 0] = torch.nan, torch.inf
    found = summary(folded)
    assert found[:, 0].isnan().all()
    assert found[1, 1].isnan()
    assert found[3, 1] == torch.inf
    torch.testing.assert_close(found[:, 2], expected(folded)[:, 2], rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_some_samples_by_some_units_are_evenly_spread_ones(shape: tuple[int, int, int]) -> None:
    """Those of positions(), in both directions, whatever the layout."""
    for folded in layouts(torch.randn(shape)):
        matrix = folded.movedim(1, -1).reshape(-1, shape[1])
        for rows, units in ((1, 1), (min(7, len(matrix)), min(3, shape[1])), (len(matrix), shape[1])):
            wanted = matrix[positions(len(matrix), rows)][:, positions(shape[1], units)]
            assert _bytes(some(folded, rows, units)) == portable.to_bytes(wanted)
    assert _bytes(columns(matrix, 1)) == portable.to_bytes(matrix[:, :1])
    assert samples_of(folded) == len(matrix)


@pytest.mark.usefixtures("way")
def test_elements_of_many_tensors_at_once_are_those_of_positions() -> None:
    """Whole, sampled, empty, of any element size and layout; in their order."""
    dense = torch.arange(10_007)
    tensors = [dense, dense.half(), dense.view(1, -1), torch.tensor(3.5), torch.empty(0), torch.randn(8, 6).t()]
    wanted = [
        (str(at), tensor, min(count, tensor.numel())) for at, tensor in enumerate(tensors) for count in (5, 48, 1)
    ]
    for (name, tensor, count), one in zip(wanted, take_all("weight", wanted), strict=True):
        chosen = tensor.reshape(-1)[positions(tensor.numel(), count)]
        array = one.array()
        assert (array.name, array.shape, array.elements) == (name, tuple(tensor.shape), count)
        assert array.data == portable.to_bytes(chosen)
        assert one.nbytes == len(array.data)


@pytest.mark.usefixtures("way")
def test_units_of_images_are_channels() -> None:
    """Dead where a channel is zero at every place of every sample; in either memory format."""
    images = torch.randn(4, 3, 5, 5).relu()
    images[:, 1] = 0
    for output in (images, images.to(memory_format=torch.channels_last)):
        folded = by_unit(nn.ReLU(), output)
        assert folded.shape == (4, 3, 25)
        assert shares("relu", "relu", folded, None)["dead_units/relu"] == pytest.approx(1 / 3)
        assert shares("relu", "relu", folded, summary(folded)) == shares("relu", "relu", folded, None)


def _bytes(values: Tensor | bytes) -> bytes:
    return values if isinstance(values, bytes) else portable.to_bytes(values)


@dataclass
class Answer:
    """What a model of one's own gives."""

    logits: Tensor
    loss: Tensor | None = None
    itself: Any = None


@pytest.mark.parametrize("make", [Answer, lambda logits: SimpleNamespace(loss=None, logits=logits), UserDict])
def test_what_a_model_gives_is_found_in_whatever_holds_it(make: Any) -> None:
    """Dataclasses, namespaces, a tokenizer's batch; within tuples too, and where one of them holds itself."""
    logits = torch.zeros(2, 3)
    given = make({"logits": logits}) if make is UserDict else make(logits)
    assert [one.shape for one in tensors((given, torch.ones(1)))] == [(2, 3), (1,)]
    given.itself = [given]
    assert all(one is logits for one in tensors(given))
    assert list(tensors([Answer, object()])) == []

"""The twelve statistics of NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from auditor_agent.capture.arrays import words
from auditor_agent.statistics import COUNTS, MOMENTS, STATISTICS

F32_MAX = float(np.finfo(np.float32).max)


def reference(array: npt.NDArray[Any]) -> dict[str, float]:
    """The statistics by their definition, in float64."""
    x = array.astype(np.longdouble).ravel()
    z = x[np.isfinite(x)]
    counts = {"count": x.size, "nan": np.isnan(x).sum(), "inf": np.isinf(x).sum(), "zeros": (x == 0).sum()}
    if not z.size:
        return counts | dict.fromkeys(MOMENTS, 0.0)
    moments = {"mean": z.mean(), "std": z.std(), "min": z.min(), "max": z.max(), "absmax": abs(z).max()}
    moments |= {"l2": np.sqrt((z * z).sum()), "sum": z.sum(), "sumsq": (z * z).sum()}
    return counts | {name: float(np.clip(value, -F32_MAX, F32_MAX)) for name, value in moments.items()}


def column(table: npt.NDArray[Any], place: int) -> dict[str, float]:
    """One tensor's statistics by name."""
    moments = np.ascontiguousarray(table[len(COUNTS) :, place]).view(np.float32).tolist()
    return dict(zip(STATISTICS, [*table[: len(COUNTS), place].tolist(), *moments], strict=True))


def agree(found: dict[str, float], expected: dict[str, float], array: npt.NDArray[Any]) -> None:
    """Counts are exact; moments right to 1e-6 of the size of what they sum."""
    assert {name: found[name] for name in COUNTS} == {name: expected[name] for name in COUNTS}
    # Of the tensor's own size: the expected absmax stops where float32 does, the rounding does not.
    largest = float(np.abs(array[np.isfinite(array)].astype(np.float64)).max(initial=0.0))
    size, top = array.size, max(largest, float(np.finfo(np.float32).tiny))
    scale = dict.fromkeys(MOMENTS, top) | {
        "l2": expected["l2"],
        "sum": top * size,  # that is rounded in float64, however little of it is left in the end
        "sumsq": expected["sumsq"],
    }
    for name in MOMENTS:
        assert np.isfinite(found[name])
        assert abs(found[name] - expected[name]) <= 1e-6 * scale[name] + float(np.finfo(np.float32).tiny), name


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        hnp.arrays(st.sampled_from([np.float32, np.float64, np.float16]), st.integers(0, 40)), min_size=1, max_size=4
    )
)
def test_small_tensors_of_any_content_have_the_statistics_of_the_definition(arrays: list[npt.NDArray[Any]]) -> None:
    """NaN, Inf, zeros, denormals, float64 beyond float32: counts exact, moments finite and right."""
    with np.errstate(all="ignore"):
        table = words(arrays)
        for place, array in enumerate(arrays):
            agree(column(table, place), reference(array), array)


LARGE = {
    "normal": lambda r: r.standard_normal(100_003),
    "off centre": lambda r: 1000 + 1e-2 * r.standard_normal(50_000),
    "huge": lambda r: 1e30 * r.standard_normal(50_000),
    "tiny": lambda r: 1e-25 * r.standard_normal(50_000),
    "constant": lambda _: np.full(50_000, 0.1),
    "sparse": lambda r: np.where(r.random(50_000) < 0.9, 0.0, 1.0),
    "nan": lambda r: np.where(r.random(50_000) < 0.01, np.nan, 1.0),
    "inf": lambda r: np.where(r.random(50_000) < 0.01, -np.inf, r.standard_normal(50_000)),
    "all nan": lambda _: np.full(5000, np.nan),
}


@pytest.mark.parametrize("kind", LARGE)
def test_large_tensors_take_the_quick_way_and_are_as_right(kind: str) -> None:
    """Above the joining limit the passes in float32 are right to 1e-6, the standard deviation too."""
    array = LARGE[kind](np.random.default_rng(7)).astype(np.float32)
    found, expected = column(words([array]), 0), reference(array)
    agree(found, expected, array)
    assert found["std"] == pytest.approx(expected["std"], rel=2e-6, abs=1e-6 * expected["absmax"] * 1e-3)


def test_the_order_of_the_storage_does_not_matter() -> None:
    """A transposed view has the statistics of its array."""
    array = np.random.default_rng(1).standard_normal((70, 80)).astype(np.float32)
    assert np.array_equal(words([array])[:4], words([array.T])[:4])
    assert np.array_equal(words([array]), words([np.asfortranarray(array.T).T]))

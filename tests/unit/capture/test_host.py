from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor_agent.capture import arrays, native
from auditor_agent.capture.host import HostStatistics, nonfinite
from auditor_agent.statistics import ROW_BYTES, STATISTICS, WORDS
from support.reference import histogram

RNG = np.random.default_rng(5)
GIVEN: list[Any] = [
    RNG.standard_normal((30, 7)),
    RNG.standard_normal(5).astype(np.float32),
    np.asfortranarray(RNG.standard_normal((40, 300))),
    RNG.standard_normal((20, 20))[::2, ::3],
    RNG.standard_normal(9) > 0,
    np.array([np.nan, np.inf, -np.inf, 1.0, 0.0]),
    np.arange(6).astype(">f8"),
    np.zeros((0, 3)),
]


def matrix(words: bytes | memoryview) -> dict[str, Any]:
    """Statistics by name."""
    rows = np.frombuffer(words, "<u4").reshape(WORDS, -1)
    return {
        name: row if at < 4 else row.view("<f4") for at, (name, row) in enumerate(zip(STATISTICS, rows, strict=True))
    }


def test_histograms_come_along_when_asked_for(way: str) -> None:
    """The words stay what they are; nothing is left over at the next call."""
    statistics = HostStatistics()
    plain = bytes(statistics.words(GIVEN))
    assert bytes(statistics.histograms) == b""
    assert bytes(statistics.words(GIVEN, count=True)) == plain
    counters = np.frombuffer(bytes(statistics.histograms), "<u4").reshape(-1, 64)
    assert counters.tolist() == [histogram(array) for array in GIVEN]
    statistics.words(GIVEN)
    assert bytes(statistics.histograms) == b""


@pytest.fixture(params=["native", "numpy"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading host memory."""
    if request.param == "numpy":
        monkeypatch.setattr(native, "available", lambda: False)
    elif not native.available():
        pytest.skip("the C kernel was not built")
    return str(request.param)


def test_any_array_is_read_either_way(way: str) -> None:
    """Types, orders, strides, non-finite and empty: as the exact statistics in float64 have it."""
    got = matrix(HostStatistics().words(GIVEN))
    expected = matrix(arrays.words([np.ascontiguousarray(array, np.float64) for array in GIVEN]).tobytes())
    for name in STATISTICS:
        np.testing.assert_allclose(got[name], expected[name], rtol=2e-6, atol=1e-6, err_msg=name)


def test_plans_are_kept_and_bounded(way: str) -> None:
    """The same shapes come again with other values; many shapes do not pile up."""
    statistics = HostStatistics()
    for size in (*range(1, 40), 3):
        words = statistics.words([np.full(size, 2.0), np.full(2 * size, 1.0)])
        assert matrix(words)["sum"].tolist() == [2.0 * size, 2.0 * size]
        assert len(words) == 2 * ROW_BYTES
    assert len(statistics._plans) <= 16


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_non_finite_element_is_noticed(way: str, bad: float) -> None:
    """In whichever array it is; zeros and large numbers are none."""
    plain = [np.zeros(3), np.full(7, 1e300)]
    assert not nonfinite(HostStatistics().words(plain))
    for at in range(3):
        assert nonfinite(HostStatistics().words([*plain[:at], np.array([1.0, bad]), *plain[at:]]))

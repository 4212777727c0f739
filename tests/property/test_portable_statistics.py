from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from auditor_agent.capture import portable
from auditor_agent.statistics import COUNTS, STATISTICS, WORDS

HUGE = float(np.finfo(np.float32).max)


def reference(values: npt.NDArray[Any]) -> dict[str, Any]:
    """The twelve statistics as longdouble, straight from their definition, not saturated."""
    flat = values.astype(np.float64).ravel()
    finite = flat[np.isfinite(flat)].astype(np.longdouble)
    some = len(finite) > 0
    moments = {
        "mean": finite.mean() if some else 0.0,
        "std": finite.std() if some else 0.0,
        "min": finite.min() if some else 0.0,
        "max": finite.max() if some else 0.0,
        "absmax": np.abs(finite).max() if some else 0.0,
        "l2": np.sqrt(np.square(finite).sum()),
        "sum": finite.sum(),
        "sumsq": np.square(finite).sum(),
    }
    counts = {"count": flat.size, "nan": np.isnan(flat).sum(), "inf": np.isinf(flat).sum(), "zeros": (flat == 0).sum()}
    return {**counts, **moments}


def measured(*tensors: torch.Tensor) -> list[dict[str, float]]:
    """The kernel's words, read back as the daemon reads them."""
    words = np.frombuffer(portable.kernel(tensors), "<u4").reshape(WORDS, len(tensors))
    rows = [row if name in COUNTS else row.view("<f4") for name, row in zip(STATISTICS, words, strict=True)]
    return [{name: float(rows[at][r]) for at, name in enumerate(STATISTICS)} for r in range(len(tensors))]


def check(tensor: torch.Tensor, *, relative: float = 3e-5) -> None:
    """Compare what the kernel says of ``tensor`` with the reference."""
    values = tensor.detach().to(torch.float64).numpy()
    found, wanted = measured(tensor)[0], reference(values)
    for name in STATISTICS:
        # A sum is as good as the largest thing that went into it; a mean and a spread likewise.
        size = max(wanted["absmax"], 1e-45)
        scale = {"sum": size * wanted["count"] ** 0.5, "mean": size, "std": wanted["std"]}.get(name, abs(wanted[name]))
        slack = 2e-45 + relative * scale + (1e-7 * size if name == "std" else 0)
        if name in {*COUNTS, "min", "max", "absmax"}:
            assert found[name] == float(np.float32(np.clip(wanted[name], -HUGE, HUGE))), name
        else:
            low, high = np.clip([wanted[name] - slack, wanted[name] + slack], -HUGE, HUGE)
            assert low <= found[name] <= high, (name, found[name], wanted[name])


ANY_FLOAT32 = st.floats(width=32, allow_nan=True, allow_infinity=True, allow_subnormal=True)
ANY_FLOAT64 = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6)


@settings(deadline=None, max_examples=300)
@given(hnp.arrays(np.float32, SHAPES, elements=ANY_FLOAT32))
def test_any_float32_tensor_agrees_with_the_definition(values: npt.NDArray[np.float32]) -> None:
    """NaN, Inf, denormals, empty and scalar tensors included."""
    check(torch.from_numpy(np.array(values)))


@settings(deadline=None, max_examples=300)
@given(hnp.arrays(np.float64, SHAPES, elements=ANY_FLOAT64))
@example(np.full(3, np.finfo(np.float64).max))
def test_any_float64_tensor_saturates_instead_of_claiming_an_infinity(values: npt.NDArray[np.float64]) -> None:
    """Values up to 1e308 fit no float32: the moments stop at its largest finite number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # longdouble itself overflows at 1e308 squared, rightly
        check(torch.from_numpy(np.array(values)), relative=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.float32, SHAPES, elements=st.floats(-1e4, 1e4, width=16)),
    st.sampled_from([torch.bfloat16, torch.float16]),
)
def test_half_precision_tensors_are_summed_in_more_than_half(
    values: npt.NDArray[np.float32], dtype: torch.dtype
) -> None:
    """bfloat16 and float16 are read in float32."""
    check(torch.from_numpy(np.array(values)).to(dtype))


@pytest.mark.parametrize("mean", [1.0, 1e3, -1e6])
def test_a_spread_that_is_small_beside_the_mean_is_not_lost(mean: float) -> None:
    """The stable standard deviation: sum of squares minus squared mean would give nothing here."""
    tensor = torch.from_numpy((mean + np.random.default_rng(0).normal(0, 0.5, 100_000)).astype(np.float32))
    wanted = reference(tensor.numpy())
    assert measured(tensor)[0]["std"] == pytest.approx(wanted["std"], rel=1e-5)
    assert measured(tensor)[0]["mean"] == pytest.approx(wanted["mean"], rel=1e-6)

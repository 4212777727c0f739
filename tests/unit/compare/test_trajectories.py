"""Two curves side by side."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import median_filter

from auditor.compare.trajectories import APART, POINTS, Curve, Pair, as_json, pair, smoothed, thin
from auditor.report.words import where_they_part

F64 = npt.NDArray[np.float64]


def curve(values: list[float], first: int = 1) -> Curve:
    """A curve of consecutive steps."""
    return Curve(np.arange(first, first + len(values)), np.asarray(values, dtype=np.float64))


def test_curves_meet_on_their_common_steps() -> None:
    """Steps that only one run has take no part."""
    both = pair(Curve(np.array([1, 3, 5]), np.array([1.0, 2.0, 4.0])), curve([2.0, 2.0, 6.0]))
    assert both.steps.tolist() == [1, 3]
    assert both.ratio.tolist() == [2.0, 3.0]


def test_counting_from_zero_and_from_one_is_the_same_step() -> None:
    """Step 0 of one framework is step 1 of the other; a run resumed at step 100 is not shifted."""
    both = pair(curve([1.0, 2.0], first=1), curve([1.0, 2.0], first=0))
    assert (both.offset, both.steps.tolist(), both.identical) == (1, [1, 2], True)
    assert pair(curve([1.0] * 200), curve([1.0] * 100, first=100)).offset == 0


def test_equal_curves_are_identical_and_never_part() -> None:
    """NaN at the same step is the same."""
    a, b = curve([3.0, math.nan, 1.0]), curve([3.0, math.nan, 1.0])
    both = pair(a, b)
    assert both.identical
    assert both.first_unequal is None
    assert both.parts_at is None


def test_no_common_step_is_not_identical() -> None:
    """Nothing seen proves nothing."""
    both = pair(curve([1.0]), curve([1.0], first=50))
    assert not both.identical
    assert both.parts_at is None


def test_one_ulp_is_unequal_and_does_not_part() -> None:
    """The first unequal step is exact; parting needs ten percent."""
    values = [1.0 + i for i in range(40)]
    other = values.copy()
    other[17] = np.nextafter(other[17], math.inf)
    both = pair(curve(values), curve(other))
    assert both.first_unequal == 18
    assert both.parts_at is None


def test_curves_part_where_they_leave_each_other_for_good() -> None:
    """An excursion that ends does not count; the departure that lasts does."""
    a = np.ones(300)
    b = np.ones(300)
    b[50:80] = 2.0
    b[200:] = 1.5
    at = pair(curve(a.tolist()), curve(b.tolist())).parts_at
    assert at is not None
    assert abs(at - 201) <= 8  # half a running median


def test_noise_from_batch_to_batch_does_not_part_two_runs() -> None:
    """Two noisy copies of one curve stay together."""
    rng = np.random.default_rng(0)
    base = np.exp(-np.arange(2000) / 500)
    a, b = (base * np.exp(rng.normal(0, 0.3, 2000)) for _ in range(2))
    assert pair(curve(a.tolist()), curve(b.tolist())).parts_at is None


def test_becoming_non_finite_is_parting() -> None:
    """From the first step at which exactly one is finite."""
    a, b = [1.0] * 100, [1.0] * 60 + [math.nan] * 40
    assert pair(curve(a), curve(b)).parts_at == 61
    assert pair(curve(a), curve([1.0] * 60 + [math.inf] * 40)).parts_at == 61


@pytest.mark.parametrize("value", [1e308, -1e308, 0.0, 5e-324])
def test_extreme_values_are_compared_without_overflow(value: float) -> None:
    """Warnings are errors here: a division or an overflow would show."""
    assert pair(curve([value] * 20), curve([value] * 20)).parts_at is None
    assert pair(curve([1e308] * 20), curve([-1e308] * 20)).parts_at == 1


def test_thinning_keeps_extremes_ends_and_the_first_non_finite() -> None:
    """What a plot must show survives."""
    values = np.ones(10_000)
    values[1234], values[5678], values[9000:] = 50.0, -50.0, math.nan
    thinned = thin(curve(values.tolist()))
    assert len(thinned.steps) <= POINTS + 2
    kept = dict(zip(thinned.steps.tolist(), thinned.values.tolist(), strict=True))
    assert kept[1235] == 50.0
    assert kept[5679] == -50.0
    assert 9001 in kept
    assert thinned.steps[0] == 1
    assert thinned.steps[-1] == 10_000
    assert thinned.first_nonfinite == 9001


def test_json_says_where_each_became_non_finite() -> None:
    """And keeps the values themselves, NaN included."""
    found = as_json(curve([1.0, math.nan]), curve([1.0, 1.0]))
    assert found["nonfinite_at"] == {"a": 2, "b": None}
    assert math.isnan(found["a"]["value"][1])
    assert found["common_steps"] == 2


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ((0.5, 1.5), "apart by 67% at the end, too briefly to say from which step on; 4 common steps"),
        ((0.5, 0.52), "within 10% of each other at the end; 4 common steps"),
    ],
)
def test_the_sentence_of_few_points_agrees_with_their_last(ends: tuple[float, float], says: str) -> None:
    """Four evaluations are too few to say from where on two curves are apart, and not that they are together."""
    curves = [Curve(np.arange(10, 50, 10), np.linspace(1.0, end, 4)) for end in ends]
    assert where_they_part(as_json(*curves)) == says


def test_of_two_common_points_nothing_is_said() -> None:
    """They were of one evaluation each, say."""
    curves = [Curve(np.array([10]), np.array([end])) for end in (1.0, 5.0)]
    assert where_they_part(as_json(*curves)) == "1 common step: too few to hold the curves against each other"


@pytest.mark.parametrize(("count", "window"), [(401, 21), (1999, 99), (5000, 101)])
def test_points_of_a_long_curve_lie_on_its_running_median(count: int, window: int) -> None:
    """Its ends included, where it is mirrored; a step without a number is left out."""
    values = np.random.default_rng(count).normal(size=count)
    values[count // 3] = np.nan
    good = np.isfinite(values)
    whole = median_filter(values[good], size=window, mode="mirror")
    found = smoothed(Curve(np.arange(count), values))
    assert len(found.steps) == POINTS
    assert (found.steps[0], found.steps[-1]) == (0, count - 1)
    assert np.array_equal(found.values, whole[np.searchsorted(np.flatnonzero(good), found.steps)])


def noisy(seed: int, count: int, broken: float) -> F64:
    """A walk of few distinct values, many of them equal, so large a part of which is not finite."""
    rng = np.random.default_rng(seed)
    values = 4 + np.round(np.cumsum(rng.normal(0, 0.2, count)))
    return np.where(rng.random(count) < broken, rng.choice([np.nan, np.inf, -np.inf], count), values)


def medians(values: F64) -> F64:
    """The running median of a whole curve."""
    window = min(101, max(9, len(values) // 20 | 1))
    return values if len(values) < window else np.asarray(median_filter(values, size=window, mode="mirror"))


def apart_throughout(both: Pair) -> F64:
    """The distance of the running medians at every common step."""
    good_a, good_b = np.isfinite(both.a), np.isfinite(both.b)
    out, finite = np.where(good_a != good_b, 1.0, 0.0), good_a & good_b
    left, right = medians(both.a[finite]), medians(both.b[finite])
    scale = np.maximum(np.abs(left), np.abs(right))
    scale[scale == 0] = 1.0
    out[finite] = np.abs(left / scale - right / scale)
    return out


@given(
    seeds=st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)),
    count=st.sampled_from([0, 1, 8, 9, 180, 400, 511, 512, 513, 560, 700, 2500]),
    broken=st.sampled_from([0.0, 0.02, 0.5, 1.0]),
    shift=st.sampled_from([0.0, 3.0]),
)
@settings(max_examples=200, deadline=None)
def test_a_look_at_the_last_steps_tells_what_all_of_them_would(
    seeds: tuple[int, int], count: int, broken: float, shift: float
) -> None:
    """Where two curves part and how far apart they end, whether they were last together late, early or never."""
    both = pair(*(Curve(np.arange(count), noisy(seed, count, broken) + at * shift) for at, seed in enumerate(seeds)))
    whole = apart_throughout(both)
    together = np.flatnonzero(whole <= APART)
    first = int(together[-1]) + 1 if len(together) else 0
    broke = (np.isfinite(both.a[first:]) != np.isfinite(both.b[first:])).any()
    lasting = count - first >= 2 * min(101, max(9, count // 20 | 1))
    assert both.parts_at == (first if first < count and (lasting or broke) else None)
    assert both.end_apart == (whole[-1] if count else None)


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.5])
@pytest.mark.parametrize(
    ("leaves", "factor"), [(0, 1.101), (0, 3.0), (300, 1.12), (12_000, -1.5), (19_000, 0.85), (1, 1.099)]
)
def test_a_long_curve_is_searched_without_all_of_its_medians(noise: float, leaves: int, factor: float) -> None:
    """Some windows tell of the places around them: the last one at which two curves are together is the same."""
    rng = np.random.default_rng(leaves)
    base = np.exp(-np.arange(20_000) / 5000)
    one, other = (base * np.exp(rng.normal(0, noise, len(base))) for _ in range(2))
    other[leaves:] *= factor
    both = pair(curve(one.tolist()), curve(other.tolist()))
    together = np.flatnonzero(apart_throughout(both) <= APART)
    first = int(together[-1]) + 1 if len(together) else 0
    assert both.parts_at == (first + 1 if len(base) - first >= 2 * 101 else None)


@given(
    seed=st.integers(0, 10_000),
    count=st.integers(401, 1500),
    points=st.sampled_from([1, 100, POINTS]),
    broken=st.sampled_from([0.0, 0.01, 0.5, 1.0]),
)
@settings(max_examples=200, deadline=None)
def test_thinning_keeps_the_first_extremes_of_each_stretch(seed: int, count: int, points: int, broken: float) -> None:
    """As a walk from stretch to stretch finds them; of equal values the first."""
    values = noisy(seed, count, broken)
    kept = {0, count - 1}
    for stretch in np.array_split(np.arange(count), max(1, points // 3)):
        bad = ~np.isfinite(values[stretch])
        kept |= {int(stretch[bad.argmax()])} if bad.any() else set()
        finite = stretch[~bad]
        kept |= {int(finite[values[finite].argmin()]), int(finite[values[finite].argmax()])} if len(finite) else set()
    thinned = thin(Curve(np.arange(count), values), points)
    assert thinned.steps.tolist() == sorted(kept)
    assert np.array_equal(thinned.values, values[sorted(kept)], equal_nan=True)


def test_equal_steps_are_paired_as_any_others() -> None:
    """Runs that told the same steps, counted from 0 and from 1 too, need no search for the common ones."""
    steps, values = np.array([1, 2, 4, 9]), np.array([1.0, np.nan, 3.0, 4.0])
    for other in (steps, steps - 1):
        both = pair(Curve(steps, values), Curve(other, values * 2))
        assert both.steps.tolist() == steps.tolist()
        assert both.offset == int(steps[0] - other[0])
        assert np.array_equal(both.b, both.a * 2, equal_nan=True)

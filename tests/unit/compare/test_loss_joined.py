"""Losses of several steps at once are those of each step; what is not tried, or not to the end, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from auditor.compare.identify import loss_fits, losses
from auditor.compare.identify.loss_joined import Joined
from auditor.compare.identify.loss_pairs import Pair, reductions, smooth
from auditor.compare.identify.loss_solved import solved

F64 = npt.NDArray[np.float64]

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a wrong hypothesis may well overflow
TARGETS = ("numbers", "zeros and ones", "signs", "shares")


def targets(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> F64:
    """Of one step: one of them may be all ones while another is not."""
    if kind == "shares":
        return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])
    if kind == "numbers":
        return rng.normal(size=shape)
    low = 0.0 if kind == "zeros and ones" else -1.0
    return np.where(rng.random(shape) < rng.choice([0.0, 0.5]), low, 1.0)


def pairs(seed: int, kind: str, shape: tuple[int, ...], kernels: int = 1, *, even: bool = False) -> list[Pair]:
    """Six steps of a squared error, half of them with a penalty on one kernel, the last batch a smaller one."""
    rng, found = np.random.default_rng(seed), []
    for step in range(6):
        rows = shape[0] if even or step < 5 else 3
        output = rng.normal(size=(rows, *shape[1:]))
        target = targets(rng, kind, output.shape)
        squares = tuple(rng.uniform(1, 9, kernels).tolist()) if step or seed % 2 else (0.0,) * kernels
        value = float(((output - target) ** 2).mean()) + (0.01 * squares[0] if seed % 3 else 0.0)
        sums = {"squares": sum(squares), "every": sum(squares) + step, "kernels": squares}
        found.append(Pair(output, target, value, rows, step=step, **sums))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("shape", [(7,), (7, 1), (8, 5), (4, 3, 6), (1, 4)])
def test_a_loss_of_all_steps_at_once_is_that_of_each(kind: str, shape: tuple[int, ...]) -> None:
    """To the bit, of elements and of rows, whatever their number; None where it is not finite somewhere."""
    given = pairs(0, kind, shape)
    rows = loss_fits.ROWS if len(shape) > 1 else ()
    for function, _, loss in (*loss_fits.ELEMENTWISE, *rows):
        for smoothing in (0.0, 0.1, 1.0) if function.startswith(("binary", "cross")) else (0.0,):
            alone = [loss(pair.output, smooth(pair.target, function, smoothing)) for pair in given]
            found = Joined(given).parts(function, loss, smoothing)
            assert (found is not None) == all(np.isfinite(part).all() for part in alone)
            assert found is None or all(np.array_equal(*both) for both in zip(found, alone, strict=True))


def test_steps_that_do_not_fit_together_are_taken_one_by_one() -> None:
    """Rows of other lengths, and batches so large that nothing is gained."""
    rng = np.random.default_rng(0)
    for shapes in ([(3, 4), (3, 5)], [(300, 200), (300, 200)]):
        outputs = [rng.normal(size=shape) for shape in shapes]
        given = [Pair(output, output * 2, 1.0, len(output)) for output in outputs]
        found = Joined(given).parts("squared error", losses.squared, 0.0)
        assert [part.tolist() for part in found or ()] == [(output**2).tolist() for output in outputs]


@pytest.mark.parametrize("kernels", [0, 1, 2, 4])
@pytest.mark.parametrize("seed", range(6))
def test_penalties_that_are_not_tried_would_not_have_fitted(
    kernels: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all hypotheses the same are left where each is tried, those with a penalty among them."""
    given = pairs(seed, "numbers", (8, 2), kernels or 1)
    if not kernels:
        given = [Pair(pair.output, pair.target, pair.value, pair.batch, step=pair.step) for pair in given]
    quick = list(loss_fits.tabled(given))
    monkeypatch.setattr(loss_fits, "_hopeful", lambda beyond, *_: np.ones(beyond.shape[:-1], np.bool_))
    assert quick == list(loss_fits.tabled(given))
    assert any(fit.beyond for fit in quick) == bool(kernels and seed % 3)


def corners(given: list[Pair]) -> Iterator[float]:
    """Forty halvings each, of the loss as its documentation has it."""
    total = sum(pair.value for pair in given)
    output, target = (np.concatenate([getattr(pair, name) for pair in given]) for name in ("output", "target"))
    for name, family in (("huber", losses.huber), ("smooth l1", losses.smooth_l1)):
        for reduction in ("mean", "sum", "sum over outputs, mean over batch"):
            low, high = 1e-3, 1e2
            for _ in range(40):
                middle = float(np.sqrt(low * high))
                parts = np.split(family(middle)(output, target), np.cumsum([len(pair.output) for pair in given])[:-1])
                more = float(reductions(parts, given)[reduction].sum()) < total
                low, high = (middle, high) if more == (name == "huber") else (low, middle)
            corner = float(f"{np.sqrt(low * high):.4g}")
            if corner < np.abs(output - target).max():
                yield corner


@pytest.mark.parametrize("seed", range(8))
def test_a_corner_is_found_where_all_halvings_end(seed: int) -> None:
    """Also where there is none, as the loss is a squared error or none of its kind."""
    given = pairs(seed, "numbers", (8, 2))
    found = [fit.function for fit in solved(given) if fit.function.startswith(("huber", "smooth"))]
    assert [float(name.partition("(")[2][:-1]) for name in found] == pytest.approx(list(corners(given)), rel=1e-3)

"""Rows that are rounded, rearranged, drawn anew, or hold their own target, against the same rows spelt otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import content
from auditor.compare.recognise.cause import Cause
from auditor.compare.trajectories import Curve
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Tiny, array, event, glorot, inputs, sgd, targets

X = inputs()
Y = targets(X)
MANY = np.random.default_rng(4).standard_normal((200, 1))
MIXED = np.random.default_rng(3).permutation(len(X))


def run(x: np.ndarray = X, y: np.ndarray = Y, seed: int = 0, **more: object) -> Profile:
    """A run on these rows."""
    return Tiny(stepper=sgd, x=x, y=y, weights=lambda: glorot(seed), **more).profile()  # type: ignore[arg-type] -- as Tiny has them


def told(a: Profile, b: Profile) -> list[str]:
    """Parameters of what is told, the same whichever run comes first."""
    there, back = diagnose(a, b).causes, diagnose(b, a).causes
    assert [cause.id for cause in there] == [cause.id for cause in back]
    return [cause.parameter for cause in there]


@pytest.mark.parametrize("step", [0.5, 1.0])
def test_values_that_were_rounded_are_found(step: float) -> None:
    """Of one column as of all; by how much the steps say."""
    coarse = X.copy()
    coarse[:, 2] = np.round(X[:, 2] / step) * step
    found = diagnose(run(), run(coarse, seed=5)).causes[0]
    assert (found.id, found.parameter) == ("DATA-00", "data.input.resolution")
    assert found.weight == pytest.approx(step / np.sqrt(12), rel=0.2)


def test_steps_that_float32_makes_of_large_numbers_are_its_doing() -> None:
    """Seconds since 1970 are 128 apart in float32; steps of that size that a program made are none of its doing."""
    stamps = np.random.default_rng(3).normal(1.7e9, 120.0, (200, 1))

    def rounded(values: np.ndarray) -> list[Cause]:
        fine, coarse = (content.Rows(np.hstack([one, MANY]), None) for one in (stamps, values))
        return list(content._resolution(fine, coarse))

    (found,) = rounded(stamps.astype(np.float32).astype(np.float64))
    assert (found.id, found.parameter) == ("DATA-04", "data.input.resolution")
    (found,) = rounded(np.round(stamps / 500) * 500)
    assert found.id == "DATA-00"
    assert not rounded(stamps + 1e-3)


def test_rounding_of_both_or_of_counts_is_none() -> None:
    """Whole numbers are as many as the sample shows."""
    coarse = np.round(X * 2) / 2
    assert told(run(coarse), run(coarse, seed=5)) == []
    words = np.abs(np.round(X * 40))
    few = np.minimum(words, 5)
    assert "data.input.resolution" not in told(run(words), run(few, seed=5))


@pytest.mark.parametrize("swap", [lambda x: x[:, ::-1], lambda x: x[:, [1, 0, 2, 3, 4, 5]]], ids=["reversed", "two"])
def test_numbers_in_other_places_are_found(swap: object) -> None:
    """Whatever the order of the rows."""
    other = np.ascontiguousarray(swap(X))[MIXED]  # type: ignore[operator] -- a function of the parametrisation
    assert told(run(), run(other, Y[MIXED], seed=5))[:1] == ["data.input.arrangement"]
    assert told(run(), run(X[MIXED], Y[MIXED], seed=5)) == []
    assert told(run(), run(X.astype(np.float64)[MIXED] + 1e-9, Y[MIXED], seed=5)) == [], "rounded on one side"


def test_a_target_that_is_among_its_inputs_is_found() -> None:
    """The last number instead of the next; classes may well be equal to a number by chance."""
    assert told(run(), run(y=X[:, -1:], seed=5))[:1] == ["data.target.given"]
    assert "data.target.given" not in told(run(y=X[:, :1]), run(y=X[:, -1:], seed=5)), "both sides take one"
    flags = np.hstack([X[:, :5], (X[:, 5:] > 0)]).astype(np.float32)
    assert "data.target.given" not in told(run(flags), run(flags, y=flags[:, 5:], seed=5))


def test_rows_that_come_once_against_rows_that_come_in_every_epoch() -> None:
    """Noise that is drawn anew; of one epoch alone nobody can tell."""
    rng = np.random.default_rng(0)
    fresh = np.concatenate([X + 0.3 * rng.standard_normal(X.shape).astype(np.float32) for _ in range(4)])

    def epochs(x: np.ndarray, steps: int, seed: int, samples: int = 96) -> Profile:
        rows = [np.arange(16 * at, 16 * at + 16) % len(x) for at in range(steps)]
        events = [event(6, "epoch", epoch=1, steps=6, samples=samples, order="a", content="a")]
        y = np.concatenate([Y] * (len(x) // len(Y)))
        tiny = Tiny(stepper=sgd, x=x, y=y, steps=steps, order=lambda at: rows[at], weights=lambda: glorot(seed))
        return tiny.profile(events=events)

    assert told(epochs(X, 12, 0), epochs(fresh, 12, 5))[:1] == ["data.input.repeats"]
    assert told(epochs(X, 12, 0, 90), epochs(fresh, 12, 5, 90))[:1] == ["data.input.repeats"], "a partial batch"
    layer = {"model": {"layers": [{"class": "GaussianNoise"}]}}
    assert "data.input.repeats" not in told(epochs(X, 12, 0), replace(epochs(fresh, 12, 5), manifest=layer))
    own = replace(epochs(X, 12, 0).structure, own=frozenset({0}))
    assert "data.input.repeats" not in told(replace(epochs(X, 12, 0), structure=own), epochs(fresh, 12, 5))
    assert told(epochs(fresh, 12, 0), epochs(fresh + 0, 12, 5)) == []
    assert "data.input.repeats" not in told(epochs(X, 6, 0), epochs(fresh, 6, 5))


@pytest.mark.parametrize(("part", "found"), [(0.5, True), (0.05, False)])
def test_rows_of_which_a_coin_changes_some_come_again_less_often(part: float, found: bool) -> None:
    """Half of the images are flipped in every epoch; a twentieth cannot be told from chance."""
    x = inputs(96)
    rng = np.random.default_rng(2)

    def epochs(changed: float, seed: int) -> Profile:
        every = np.concatenate([np.where(rng.random((96, 1)) < changed, x[:, ::-1], x) for _ in range(3)])
        events = [event(6, "epoch", epoch=1, steps=6, samples=96, order="a", content="a")]
        tiny = Tiny(stepper=sgd, x=every, y=np.concatenate([targets(x)] * 3), steps=18, weights=lambda: glorot(seed),
                    order=lambda at: np.arange(16 * at, 16 * at + 16))  # fmt: skip
        return tiny.profile(events=events)

    assert ("data.input.repeats" in told(epochs(0.0, 0), epochs(part, 5))) is found


def test_one_batch_again_and_again_against_all_of_them() -> None:
    """Not where both train on whole batches of everything there is."""

    def run_of(rows: int, seed: int, batch: int = 16) -> Profile:
        order = [np.arange(16 * at, 16 * at + batch) % rows for at in range(12)]
        return Tiny(stepper=sgd, order=lambda at: order[at], weights=lambda: glorot(seed)).profile()

    assert told(run_of(96, 0), run_of(16, 5))[:1] == ["data.input.batches"]
    assert "data.input.batches" not in told(run_of(96, 0), run_of(96, 5))
    assert "data.input.batches" not in told(run_of(16, 0), run_of(16, 5))


def test_a_batch_of_all_the_data_is_another_size_and_no_batch_that_was_stuck() -> None:
    """One side's epoch is one step."""

    def run_of(batch: int, seed: int) -> Profile:
        events = [event(96 // batch, "epoch", epoch=1, steps=96 // batch, samples=96, order="a", content="a")]
        order = [np.arange(batch * at, batch * at + batch) % 96 for at in range(12)]
        tiny = Tiny(stepper=sgd, order=lambda at: order[at], batch=batch, weights=lambda: glorot(seed))
        return tiny.profile(events=events)

    assert told(run_of(96, 0), run_of(16, 5))[:1] == ["data.batch_size"]


def test_an_epoch_of_uneven_batches_lasts_as_many_steps_as_its_samples_need() -> None:
    """Chunks of 24 rows that are cut after 16: 16, 8, 16, 8, ... and the next rows are still the first epoch's."""
    sizes = [16, 8] * 8
    starts = np.cumsum([0, *sizes])

    def uneven(seed: int) -> Profile:
        order = [np.arange(starts[at], starts[at + 1]) % 96 for at in range(16)]
        events = [event(8, "epoch", epoch=1, steps=8, samples=96, order="a", content="a")]
        curves = {"samples": Curve(np.arange(1, 17), np.array(sizes, np.float64))}
        tiny = Tiny(stepper=sgd, order=lambda at: order[at], steps=16, weights=lambda: glorot(seed))
        return tiny.profile(events=events, curves=curves)

    def even(seed: int) -> Profile:
        events = [event(6, "epoch", epoch=1, steps=6, samples=96, order="a", content="a")]
        return Tiny(stepper=sgd, steps=12, weights=lambda: glorot(seed)).profile(events=events)

    assert "data.input.repeats" not in told(uneven(0), even(5))


def test_places_of_one_order_that_were_not_recorded_are_not_awaited() -> None:
    """A shuffle that repeats, of which the later steps show what the first ones did not."""
    x = inputs(320)

    def steps(mixed: bool, seed: int) -> Profile:
        rng = np.random.default_rng(4)
        orders = [rng.permutation(320) if mixed or not at else None for at in range(3)]
        orders = [order if order is not None else orders[0] for order in orders]
        at = [*range(12), 39, 59]
        tiny = Tiny(stepper=sgd, x=x, y=targets(x), steps=60, weights=lambda: glorot(seed),
                    order=lambda at: orders[at // 20][16 * (at % 20) :][:16])  # fmt: skip
        run = tiny.profile(events=[event(20, "epoch", epoch=1, steps=20, samples=320, order="a", content="a")])
        return replace(run, evidence=replace(run.evidence, steps=tuple(run.evidence.steps[one] for one in at)))

    assert "data.input.repeats" not in told(steps(mixed=True, seed=0), steps(mixed=False, seed=5))


def words(shift: int, *, changed: float = 0.0, seed: int = 0) -> Profile:
    """A run on sequences of words whose targets come ``shift`` places later; of the inputs some are masked."""
    rng = np.random.default_rng(seed)
    text = rng.integers(1, 30, (40, 9))
    given = np.where(rng.random((40, 8)) < changed, 0, text[:, :8])
    wanted = text[:, shift : shift + 8].reshape(-1)
    arrays = [array("batch", "input0", given.astype(np.float32)), array("target", "target0", wanted.astype(np.float32))]
    return profile("a", "torch", assembled([Recording(1, arrays)]), Beside(last_step=12))


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        (words(0), words(1, seed=1), True),
        (words(1), words(1, seed=1), False),
        (words(0), words(0, seed=1), False),
        (words(0, changed=0.15), words(1, seed=1), False),
    ],
    ids=["not shifted", "both shifted", "both repeat", "masked words"],
)
def test_words_that_are_to_be_told_from_themselves_are_found(a: Profile, b: Profile, found: bool) -> None:
    """The targets of a language model are the next words; filling in masked ones is another task."""
    assert ("data.target.given" in told(a, b)) is found


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (((2.2, 0.02), (0.68, 0.1)), False),
        (((1.0, 0.02), (0.68, 0.1)), False),
        (((2.2, 0.02), (0.1, 0.05)), True),
        (((1.0, 0.02), (0.5, 0.05)), True),
    ],
)
def test_one_order_that_repeats_is_no_more_than_all_rows_that_come_again(
    parts: tuple[tuple[float, float], ...], told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras shuffles every epoch alike where the seed is set: its later steps hold rows of the first ones alone."""
    known = Tiny().profile()
    sides = [replace(known, run=name) for name in "ab"]
    again = {side.run: content.Again(*part) for side, part in zip(sides, parts, strict=True)}
    monkeypatch.setattr(content, "_again", lambda side, _: again[side.run])
    monkeypatch.setattr(content, "_samples", lambda _: 96)
    found = [one.parameter for one in content.causes(*sides)]
    assert ("data.input.repeats" in found) is told

"""Which measured causes make two runs a mismatch, and which are told and claim nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.compare.causes import Diagnosis, diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.trajectories import Curve
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Tiny, adam, drawn, event, inputs, sgd

LAST = 12
#: Callbacks as Keras's manifest names them.
STOP = {"class": "EarlyStopping", "monitor": "val_loss", "patience": 2}
WAIT = {"class": "ReduceLROnPlateau", "monitor": "val_loss", "patience": 2, "factor": 0.1}


def curve(values: Any) -> Curve:
    """A scalar from step 1 on."""
    return Curve(np.arange(1, len(values) + 1), np.asarray(values, np.float64))


def run(
    framework: str = "torch", *, curves: Any = None, manifest: Any = None, events: Any = (), **tiny: Any
) -> Profile:
    """A short run by plain SGD."""
    made = Tiny(stepper=sgd, framework=framework, **tiny)
    return made.profile(curves=curves or {}, manifest=manifest, events=events)


def told(found: Diagnosis) -> tuple[str, bool]:
    """The first cause, and whether it makes a mismatch."""
    return found.causes[0].id, found.matters


def epochs(samples: int) -> list[Any]:
    """Two epochs of so many samples."""
    return [event(6 * at, "epoch", epoch=at, steps=6, samples=samples) for at in (1, 2)]


def test_a_few_samples_left_out_of_each_epoch_are_a_mismatch() -> None:
    """Less than a percent, counted: somebody set it, no seed shows it."""
    assert told(diagnose(run(events=epochs(1000)), run(events=epochs(992)))) == ("DATA-02", True)


@pytest.mark.parametrize(("samples", "claims"), [(504, True), (505, True), (560, False)])
def test_a_part_held_back_is_measured_where_the_samples_of_an_epoch_say_so(samples: int, claims: bool) -> None:
    """A fifth of 630; a count that fits no such split leaves the declaration, which claims nothing."""

    def fitted(split: float, count: int) -> Profile:
        return run("keras", events=epochs(count), manifest={"data": {"validation_split": split}})

    found = diagnose(fitted(0.0, 630), fitted(0.2, samples))
    assert found.causes[0].id == "DATA-03"
    assert (found.causes[0].how == "measured") is claims


def kernels(bound: Any) -> Any:
    """Wide layers whose kernels are uniform within ``bound(fan_in, fan_out)``, biases zero."""
    rng = np.random.default_rng(3)
    shapes = ((6, 64), (64, 1))
    drawn = [rng.uniform(-bound(*shape), bound(*shape), shape).astype(np.float32) for shape in shapes]
    return [drawn[0], np.zeros(64, np.float32), drawn[1], np.zeros(1, np.float32)]


def biased() -> Any:
    """Glorot's kernels with PyTorch's small biases."""
    rng = np.random.default_rng(4)
    first, _, second, _ = kernels(lambda i, o: np.sqrt(6 / (i + o)))
    return [first, rng.uniform(-0.4, 0.4, 64).astype(np.float32), second, rng.uniform(-0.1, 0.1, 1).astype(np.float32)]


def test_each_frameworks_own_kernels_are_a_mismatch_and_its_small_biases_alone_are_none() -> None:
    """Another law of the weights is another beginning; noise around zero and zero are washed out alike."""
    keras = run("keras", weights=lambda: kernels(lambda i, o: np.sqrt(6 / (i + o))))
    drawn_otherwise = diagnose(run(weights=lambda: kernels(lambda i, _: 1 / np.sqrt(i))), keras)
    assert told(drawn_otherwise) == ("INIT-01", True)
    earliest = drawn_otherwise.earliest
    assert earliest is not None
    assert earliest.id == "INIT-01"  # a mismatch has a place, whoever chose it
    assert told(diagnose(run(weights=biased), keras)) == ("INIT-02", False)
    assert told(diagnose(run("keras", weights=biased), keras)) == ("INIT-02", False)
    shifted = run("keras", weights=lambda: [w if w.ndim > 1 else w + 1 for w in biased()])
    assert told(diagnose(shifted, keras)) == ("INIT-00", True)


def fitted(steps: int, *callbacks: Any, framework: str = "keras") -> Profile:
    """A run of Keras's ``fit`` that was given six epochs of two steps."""
    manifest = {"data": {"epochs": 6, "callbacks": list(callbacks)}}
    done = {"epoch": curve(range(1, steps // 2 + 1))}
    return run(framework, steps=steps, manifest=manifest, curves=done)


def test_when_a_run_stops_early_is_chance_unless_nothing_could_stop_the_other() -> None:
    """Two runs with the callback stop where their noise lets them."""
    assert told(diagnose(fitted(LAST, STOP), fitted(6, STOP))) == ("SCH-03", False)
    assert told(diagnose(fitted(LAST), fitted(6, STOP))) == ("SCH-03", True)


def staircase(*falls: int) -> dict[str, Curve]:
    """A rate that falls to a tenth after each of these steps."""
    rates = np.full(LAST, 1e-2)
    for at in falls:
        rates[at:] *= 0.1
    return {"lr": curve(rates)}


def test_two_that_wait_for_a_plateau_lower_their_rates_at_steps_of_their_own() -> None:
    """Equal settings are one configuration; others are told, and the steps alone claim nothing."""

    def waiting(at: int, **more: Any) -> Profile:
        return run("keras", curves=staircase(at), manifest={"data": {"epochs": 6, "callbacks": [WAIT | more]}})

    assert not diagnose(waiting(4), waiting(7)).causes
    assert told(diagnose(waiting(4), waiting(7, patience=9))) == ("SCH-02", False)
    alone = diagnose(waiting(4), run("keras", curves=staircase()))
    assert told(alone) == ("SCH-02", True)


@pytest.mark.parametrize(("a", "b", "claims"), [((3, 8), (5, 7), False), ((4, 8), (3, 6), True), ((4,), (7,), True)])
def test_rates_that_fall_after_uneven_stretches_by_one_factor_may_have_waited(a: Any, b: Any, claims: bool) -> None:
    """PyTorch declares no scheduler: even stretches, or a single fall, are a schedule's."""
    assert diagnose(run(curves=staircase(*a)), run(curves=staircase(*b))).matters is claims


@pytest.mark.parametrize(("std", "claims"), [(1.0, False), (1.6, True)])
def test_the_tails_of_a_draw_claim_nothing(std: float, claims: bool) -> None:
    """A normal against one cut at two standard deviations and spread alike: told, as INIT-13; a wider one claims."""
    rng = np.random.default_rng(3)
    whole = rng.normal(size=(200, 100)).astype(np.float32)
    cut = rng.normal(size=60_000).astype(np.float32)
    cut = cut[np.abs(cut) < 2][:20_000].reshape(200, 100)
    ours = drawn("torch", {"layer": ("Linear", {"weight": 0.1 * whole.T})})
    theirs = drawn("keras", {"layer": ("Dense", {"kernel": 0.1 * std * cut / cut.std()})})
    found = diagnose(ours, theirs)
    assert found.matters is claims
    assert (found.causes[0].id == "INIT-13") is not claims


@pytest.mark.parametrize(("shift", "claims"), [(0.0, False), (2.0, True)])
def test_a_sample_that_comes_again_is_no_second_draw(shift: float, claims: bool) -> None:
    """Every step takes the same 48 rows, drawn by each program itself: their means differ by chance, or by 2."""
    for seed in range(20):
        sides = [
            run(x=inputs(48, seed=2 * seed + at) + shift * at, y=np.ones((48, 1), np.float32), batch=48)
            for at in (0, 1)
        ]
        found = [cause for cause in diagnose(*sides).causes if cause.id == "DATA-00"]
        assert bool(found) is claims


@pytest.mark.parametrize(("scale", "claims"), [(1.0, False), (100.0, True)])
def test_batches_of_sorted_data_are_no_sample_of_its_scale(scale: float, claims: bool) -> None:
    """The first batches of sorted rows are smaller than the mixed ones are; in other units they are that far off."""
    x, y = inputs(768), np.linspace(1, 5, 768, dtype=np.float32)[:, None]
    sides = run(x=x, y=y * np.float32(scale), order=lambda at: np.arange(16 * at, 16 * at + 16)), run(x=x, y=y)
    found = {cause.parameter for cause in diagnose(*sides).causes}
    assert "data.shuffle" in found
    assert ("data.target.scale" in found) is claims


def test_a_tail_that_one_side_alone_has_is_no_order() -> None:
    """Rows of another kind in a last batch that the other side leaves out: as many as it leaves out are missing."""
    x = np.concatenate([inputs(96), inputs(10) + 4]).astype(np.float32)

    def part(*, whole: bool) -> Profile:
        rows = [np.arange(16 * at, min(16 * at + 16, len(x))) for at in range(7 if whole else 6)] * 2
        samples = len(x) if whole else 96
        told_ = [event(7, "epoch", epoch=1, steps=7, samples=samples, order="a", content="a")]
        return Tiny(stepper=sgd, x=x, y=x[:, :1], steps=12, order=lambda at: rows[at]).profile(events=told_)

    found = [cause.parameter for cause in diagnose(part(whole=True), part(whole=False)).causes]
    assert found[:1] == ["data.samples_per_epoch"]
    assert "data.shuffle" not in found


@pytest.mark.parametrize(("left", "right", "claims"), [("keras", "keras", True), ("keras", "torch", False)])
def test_runs_of_other_numbers_of_epochs_are_told(left: str, right: str, claims: bool) -> None:
    """Where somebody asked for as many they are a setting; a loop may have been left when it had enough."""

    def long(framework: str, epochs: int) -> Profile:
        manifest = {"data": {"epochs": epochs, "callbacks": []}} if framework == "keras" else {}
        return run(framework, steps=2 * epochs, manifest=manifest, curves={"epoch": curve(range(1, epochs + 1))})

    found = diagnose(long(left, 12), long(right, 4))
    assert [(one.id, one.parameter, one.values) for one in found.causes] == [("SCH-03", "update.epochs", (12.0, 4.0))]
    assert found.matters is claims
    assert not diagnose(long(left, 6), long(right, 6)).causes


@pytest.mark.parametrize(("calls", "each", "told_"), [(6, 1, False), (2, 3, False), (3, 1, True)])
def test_epochs_are_those_of_all_calls_together(calls: int, each: int, told_: bool) -> None:
    """``fit`` that is called in a loop numbers its epochs from one each time."""
    numbers = [at + 1 for _ in range(calls) for at in range(each)]
    manifest = {"data": {"epochs": each, "callbacks": []}}
    looped = run("keras", steps=2 * calls * each, manifest=manifest, curves={"epoch": curve(numbers)})
    whole = run("keras", steps=12, manifest={"data": {"epochs": 6}}, curves={"epoch": curve(range(1, 7))})
    found = [(one.parameter, one.values) for one in diagnose(looped, whole).causes]
    assert found == ([("update.epochs", (3, 6))] if told_ else [])


def classified(count: int = 12, batch: int = 16) -> Profile:
    """A run of scikit-learn's that was given so many epochs and took them, of three steps each."""
    manifest = {"data": {"epochs": count}}
    done = {"epoch": curve(range(1, count + 1))}
    return run("sklearn", steps=3 * count, batch=batch, manifest=manifest, curves=done)


def test_as_many_steps_as_scikit_learn_took_epochs_are_its_max_iter() -> None:
    """Of batches as large; another number of steps, or other batches, are none, nor are a few epochs."""
    found = diagnose(classified(), run(steps=12)).causes
    assert [(one.id, one.values) for one in found] == [("DATA-07", ("12 epochs", "12 steps"))]
    assert diagnose(run(steps=12), classified()).causes[0].values == ("12 steps", "12 epochs")
    for a, b in ((classified(), run(steps=13)), (classified(), run(steps=12, batch=8)), (classified(5), run(steps=5))):
        assert "DATA-07" not in {cause.id for cause in diagnose(a, b).causes}


@pytest.mark.parametrize(
    ("framework", "count", "other", "entry"),
    [
        ("sklearn", 200, 20, "DATA-07"),
        ("keras", 1, 4, "DATA-07"),
        ("sklearn", 100, 20, "SCH-03"),
        ("keras", 2, 4, "SCH-03"),
    ],
)
def test_epochs_that_nobody_named_are_the_frameworks_own(framework: str, count: int, other: int, entry: str) -> None:
    """200 of scikit-learn's, one of Keras's: DATA-07; other numbers were somebody's choice."""

    def fitted(epochs: int) -> Profile:
        done = {"epoch": curve(range(1, epochs + 1))}
        return run(framework, steps=12, manifest={"data": {"epochs": epochs, "callbacks": []}}, curves=done)

    assert diagnose(fitted(count), fitted(other)).causes[0].id == entry
    assert diagnose(fitted(other), fitted(count)).causes[0].id == entry


def counted(steps: int, samples: int = 100) -> Profile:
    """A run that tells its epochs of seven steps: six batches of 16, and one of four."""
    told_ = [event(7 * at, "epoch", epoch=at, steps=7, samples=samples, order=str(at), content="a") for at in (1, 2, 3)]
    rows = [np.arange(16 * at, min(16 * at + 16, samples)) for at in range(7)] * 4
    x = inputs(samples)
    return Tiny(stepper=sgd, x=x, y=x[:, :1], steps=steps, order=lambda at: rows[at]).profile(events=told_)


def unknown(steps: int) -> Profile:
    """A run of which nothing but the weights and the number of its steps is known."""
    kept = [
        Recording(one.step, [array for array in one.arrays if array.role in {"weight", "updated"}], one.scalars)
        for one in Tiny(stepper=sgd).recordings()
    ]
    return profile("a", "torch", assembled(kept), Beside(last_step=steps))


@pytest.mark.parametrize(("steps", "told_"), [(18, True), (21, False), (17, False), (19, False)])
def test_a_last_batch_left_out_shows_in_the_number_of_steps(steps: int, told_: bool) -> None:
    """Three epochs of seven steps beside three of six, of a program of which only its steps are known; no claim."""
    whole, bare = counted(21), unknown(steps)
    for a, b, values in ((whole, bare, ([4], [])), (bare, whole, ([], [4]))):
        found = [cause for cause in diagnose(a, b).causes if cause.id == "DATA-02"]
        assert [cause.values for cause in found] == ([values] if told_ else [])
        assert all(cause.chance for cause in found)


def test_epochs_of_one_side_are_a_measure_for_whole_ones_of_the_other() -> None:
    """Three of seven steps beside two; what is no whole number of them says nothing."""
    for steps, told_ in ((14, [("SCH-03", (3, 2))]), (13, [])):
        other = run(steps=steps, batch=16, order=lambda at: np.arange(16) + at)
        found = [(cause.id, cause.values) for cause in diagnose(counted(21), other).causes]
        assert [one for one in found if one[0] == "SCH-03"] == told_


@pytest.mark.parametrize(("sorted_", "claims"), [(False, False), (True, True)])
def test_another_order_of_batches_that_are_alike_claims_nothing(sorted_: bool, claims: bool) -> None:
    """One order again and again against another in every epoch: told, in its stage; of sorted rows it claims."""
    x = inputs(192)
    rows = np.argsort(x[:, 0]) if sorted_ else np.arange(192)

    def fed(*orders: str, mixed: bool) -> Profile:
        told_ = [
            event(12 * at, "epoch", epoch=at, steps=12, samples=192, order=one) for at, one in enumerate(orders, 1)
        ]
        draw = np.random.default_rng(5).permutation(192) if mixed else rows
        made = Tiny(stepper=sgd, x=x, y=x[:, :1], steps=12, order=lambda at: draw[16 * at : 16 * at + 16])
        return made.profile(events=told_)

    found = diagnose(fed("a", "b", mixed=True), fed("a", "a", mixed=False))
    assert told(found) == ("DATA-01", claims)
    assert found.earliest is not None
    assert found.earliest.parameter == ("data.shuffle" if sorted_ else "data.order")


@pytest.mark.parametrize(("rate", "beside"), [(1e-2, False), (2e-2, True)])
def test_an_epsilon_is_harmless_beside_what_makes_a_mismatch(rate: float, beside: bool) -> None:
    """Alone it is what there is to tell; beside another rate it explains nothing."""
    one = Tiny(stepper=lambda: adam(eps=1e-8)).profile()
    other = Tiny(stepper=lambda: adam(rate, eps=1e-5), rate=rate).profile()
    found = diagnose(one, other)
    assert [cause.id for cause in found.causes] == (["OPT-01"] if beside else ["OPT-02"])
    assert [cause.id for cause in found.harmless] == (["OPT-02"] if beside else [])
    assert found.matters is beside

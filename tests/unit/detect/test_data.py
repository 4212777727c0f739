from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

RNG = np.random.default_rng(3)


def fed(batches: list[Any], role: str = "batch") -> list[Finding]:
    """What is said of recorded steps with these inputs."""
    sender = Sender(RunAuditor(RUN))
    name = "input0" if role == "batch" else "target0"
    return [
        f for i, one in enumerate(batches, 1) for f in sender.record(Recording(i, [array(role, name, one)], {}, {}))
    ]


def test_a_nan_in_the_data_is_named() -> None:
    """The first input that is not finite, with its counts; once."""
    good, bad = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 3))
    bad[2, 1], bad[3, 0] = np.nan, np.inf
    [found] = fed([good, bad, bad])
    assert (found.rule, found.step, found.subject.name) == ("nonfinite_input", 2, "input0")
    assert (found.evidence["nan"], found.evidence["inf"]) == (1, 1)
    assert [f.evidence["role"] for f in fed([bad], "target")] == ["target"]


def test_masks_and_whole_numbers_are_no_fault() -> None:
    """An attention mask of 0 and minus infinity is left alone; so is what has no NaN."""
    mask = np.triu(np.full((6, 6), -np.inf), 1)
    assert fed([mask, np.arange(12).reshape(3, 4), np.zeros((0, 3))]) == []


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_with_equal_seeds_are_found(workers: int) -> None:
    """Each batch comes once per worker before the next one."""
    batches = [RNG.normal(size=(4, 3)) for _ in range(20 // workers)]
    [found] = fed([one for one in batches for _ in range(workers)])
    assert found.rule == "repeated_batches"


@pytest.mark.parametrize(("workers", "said"), [((), 0), ((0,), 0), ((0, 3), 1), (None, 1)])
def test_a_loop_without_workers_uses_a_batch_twice_on_purpose(workers: tuple[int, ...] | None, said: int) -> None:
    """Of PyTorch's loaders none has several workers: inner steps on one batch; not told, or one has: suspicious."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="torch")
    if workers is not None:
        sender.manifest({"canonical": {"loaders": [{"workers": count} for count in workers]}})
    for step in range(1, 15, 2):
        values = RNG.normal(size=(8, 3))
        for i in (step, step + 1):
            found += sender.record(Recording(i, [array("batch", "input0", values)], {}, {}))
    assert sum(one.rule == "repeated_batches" for one in found) == said


@pytest.mark.parametrize(("samples", "said"), [(1, 0), (4, 1)])
def test_the_states_of_a_game_stay_for_a_step_or_two(samples: int, said: int) -> None:
    """A single position that is held for two steps is none of a loader's; several at once are not held by chance."""
    boards = [np.repeat(np.eye(7)[[at % 7]], samples, axis=0) + np.eye(7)[at // 7] for at in range(10)]
    assert len(fed([one for one in boards for _ in range(2)])) == said


def test_a_batch_that_is_frequent_meets_itself_by_chance() -> None:
    """Half of the draws are one and the same; in a random order it follows itself in half of these."""
    often = np.where(RNG.random(300) < 0.5, 1, RNG.integers(2, 30, 300)).tolist()
    assert digested(often, 1) == []


def test_one_batch_on_purpose_and_short_cycles_are_left_alone() -> None:
    """Full-batch training; two or three batches in turn, epoch after epoch."""
    batches = [RNG.normal(size=(4, 3)) for _ in range(3)]
    assert fed(batches[:1] * 20) == []
    assert fed(batches[:2] * 10) == []
    assert fed(batches * 7) == []
    assert fed([np.zeros((4, 3))] * 10 + batches * 3) == []


def test_the_few_orders_of_a_tiny_data_set_come_twice_by_chance() -> None:
    """Four samples in one batch have 24 orders: one comes again at once as often as chance has it."""
    orders = RNG.integers(1, 25, 300).tolist()
    assert sum(a == b for a, b in itertools.pairwise(orders)) >= 4
    assert digested(orders, 1) == []
    assert len(digested([one for one in range(1, 26) for _ in range(2)], 100)) == 1


def epochs(orders: list[str], steps: int = 5, framework: str = "torch", targets: Any = None) -> list[Finding]:
    """What is said of epochs with these digests, and of these targets in batches of ten."""
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    sender.start(framework=framework)
    for i in range(0, 0 if targets is None else len(targets), 10):
        sender.record(Recording(i // 10 + 1, [array("target", "target0", targets[i : i + 10])], {}, {}))
    for i, order in enumerate(orders):
        event = {"type": "epoch", "step": 10 * i + 9, "epoch": i + 1, "steps": steps, "order": order}
        found += sender.steps(batch(i, tensors, first=10 * i, loss=1.0, events=[event]), tensors)
    return [one for one in found if one.rule == "data_order_fixed"]


def test_three_epochs_in_one_order() -> None:
    """Said at the third; not where orders change or an epoch is a single step."""
    assert [one.step for one in epochs(["a", "a", "a", "a"])] == [29]
    assert epochs(["a", "b", "a", "b", "b", "c"]) == []
    assert epochs(["a"] * 5, steps=1) == []


def digested(digests: list[int], steps: int, framework: str = "keras") -> list[Finding]:
    """What is said of steps with these digests, in epochs of so many steps."""
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    sender.start(framework=framework)
    for i in range(0, len(digests), 5):
        part = digests[i : i + 5]
        ends = [n for n in range(i + 1, i + 6) if n % steps == 0]
        events = [{"type": "epoch", "step": n, "epoch": n // steps, "steps": steps, "order": str(n)} for n in ends]
        made = batch(i // 5, tensors, first=i + 1, steps=5, loss=1.0, events=events)
        made.scalars["batch_digest"] = (np.arange(5), np.array(part, float))
        found += sender.steps(made, tensors)
    return [one for one in found if one.rule == "repeated_batches"]


def test_a_generator_that_does_not_move_on_is_found() -> None:
    """One batch for a whole epoch of many steps; epochs of one step are full-batch training."""
    assert [one.step for one in digested([7] * 40, 20)] == [20]
    assert digested([7] * 40, 1) == []
    assert digested([7] * 40, 20, "tensorflow") == []  # a pass that began there may be over an evaluation's data
    assert digested(list(range(20)) * 2, 20) == []


def test_digests_of_all_steps_show_repeats_late_in_a_run() -> None:
    """Every batch twice, from the thirtieth step on."""
    late = [*range(30), *(n for n in range(100, 110) for _ in range(2))]
    assert [one.evidence["distinct"] for one in digested(late, 50)] == [34]


def test_passes_are_told_by_the_batches_where_no_loader_is() -> None:
    """Slices by hand: a pass begins where the first batch comes again; shuffled ones never do."""
    passes = [*range(1, 8)] * 4
    assert [one.step for one in ordered(passes)] == [22]
    assert ordered([*range(1, 29)]) == []
    assert ordered([5] * 28) == []


def test_data_class_by_class_is_a_warning() -> None:
    """Nearly each batch of one class, of several, in every pass; a fixed order of mixed batches is worth a look."""
    labels = np.arange(120) % 10
    [sorted_] = epochs(["a"] * 3, targets=np.sort(labels))
    [mixed] = epochs(["a"] * 3, targets=labels)
    assert (sorted_.severity, mixed.severity) == ("warning", "info")
    one_hot = np.eye(10)[np.sort(labels)]
    assert [one.severity for one in epochs(["a"] * 3, targets=one_hot)] == ["warning"]


def ordered(digests: list[int]) -> list[Finding]:
    """What is said of the order of steps with these digests, where no epochs are told."""
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    for i, digest in enumerate(digests):
        made = batch(i, tensors, first=i + 1, steps=1, loss=1.0)
        made.scalars["batch_digest"] = (np.array([0]), np.array([float(digest)]))
        found += sender.steps(made, tensors)
    return [one for one in found if one.rule == "data_order_fixed"]


def test_keras_repeats_a_shuffled_order_by_itself() -> None:
    """Its seeded fit(shuffle=True) does: only targets that come sorted show that nobody shuffled."""
    labels = np.arange(120) % 10
    assert epochs(["a"] * 4, framework="keras", targets=RNG.permutation(labels)) == []
    assert len(epochs(["a"] * 4, framework="keras", targets=np.sort(labels))) == 1


def one_pass(labels: Any, size: int = 10) -> list[Finding]:
    """What is said of recorded batches of these labels, in a pass that is not over."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="sklearn")
    for step in range(len(labels) // size):
        part = np.asarray(labels)[size * step : size * step + size]
        found += sender.record(Recording(step + 1, [array("target", "target0", part)], {}, {}))
    return [one for one in found if one.rule == "data_order_fixed"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.repeat([0, 1], [150, 50]), True),  # sorted, as in partial_fit
        (np.repeat(np.arange(20) % 3, 10), True),  # one class after the other
        (np.repeat(np.arange(20) % 2, 10), False),  # real and generated ones by turns
        (np.repeat([0, 3, 1, 4, 1, 2, 0, 2, 4, 3, 0, 1, 3, 2, 4, 0, 2, 1, 4, 3], 10), False),  # a person's each
        (np.repeat([0], 200), False),  # nothing to sort
        (np.arange(200) % 3, False),
        (np.r_[np.repeat([0, 1], 95), [0, 1] * 5], False),  # one of them is mixed
    ],
)
def test_batches_of_one_class_each(labels: Any, said: bool) -> None:
    """Told in the first pass: sixteen random batches never are."""
    found = one_pass(labels)
    assert [one.severity for one in found] == ["warning"] * said
    assert all("one class alone" in one.evidence["what"] for one in found)


@pytest.mark.parametrize(
    ("classes", "mixed", "said"),
    [([0, 1, 2, 3, 4], 8, True), ([0, 1, 2, 3, 4], 60, False), ([0, 1, 0, 2, 3], 8, False)],
    ids=["hardly mixed", "well mixed", "one that comes back"],
)
def test_classes_one_after_another_behind_a_small_buffer(classes: list[int], mixed: int, said: bool) -> None:
    """Sorted data that is shuffled among neighbours: batches are mostly of one class, and no class comes back."""
    labels = np.repeat(classes, 200 // len(classes))
    labels = labels[np.argsort(np.arange(200) + mixed * np.random.default_rng(1).random(200), kind="stable")]
    found = one_pass(labels)
    assert [one.severity for one in found] == ["warning"] * said
    assert all("one after another" in one.evidence["what"] for one in found)


def test_small_batches_are_of_one_class_by_chance() -> None:
    """Pairs of samples."""
    assert one_pass(np.repeat(np.arange(40) % 3, 2), size=2) == []


@pytest.mark.parametrize(("digests", "expected"), [([7] * 12, 1), ([7, 8] * 6, 0)])
def test_a_loader_begun_anew_is_judged_when_its_batches_are_told(digests: list[int], expected: int) -> None:
    """A traced loop tells the event with its second step, and the batches later."""
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    for seq, first in enumerate(range(1, 13, 2)):
        told = [{"type": "loader_restarted", "step": 2, "steps": 8, "batches": 40}] if seq == 0 else []
        made = batch(seq, tensors, first=first, steps=2, loss=1.0, events=told)
        made.scalars["batch_digest"] = (np.array([0, 1]), np.array(digests[first - 1 : first + 1], float))
        found += sender.steps(made, tensors)
    assert [one.evidence["batches"] for one in found if one.rule == "repeated_batches"] == [40] * expected


@pytest.mark.parametrize(
    ("told", "scored", "expected"),
    [
        ({"samples": 32, "of": 800}, None, 1),
        ({"samples": 32}, {"samples": 300, "losses": 1}, 1),
        ({"samples": 32}, {"samples": 20, "losses": 1}, 0),
        ({"samples": 32}, {"samples": 300, "losses": 0}, 0),
        ({"samples": 32}, None, 0),
    ],
    ids=["a part of more", "evaluated on more", "on less", "only predicted", "nothing known"],
)
def test_the_same_samples_made_anew_for_each_step_while_there_are_more(
    told: dict[str, int], scored: dict[str, int] | None, expected: int
) -> None:
    """The evaluation may come frames later, and after the last step."""
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    events: list[dict[str, Any]] = [{"type": "batch_repeated", "step": 50, "steps": 50, **told}]
    found += sender.steps(batch(0, tensors, first=50, steps=2, loss=1.0, events=events), tensors)
    later = [] if scored is None else [{"type": "evaluation", "step": 90, "batches": 1, **scored}]
    found += sender.steps(batch(1, tensors, first=52, steps=2, loss=1.0, events=later), tensors)
    said = [one for one in found if one.rule == "repeated_batches"]
    assert [one.evidence["samples"] for one in said] == [32] * expected

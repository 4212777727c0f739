"""Training and evaluation: MODE-*, running statistics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from auditor.compare.identify.fact import Fact, How
from auditor.compare.profile import Profile
from auditor.compare.recognise import running, sizes
from auditor.compare.recognise.cause import Cause, between
from auditor.ingest.records import StepRecording

_CONSEQUENCE = "normalisation and dropout act as in {} while the weights are trained"
_KEPT = "normalisation keeps to its stored statistics on both sides: by its mode, and frozen as Keras means it"
#: Of a training, what a last stage counts for at least.
_LEAST: Final = 0.1
#: Modules in another mode that are named, at most (docs/signals.md).
_NAMED: Final = 8
_IDLE = "no layer of the model acts differently in training and evaluation"


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Modes at the first training step and the first evaluation; how running statistics are kept."""
    train, evaluation = between(a, b, "mode.train"), between(a, b, "mode.eval")
    if train is not None and train[0].value["training"] != train[1].value["training"]:
        words = [fact.value["training"] for fact in train]
        frozen = any("batchnorm" in str(kind).lower() for fact in train for kind in fact.value["kinds"])
        entry = "MODE-02" if "mixed" in words and frozen else "MODE-01"
        effect, weight = _CONSEQUENCE.format("evaluation on one side"), 1.0
        if not _acts(train, "true") and not _dropped(a, b):
            effect, weight = _IDLE, 0.0
        elif _kept_on_both(a, b, train):
            effect, weight = _KEPT, 0.0
        yield Cause(
            entry, "mode.train", (words[0], words[1]), weight=weight, effect=effect, confidence=0.97, step=train[0].step
        )
    if evaluation is not None and evaluation[0].value["training"] != evaluation[1].value["training"]:
        words = [fact.value["training"] for fact in evaluation]
        effect = "evaluation runs in training mode on one side: noisy, and its batches enter the running statistics"
        weight = 0.4
        if not _acts(evaluation, "false"):
            effect, weight = _IDLE, 0.0
        yield Cause(
            "MODE-03",
            "mode.eval",
            (words[0], words[1]),
            weight=weight,
            effect=effect,
            confidence=0.97,
            step=evaluation[0].step,
        )
    yield from _unlike_itself(a, b) if evaluation is None else ()
    yield from _called(a, b)
    yield from _later(a, b)
    still = [*_frozen(a, b)]
    yield from still or _kept(a, b)
    yield from running.causes(a, b)


def _unlike_itself(a: Profile, b: Profile) -> Iterator[Cause]:
    """An evaluation in training mode of layers for which that makes a difference, of the other side nothing known.

    What it calls by hand has no mode that could be seen.
    """
    sides: tuple[tuple[Profile, Literal["a", "b"]], ...] = ((a, "a"), (b, "b"))
    for side, mend in sides:
        told = side.facts.get("mode.eval")
        if told is not None and told.value["training"] == "true" and told.value["kinds"]:
            words = ("true", "unknown") if side is a else ("unknown", "true")
            kinds = ", ".join(sorted({str(kind) for kind in told.value["kinds"]}))
            effect = f"evaluation runs in training mode: {kinds} act as there"
            yield Cause("MODE-03", "mode.eval", words, 0.4, effect, confidence=0.8, step=told.step, mend=mend)


def _called(a: Profile, b: Profile) -> Iterator[Cause]:
    """Dropout that PyTorch calls as a function goes on in evaluation unless it is told the mode.

    Told by a pass of evaluation that drew random numbers. A model that samples (the loss has a divergence)
    draws them by right, and where the other side draws too, nothing differs.
    """
    sides = [_goes_on(side) for side in (a, b)]
    evaluation = between(a, b, "mode.eval")
    if sides[0] == sides[1] or (evaluation and evaluation[0].value["training"] != evaluation[1].value["training"]):
        return
    own, other = (a, b) if sides[0] else (b, a)
    if own.facts.get("loss.terms") is not None or _draws(other) or not _drops(other):
        return
    words = tuple("goes on" if on else "silent" for on in sides)
    effect = "a dropout that is called as a function drops in evaluation too: its answers are noisy and its loss larger"
    begins = own.evaluation.step if own.evaluation else 1
    mend: Literal["a", "b"] = "a" if sides[0] else "b"
    yield Cause("MODE-03", "mode.dropout", (words[0], words[1]), 0.4, effect, step=begins, mend=mend)


def _goes_on(side: Profile) -> bool:
    """Whether a pass of evaluation drew random numbers, of a network that calls dropout as a function."""
    graphs = [one.facts.get("operations") for one in side.evidence.steps]
    nodes = next((graph for graph in graphs if isinstance(graph, list)), [])
    return _draws(side) and any(isinstance(node, Mapping) and node.get("op") == "dropout" for node in nodes)


def _draws(side: Profile) -> bool:
    looked = side.evaluation
    return looked is not None and looked.facts.get("training") == "false" and looked.facts.get("draws") is True


def _later(a: Profile, b: Profile) -> Iterator[Cause]:
    """A model that is trained on in the mode of evaluation: after its first validation nobody called ``train()``."""
    if between(a, b, "mode.train") is None:
        return
    found = [side.facts.get("mode.train.later") for side in (a, b)]
    words = ["true" if fact is None else fact.value["training"] for fact in found]
    late = [fact for fact in found if fact is not None and fact.value["training"] != "true" and fact.value["kinds"]]
    if words[0] == words[1] or not late or _still_on_both(a, b, late[0]):
        return
    begun = late[0].step
    share = max(0.0, 1 - begun / max(1, *(side.last_step or 0 for side in (a, b))))
    effect = f"from step {begun} on {_CONSEQUENCE.format('evaluation on one side')}"
    yield Cause("MODE-01", "mode.train.later", (words[0], words[1]), share, effect, confidence=0.97, step=begun)


def _still_on_both(a: Profile, b: Profile, late: Fact) -> bool:
    """Whether normalisation alone was in another mode, and took no batch's statistics on either side in the end.

    Kept back by the mode of a call here, frozen there.
    """
    if any("batchnorm" not in str(kind).lower() for kind in late.value["kinds"]):
        return False
    last = [next((one for one in reversed(side.evidence.steps) if one.step >= late.step), None) for side in (a, b)]
    told = [None if one is None else one.facts.get("norms") for one in last]
    return told[0] is not None and told[0] == told[1] and not told[0][0] and bool(told[0][1])


def _frozen(a: Profile, b: Profile) -> Iterator[Cause]:
    """Keras's frozen normalisation keeps to its statistics; PyTorch's takes the batch's, whatever is trained.

    Both were seen to run, and to train in training mode; that a layer is frozen is read off the layer.
    """
    sides = [_still(side) for side in (a, b)]
    modes = between(a, b, "mode.train")
    if modes is None or any(fact.value["training"] != "true" for fact in modes) or sides[0] == sides[1]:
        return
    other = b if sides[0] else a
    if other.framework != "torch" or not any(one.kind == "batchnorm" for one in other.structure.operations):
        return
    words = tuple(_STATISTICS[still] for still in sides)
    effect = "frozen normalisation takes its stored statistics on one side, those of the batch on the other"
    how: How = "measured" if a.structure.ran and b.structure.ran else "declared"
    yield Cause("MODE-02", "mode.frozen", (words[0], words[1]), sizes.ANOTHER, effect, how, 0.9)


def _kept(a: Profile, b: Profile) -> Iterator[Cause]:
    """Normalisations that go on taking the batch's statistics on one side alone, as the last recorded step shows.

    Where the two began alike: what was trained first is frozen since. A side that asks its frozen part apart from what
    it trains shows none of it.
    """
    left, right = ([(one.step, told) for one in side.evidence.steps if (told := _norms(one))] for side in (a, b))
    if not left or not right or left[0][1] != right[0][1] or left[-1][0] != right[-1][0]:
        return
    taken = left[-1][1][0], right[-1][1][0]
    if sorted(taken) != [0, left[0][1][0]] or not any(taken):
        return
    begun = min(step for told in (left, right) for step, (batch, _) in told if not batch)
    share = 1 - begun / max(1, *(side.last_step or 0 for side in (a, b)))
    words = tuple(_STATISTICS[not batch] for batch in taken)
    effect = f"from step {begun} on normalisation that is frozen on one side goes on with the batch's statistics"
    yield Cause("MODE-02", "mode.norms", (words[0], words[1]), sizes.ANOTHER * max(share, _LEAST), effect,
                confidence=0.8, step=begun, mend="a" if taken[0] else "b")  # fmt: skip


def _norms(one: StepRecording) -> tuple[int, int] | None:
    """How many normalisations took which statistics in a step; None where it is not told, or in two modes."""
    told = one.facts.get("norms")
    known = isinstance(told, list) and len(told) == len("ab") and one.facts.get("training") == "true"
    return (int(told[0]), int(told[1])) if known and told else None


_STATISTICS = {True: "stored statistics", False: "the batch's statistics"}


def _still(side: Profile) -> bool:
    """Whether its batch normalisation is frozen, as Keras means it."""
    told = [one for one in side.layers if "BatchNorm" in str(one.get("class"))]
    return (
        bool(told) and side.framework in {"keras", "tensorflow"} and all(one.get("trainable") is False for one in told)
    )


def _kept_on_both(a: Profile, b: Profile, modes: tuple[Fact, Fact]) -> bool:
    """Whether all normalisation of one side is in the mode of evaluation, and all of the other's frozen in Keras.

    ``backbone.eval()`` and ``backbone.trainable = False`` are one thing to batch normalisation.
    """
    for side, other, mode in ((a, b, modes[0]), (b, a, modes[1])):
        kinds = [str(kind) for kind in mode.value["kinds"]]
        norms = sum("BatchNorm" in str(one.get("class")) for one in side.layers)
        whole = len(kinds) == min(norms, _NAMED) and all("BatchNorm" in kind for kind in kinds)
        if side.framework == "torch" and mode.value["training"] != "true" and norms and whole and _still(other):
            return True
    return False


def _acts(sides: tuple[Fact, Fact], usual: str) -> bool:
    """Whether a side in another mode than usual has layers for which that makes a difference."""
    return any(fact.value["kinds"] for fact in sides if fact.value["training"] != usual)


def evaluates(side: Profile) -> bool:
    """Whether weights were trained with layers in the mode of evaluation: a dropout is then no part of the graph."""
    seen = side.facts.get("mode.train")
    return seen is not None and seen.value["training"] != "true"


def _dropped(a: Profile, b: Profile) -> bool:
    """Whether the side that trains in training mode drops units and the other none: by a function, not a layer."""
    sides = ((a, b), (b, a))
    return any(evaluates(one) and _drops(other) and not _drops(one) for one, other in sides)


def _drops(side: Profile) -> bool:
    return any(one.kind == "dropout" for one in side.structure.operations)

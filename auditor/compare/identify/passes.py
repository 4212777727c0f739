"""Of how many batches a step is taken: as many as there were backward passes or tapes, unless several are of one batch.

Two losses of one batch are two passes, and so are the losses of two networks in a game; a loader that hands out a
batch for each step, or a model that is called once, tells them from micro-batches. Where nothing does, nobody knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import Evidence
from auditor.compare.identify.fact import Fact
from auditor.compare.trajectories import Curve
from auditor.ingest.records import StepRecording

#: Passes were seen, and nobody knows of how many batches.
UNTOLD: Final = "update.batches_untold"
#: The part of a step's samples that was recorded, where it is not all of them.
RECORDED: Final = "data.recorded_share"
#: Scalars of a step's batch.
_OF_BATCHES: Final = frozenset({"samples", "batch_digest"})


def facts(
    evidence: Evidence, curves: Mapping[str, Curve], manifest: Mapping[str, Any], events: Sequence[Any]
) -> Iterator[Fact]:
    """``update.batches_per_step`` as counted, or ``UNTOLD``; ``RECORDED``."""
    calls = _calls(evidence, curves)
    counted = [*curves["micro_batches"].values] if "micro_batches" in curves else []
    if counted:
        yield _counted(evidence, int(_usual(counted)), calls, _handed(evidence, manifest, events))
    elif calls and calls > 1 and calls == _accumulated(manifest):
        yield Fact("update.batches_per_step", int(calls))
    elif evidence.framework == "tensorflow":
        yield from _taped(evidence, calls)
    if (share := _share(evidence, curves)) < 1:
        yield Fact(RECORDED, share)


def _counted(evidence: Evidence, passes: int, calls: float | None, handed: float | None) -> Fact:
    """Of backward passes: no more batches than the model was called, and one where the loader gave no more.

    Beside another optimizer a pass may be of that one's loss.
    """
    if calls is not None and calls >= 1:
        passes = min(passes, int(calls))
    if handed is not None and handed <= 1:
        passes = 1
    return Fact(UNTOLD, True) if passes > 1 and evidence.others else Fact("update.batches_per_step", passes)


def _taped(evidence: Evidence, calls: float | None) -> Iterator[Fact]:
    """Of tapes: each of a part of the samples that the step was given.

    As many samples as two tapes were given each are one batch or the last of two; parts without tapes may be those of
    several devices.
    """
    many = _tapes(evidence)
    if many > 1 and many == calls and not evidence.others:
        yield Fact("update.batches_per_step", int(many))
    elif many > 1 or (calls or 1.0) > 1:
        yield Fact(UNTOLD, True)


def without_parts(evidence: Evidence) -> Evidence:
    """Without the batches of a network that plays against another and sees several to a step, each on a tape.

    Of these the last one was recorded: what the other network made, where another program's recording has the data.
    """
    if not _of_a_game(evidence):
        return evidence
    bare = ({key: array for key, array in one.arrays.items() if key[0] != "batch"} for one in evidence.steps)
    steps = (replace(one, arrays=arrays) for one, arrays in zip(evidence.steps, bare, strict=True))
    return replace(evidence, steps=tuple(steps))


def of_data(
    evidence: Evidence, curves: Mapping[str, Curve], events: Sequence[Any]
) -> tuple[Mapping[str, Curve], Sequence[Any]]:
    """Curves and events, without those that tell of the batches of such a network: not all of them are data."""
    if not _of_a_game(evidence):
        return curves, events
    return {name: one for name, one in curves.items() if name not in _OF_BATCHES}, ()


def _of_a_game(evidence: Evidence) -> bool:
    return bool(evidence.others) and _tapes(evidence) > 1


def _tapes(evidence: Evidence) -> float:
    """Tapes to a step, most often; one where nobody tells."""
    told = [float(one.facts["tapes"]) for one in evidence.steps if isinstance(one.facts.get("tapes"), int)]
    return _usual(told) if told else 1.0


def _calls(evidence: Evidence, curves: Mapping[str, Curve]) -> float | None:
    """How many batches like the first one recorded the samples of a step make; None where nobody knows."""
    parts = [many / rows for one, many in _samples(evidence, curves) if (rows := _rows(one))]
    return _usual(parts) if parts else None


def _share(evidence: Evidence, curves: Mapping[str, Curve]) -> float:
    """The part of a step's samples that was recorded: PyTorch's first batches, of tapes the last one."""
    parts = [rows / many for one, many in _samples(evidence, curves) if many and (rows := _all_rows(one))]
    return min(1.0, _usual(parts)) if parts else 1.0


def _samples(evidence: Evidence, curves: Mapping[str, Curve]) -> Iterator[tuple[StepRecording, float]]:
    """The recorded steps of which the samples are told, with these."""
    if "samples" in curves:
        told = dict(zip(curves["samples"].steps.tolist(), curves["samples"].values.tolist(), strict=True))
        yield from ((one, float(told[one.step])) for one in evidence.steps if one.step in told)


def _rows(one: StepRecording) -> int:
    """Rows of the batch that was recorded; 0 where none was."""
    return next((array.shape[0] for array in one.of("batch").values() if array.shape), 0)


def _all_rows(one: StepRecording) -> int:
    """Rows of all batches of the first input (``input0@1`` is the second call's)."""
    given = {name: array.shape[0] for name, array in one.of("batch").items() if array.shape}
    first = next(iter(given), "").partition("@")[0]
    return sum(rows for name, rows in given.items() if name.partition("@")[0] == first)


def _usual(values: Sequence[float]) -> float:
    counts, times = np.unique(values, return_counts=True)
    return float(counts[np.argmax(times)])


def _accumulated(manifest: Mapping[str, Any]) -> Any:
    """Batches to a step as Keras's optimizer declares them."""
    told = manifest.get("canonical")
    rules = told.get("update") if isinstance(told, Mapping) else None
    first = rules[0] if isinstance(rules, list) and rules else None
    return first.get("gradient_accumulation_steps") if isinstance(first, Mapping) else None


def _handed(evidence: Evidence, manifest: Mapping[str, Any], events: Sequence[Any]) -> float | None:
    """How many batches the loader handed out to a step, cut up if the model was given less; None where nobody knows.

    By its epochs: but for the first, whose first steps were not heard.
    """
    told = [dict(event.fields) for event in events if event.type == "epoch"]
    whole = [(one["batches"], one["steps"]) for one in told if "order" in one and one.get("batches") and one["steps"]]
    rows = _usual([float(many) for one in evidence.steps if (many := _rows(one))] or [0.0])
    sizes = {float(one["batch_size"]) for one in _loaders(manifest) if whole and _batches(one) == whole[-1][0]}
    if not rows or len(sizes) != 1:
        return None
    return _usual([batches / steps for batches, steps in whole]) * max(1.0, sizes.pop() / rows)


def _loaders(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    told = manifest.get("canonical")
    loaders = told.get("loaders") if isinstance(told, Mapping) else None
    return [one for one in loaders if isinstance(one, Mapping)] if isinstance(loaders, list) else []


def _batches(loader: Mapping[str, Any]) -> int | None:
    """How many batches a loader has, by what is declared of it."""
    size, samples = loader.get("batch_size"), loader.get("samples")
    if not isinstance(size, int) or not isinstance(samples, int) or size < 1:
        return None
    return samples // size if loader.get("drop_last") else math.ceil(samples / size)

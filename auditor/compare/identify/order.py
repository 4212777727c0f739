"""In which order and in which portions the data came, and at which scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64, Evidence, data
from auditor.compare.identify.fact import Fact
from auditor.compare.trajectories import Curve

_FEWEST_BATCHES: Final = 4
_COLUMNS: Final = 64


def facts(evidence: Evidence, curves: Mapping[str, Curve], events: Sequence[Any]) -> list[Fact]:
    """``data.*``: batch size, partial batches, samples an epoch, order, how far batches differ from one another."""
    batches = [batch for one in evidence.steps if (batch := _rows(data(one, "batch"))) is not None]
    targets = [target for one in evidence.steps if (target := _rows(data(one, "target"))) is not None]
    shapes = [array.shape for one in evidence.steps for array in list(one.of("batch").values())[:1] if array.shape]
    found: list[Fact] = []
    if shapes:
        found += _portions([shape[0] for shape in shapes])
        found.append(Fact("data.features", list(shapes[0][1:])))
    if "samples" in curves and len(curves["samples"].values):
        found += _portions(curves["samples"].values.astype(int).tolist())
    found += _scale("data.input", batches) + _scale("data.target", targets)
    found += _epochs(curves, events)
    apart = max((_apart(columns) for columns in (targets, batches)), default=0.0)
    if len(batches) >= _FEWEST_BATCHES or len(targets) >= _FEWEST_BATCHES:
        found.append(Fact("data.sorted", round(apart, 4), confidence=0.9))
    return found


def _rows(batch: F64 | None) -> F64 | None:
    """A batch as (samples, at most 64 columns)."""
    if batch is None or batch.ndim == 0 or not batch.size or not np.isfinite(batch).all():
        return None
    rows = batch.reshape(len(batch), -1)
    return rows[:, :: -(-rows.shape[1] // _COLUMNS)]


def _portions(sizes: Sequence[int]) -> list[Fact]:
    usual = max(set(sizes), key=sizes.count)
    partial = sorted({size for size in sizes if size < usual})
    return [Fact("data.batch_size", int(usual)), Fact("data.partial_batches", [int(size) for size in partial])]


def _scale(name: str, batches: Sequence[F64]) -> list[Fact]:
    if not batches:
        return []
    rows = np.concatenate([batch for batch in batches if batch.shape[1] == batches[0].shape[1]])
    spread, centre = rows.std(axis=0), rows.mean(axis=0)
    typical = float(np.sqrt(np.mean(rows * rows)))
    return [
        Fact(f"{name}.rms", typical),
        Fact(f"{name}.mean", float(centre.mean())),
        Fact(f"{name}.std", float(spread.mean())),
        Fact(f"{name}.range", [float(rows.min()), float(rows.max())]),
        Fact(f"{name}.columns", int(rows.shape[1])),
        Fact(f"{name}.rows", len(rows)),
        Fact(f"{name}.centres", [float(value) for value in centre]),
        Fact(f"{name}.spreads", [float(value) for value in spread]),
    ]


def _apart(batches: Sequence[F64]) -> float:
    """The part of the data's variance that lies between batches, beyond what chance leaves there: 0 … 1.

    Of the column in which it is largest; 0 for shuffled data, near 1 for sorted.
    """
    batches = [batch for batch in batches if batch.shape[1] == batches[0].shape[1]]
    if len(batches) < _FEWEST_BATCHES:
        return 0.0
    rows = np.concatenate(batches)
    centre = rows.mean(axis=0)
    total = ((rows - centre) ** 2).sum(axis=0)
    between = sum(len(batch) * (batch.mean(axis=0) - centre) ** 2 for batch in batches)
    share = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    chance = (len(batches) - 1) / max(1, len(rows) - 1)
    # The largest of many columns exceeds chance by chance alone.
    margin = 3 * np.sqrt(2 * chance / max(1, len(rows) - 1)) * np.sqrt(np.log(max(2, share.size)))
    return float(max(0.0, share.max(initial=0.0) - chance - margin))


def _epochs(curves: Mapping[str, Curve], events: Sequence[Any]) -> list[Fact]:
    """Samples an epoch and whether the order repeats, from epoch events or the batches' digests."""
    told = [event for event in events if event.type == "epoch"]
    found: list[Fact] = []
    fields = [dict(event.fields) for event in told]
    most = float(curves["samples"].values[:1].max(initial=0.0)) if "samples" in curves else 0.0
    samples = [
        int(one["samples"])
        for one in fields
        if isinstance(one.get("samples"), (int, float))
        and not (most and "batches" in one and one["samples"] > one["batches"] * most)
    ]  # passes beside training
    if samples:
        found.append(Fact("data.samples_per_epoch", max(set(samples), key=samples.count)))
    orders = [one["order"] for one in fields if one.get("order") is not None]
    contents = [one["content"] for one in fields if one.get("content") is not None]
    if len(orders) > 1:
        repeats = len(set(orders)) == 1
        found.append(Fact("data.order", "the same in every epoch" if repeats else "another in every epoch"))
    if len(contents) > 1:
        found.append(Fact("data.content", "the same batches" if len(set(contents)) == 1 else "other batches"))
    if not orders and "batch_digest" in curves:
        found += _period(curves["batch_digest"].values)
    return found


def _period(digests: F64) -> list[Fact]:
    """Whether the first batch comes again, and all others after it in the same order."""
    again = np.flatnonzero(digests[1:] == digests[0]) if len(digests) > 1 else np.zeros(0)
    if not len(again):
        return []
    period = int(again[0]) + 1
    rest = digests[period:]
    if len(rest) < min(period, 3):
        return []
    same = bool(np.array_equal(rest, digests[: len(rest)]) if len(rest) <= period else
                np.array_equal(rest[:period], digests[:period]))  # fmt: skip
    return [Fact("data.order", "the same in every epoch")] if same else []

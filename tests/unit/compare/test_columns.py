"""Columns that are not those of the same data although they are as large: other shapes, mixtures, another number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata

from auditor.compare.causes import diagnose
from auditor.compare.profile import Profile
from auditor.compare.recognise.columns import _ranked
from support.tiny import Tiny, glorot, sgd, targets

RNG = np.random.default_rng(9)
SOURCES = RNG.standard_normal((2000, 6))
MIXED = SOURCES @ RNG.standard_normal((6, 6)) + 0.3 * RNG.standard_normal((2000, 6))


def scaled(x: np.ndarray) -> np.ndarray:
    """Each column with mean 0 and deviation 1."""
    return (x - x.mean(axis=0)) / x.std(axis=0)


def run(x: np.ndarray, seed: int = 0, first: dict[str, Any] | None = None) -> Profile:
    """A run on these rows, with targets scaled as nobody else has them, so that no row is known."""
    y = targets(x.astype(np.float32)) * (1 + 0.01 * seed)
    made = Tiny(stepper=sgd, framework="keras", x=x.astype(np.float32), y=y, steps=20, batch=40,
                weights=lambda: glorot(seed, (x.shape[1], 24, 1)))  # fmt: skip
    layers = [{"name": "layer0", **first}, {"name": "layer1", "class": "Dense"}] if first else []
    return made.profile(manifest={"model": {"class": "Sequential", "layers": layers}})


def told(a: Profile, b: Profile) -> list[str]:
    """Parameters of what is told, the same whichever run comes first."""
    there, back = diagnose(a, b).causes, diagnose(b, a).causes
    assert [cause.parameter for cause in there] == [cause.parameter for cause in back]
    return [cause.parameter for cause in there]


def whitened(x: np.ndarray) -> np.ndarray:
    """Principal components, each of deviation 1."""
    centred = x - x.mean(axis=0)
    return scaled(centred @ np.linalg.svd(centred, full_matrices=False)[2].T)


def test_another_shape_of_a_column_is_found() -> None:
    """A logarithm, and ranks, each scaled to one deviation."""
    skewed = np.exp(SOURCES)
    assert told(run(scaled(skewed)), run(scaled(SOURCES), seed=5))[:1] == ["data.input.distribution"]


def test_columns_that_are_mixtures_of_all_are_found() -> None:
    """Principal components against the columns that they are made of."""
    assert told(run(scaled(MIXED)), run(whitened(MIXED), seed=5))[:1] == ["data.input.correlation"]


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_other_rows_of_the_same_data_are_no_other_columns(seed: int) -> None:
    """Two halves of it, each scaled by its own mean and deviation; rare values among them; of one law, drawn anew."""
    rare = np.where(np.random.default_rng(seed).random(MIXED.shape) < 0.97, 0.0, MIXED)
    for data in (MIXED, SOURCES, np.exp(SOURCES), np.column_stack([MIXED[:, :3], rare[:, 3:]])):
        order = np.random.default_rng(seed).permutation(len(data))
        parts = [scaled(data[rows]) for rows in (order[:1000], order[1000:])]
        assert told(run(parts[0]), run(parts[1], seed=seed)) == []


def test_another_number_of_features_is_found_where_dense_layers_take_them() -> None:
    """Codes against one-hot columns; an embedding that reads words says nothing of it."""
    dense, table = {"class": "Dense", "config": {"units": 24}}, {"class": "Embedding", "config": {"output_dim": 24}}
    found = diagnose(run(SOURCES, first=dense), run(SOURCES[:, :4], seed=5, first=dense)).causes[0]
    assert (found.id, found.parameter, found.values) == ("DATA-00", "data.input.width", (6, 4))
    assert "data.input.width" not in told(run(SOURCES, first=table), run(SOURCES[:, :4], seed=5, first=table))
    assert told(run(SOURCES, first=dense), run(SOURCES, seed=5, first=dense)) == []


def test_ranks_are_those_of_scipy() -> None:
    """Ties share the mean of theirs."""
    values = RNG.integers(0, 9, 200).astype(np.float64)
    assert np.array_equal(_ranked(values), rankdata(values))


@pytest.mark.parametrize("law", ["other", "same"])
def test_rows_of_several_passes_are_not_held_against_those_of_one(law: str) -> None:
    """Points on a curve in one pass and beside it in another: where the two differ, nobody knows which comes first."""
    a, b = run(scaled(SOURCES)), run(scaled(np.exp(SOURCES)), seed=1)
    assert "data.input.distribution" in told(a, b)
    steps = []
    for one in a.evidence.steps:
        batch = one.arrays["batch", "input0"]
        values = np.asarray(batch.values)
        beside = replace(batch, values=values + 3 if law == "other" else values[::-1].copy())
        steps.append(replace(one, arrays={**one.arrays, ("batch", "input0@1"): beside}))
    both = replace(a, evidence=replace(a.evidence, steps=tuple(steps)))
    assert ("data.input.distribution" in told(both, b)) == (law == "same")

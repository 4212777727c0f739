"""Recordings, whatever they hold: back exactly, and never a crash on what is none."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from auditor.ingest.records import check
from auditor_agent.stream.recording import Array, Recording, positions
from auditor_agent.stream.wire import Frame, WireError
from support.recordings import assembled

DTYPES = ["float32", "float64", "float16", "int64", "uint8", "bool", "int32"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@st.composite
def recorded(draw: st.DrawFn) -> tuple[Array, Any]:
    """An array as recorded, whole or sampled, and the elements that must come back."""
    dtype = draw(st.sampled_from(DTYPES))
    values = draw(arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6)))
    count = draw(st.integers(1, max(1, values.size)))
    kept = values.reshape(-1)[positions(values.size, count)]
    name = draw(st.text(st.characters(blacklist_categories=["Cs"]), max_size=30))
    return Array("gradient", name, dtype, values.shape, kept.size, kept.tobytes()), kept


@given(st.lists(recorded(), max_size=6, unique_by=lambda pair: pair[0].name), st.floats())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_element_comes_back(pairs: list[tuple[Array, Any]], loss: float) -> None:
    """To the bit, at the index that the formula names, NaN payloads and signed zeros included."""
    (step,) = assembled([Recording(1, [array for array, _ in pairs], {"loss": loss})])
    assert np.array_equal(step.scalars["loss"], loss, equal_nan=True)
    assert len(step.arrays) == len(pairs)
    for array, kept in pairs:
        found = step.of("gradient")[array.name]
        assert found.values is not None
        assert found.values.tobytes() == kept.tobytes()
        assert found.indices.tolist() == positions(array.size, kept.size)


@given(st.dictionaries(st.sampled_from(["step", "part", "parts", "arrays", "facts", "scalars"]), JSON), st.binary())
@settings(max_examples=400, deadline=None)
def test_s8_no_header_crashes_the_reader(change: dict[str, Any], block: bytes) -> None:
    """Refused as WireError or taken, nothing else."""
    base = {"step": 1, "part": 0, "parts": 1, "arrays": [["weight", "a", "float32", [1], 1, 0, 4, False]]}
    try:
        check(Frame(base | change, memoryview(block)))
    except WireError:
        return


@given(st.integers(0, 7), JSON, st.binary(max_size=64))
@settings(max_examples=400, deadline=None)
def test_s8_no_array_entry_crashes_the_reader(place: int, value: Any, block: bytes) -> None:
    """One of the eight values of an array's entry is of any kind."""
    entry: list[Any] = ["weight", "a", "float32", [1], 1, 0, 4, False]
    entry[place] = value
    try:
        check(Frame({"step": 1, "part": 0, "parts": 1, "arrays": [entry]}, memoryview(block)))
    except WireError:
        return

"""D3: every float64 comes back from either database, bit for bit."""

from __future__ import annotations

import itertools
import math
import struct

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from auditor.store import Store, special
from auditor.store.records import Chunk, ScalarRows, TableRecord, WriteBatch
from auditor_agent.statistics import MOMENTS
from support.chunks import SESSION, TABLE, steps_chunk, tensors, words

FRESH = itertools.count()
HARD = [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e308, -1e308, 1 / 3]


def bits(values: list[float]) -> list[bytes]:
    """The eight bytes of each value; every NaN is the same NaN."""
    return [struct.pack("<d", math.nan if math.isnan(value) else value) for value in values]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(), min_size=1, max_size=30))
@example(values=HARD)
def test_d3_scalars_round_trip(store: Store, values: list[float]) -> None:
    """NaN, both infinities, the negative zero, denormals, the largest."""
    run = f"run-{next(FRESH)}"
    rows = ScalarRows(run, 0, 0, 0, "x", np.arange(len(values)), np.array(values))
    store.write(WriteBatch(chunks=[Chunk(run, 0, 0, 0, "steps", SESSION, "{}")], scalars=[rows]))
    stored = store.scalars(run)["x"]
    assert stored.steps.tolist() == list(range(len(values)))
    assert bits(stored.values.tolist()) == bits(values)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(width=32), min_size=8, max_size=8))
@example(values=[math.nan, math.inf, -math.inf, -0.0, 1.401298464324817e-45, 3.4028234663852886e38, 0.0, 1.0])
def test_d3_statistics_round_trip(store: Store, values: list[float]) -> None:
    """The eight moments of a tensor as float32."""
    run = f"run-{next(FRESH)}"
    block = words([1], 1)
    block[0, 4:, 0] = np.array(values, np.float32).view(np.uint32)
    tables = [TableRecord(run, TABLE, tensors(1))]
    store.write(WriteBatch(chunks=[steps_chunk(run, 0, [1], block)], tables=tables))
    stored = [store.series(run, "gradient", "layer0.weight", name).values[0] for name in MOMENTS]
    assert bits(stored) == bits([float(value) for value in values])


@given(values=st.lists(st.floats(), max_size=50))
def test_d3_what_stands_in_the_columns_is_finite(values: list[float]) -> None:
    """What SQL and Grafana see: ordinary numbers and gaps, and nothing else."""
    column, kinds = special.split(np.array(values, dtype=np.float64))
    assert all(value is None or math.isfinite(value) for value in column)
    assert bits(special.join(column, kinds).tolist()) == bits(values)

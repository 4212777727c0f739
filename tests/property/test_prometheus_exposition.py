"""Whatever a run is called and whatever its agent counts, the exposition stays readable (S6)."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from auditor.alerts.live import LiveRun
from auditor.alerts.metrics import BY_NAME
from auditor.alerts.prometheus import MAX_SERIES_PER_RUN, RunCollector, exposition, label_value, registry

# Every code point, lone surrogates included, and the marks that formats trip over.
hostile = st.one_of(
    st.text(st.characters(), max_size=300),
    st.text(st.sampled_from('"\\{}=,\n\r\0 #\ud800\u2028\x85aé'), max_size=40),
)
counts = st.one_of(st.integers(0, 2**64), st.just(10**400))
numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True)
severities = st.sampled_from(["critical", "warning", "info"]) | hostile
runs = st.builds(
    LiveRun,
    run=hostile,
    project=hostile,
    framework=hostile,
    name=hostile,
    status=hostile,
    loss=numbers,
    step=st.none() | counts,
    grad_norm=numbers,
    nonfinite=st.dictionaries(hostile, counts, max_size=20),
    alerts=st.dictionaries(st.tuples(hostile, severities), st.integers(0, 3), max_size=40),
    progress_at=numbers,
    heartbeat_at=numbers,
    dropped=st.dictionaries(hostile, counts, max_size=20),
    ingested=counts,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(runs, max_size=3, unique_by=lambda run: label_value(run.run)))
def test_s6_hostile_labels_cannot_break_the_exposition(live: list[LiveRun]) -> None:
    """Both formats parse to the same finite, bounded, unrepeated series of known metrics and runs."""
    own = registry(RunCollector(lambda: live))
    text, openmetrics = exposition(own)[0], exposition(own, "application/openmetrics-text; version=1.0.0")[0]
    samples = [sample for family in parse_text(text.decode()) for sample in family.samples]
    again = [sample for family in parse_openmetrics(openmetrics.decode()) for sample in family.samples]
    assert {(s.name, *sorted(s.labels.items()), s.value) for s in samples} == {
        (s.name, *sorted(s.labels.items()), s.value) for s in again
    }
    assert len({(s.name, *sorted(s.labels.items())) for s in samples}) == len(samples)
    assert all(math.isfinite(sample.value) for sample in samples)
    for sample in samples:
        assert set(sample.labels) == set(BY_NAME[sample.name].labels)
    per_run = [sample.labels["run"] for sample in samples if "run" in sample.labels]
    assert set(per_run) == {label_value(run.run) for run in live}
    assert all(per_run.count(run) <= MAX_SERIES_PER_RUN for run in per_run)

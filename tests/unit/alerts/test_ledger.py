from __future__ import annotations

import math
from dataclasses import replace

import pytest

from auditor.alerts.ledger import REPEATS_AHEAD, Ledger, Post
from auditor.model import Alert, AlertState, Severity, Subject

ALERT = Alert(
    id="a1",
    run="r1",
    attempt=0,
    rule="nonfinite_gradient",
    severity=Severity.CRITICAL,
    state=AlertState.FIRING,
    subject=Subject("gradient", "encoder.3.weight", 2),
    first_step=37,
    last_step=37,
    started_at=1000.0,
    updated_at=1000.0,
    summary="4096 NaN in the gradient of encoder.3.weight",
    advice="Lower the learning rate.",
)


def apply(ledger: Ledger, alert: Alert, now: float = 1000.0) -> bool:
    """Whether the ledger took ``alert`` in."""
    return ledger.apply(alert, "digits", "torch", now)


def only(posts: list[Post]) -> Post:
    """The one post there is."""
    assert len(posts) == 1
    return posts[0]


def test_a_firing_alert_is_due_at_once_with_all_that_people_need() -> None:
    """Labels to route by, annotations to read, an end that lies ahead, a link."""
    ledger = Ledger(external_url="http://auditor/", repeat=60)
    assert apply(ledger, ALERT)
    assert only(ledger.due(1000.0)).body == {
        "labels": {
            "alertname": "nonfinite_gradient",
            "severity": "critical",
            "run": "r1",
            "project": "digits",
            "framework": "torch",
        },
        "annotations": {
            "summary": "4096 NaN in the gradient of encoder.3.weight",
            "advice": "Lower the learning rate.",
            "first_step": "37",
            "subject": "gradient encoder.3.weight rank 2",
            "url": "http://auditor/v1/runs/r1",
        },
        "startsAt": "1970-01-01T00:16:40.000Z",
        "endsAt": "1970-01-01T00:20:40.000Z",
        "generatorURL": "http://auditor/v1/runs/r1",
    }


def test_a_firing_alert_is_repeated_before_it_would_resolve() -> None:
    """Not due until the repeat; the repeat comes well before the end of the last post."""
    ledger = Ledger(repeat=60)
    apply(ledger, ALERT)
    ledger.posted(ledger.due(1000.0), 1000.0)
    assert ledger.due(1059.0) == []
    assert ledger.next_due() == 1060.0
    assert REPEATS_AHEAD > 2
    assert only(ledger.due(1060.0)).body["endsAt"] == "1970-01-01T00:21:40.000Z"


def test_later_steps_of_a_known_alert_wait_for_its_repeat() -> None:
    """An alert that is seen at every step is not posted at every step."""
    ledger = Ledger()
    apply(ledger, ALERT)
    ledger.posted(ledger.due(1000.0), 1000.0)
    apply(ledger, replace(ALERT, last_step=38, updated_at=1001.0), 1001.0)
    assert ledger.due(1001.0) == []


def test_a_resolved_alert_is_posted_with_its_end_and_forgotten() -> None:
    """The end is now; once delivered nothing is held."""
    ledger = Ledger()
    apply(ledger, ALERT)
    ledger.posted(ledger.due(1000.0), 1000.0)
    apply(ledger, replace(ALERT, state=AlertState.RESOLVED, resolved_at=1010.0), 1010.0)
    post = only(ledger.due(1010.0))
    assert post.body["endsAt"] == "1970-01-01T00:16:50.000Z"
    ledger.posted([post], 1010.0)
    assert len(ledger) == 0
    assert ledger.next_due() is None


def test_a_change_on_the_way_is_not_lost() -> None:
    """An alert that resolves while its firing post is under way is still due afterwards."""
    ledger = Ledger()
    apply(ledger, ALERT)
    under_way = ledger.due(1000.0)
    apply(ledger, replace(ALERT, state=AlertState.RESOLVED, resolved_at=1000.5), 1000.5)
    ledger.posted(under_way, 1001.0)
    assert only(ledger.due(1001.0)).body["endsAt"] == "1970-01-01T00:16:41.000Z"


def test_alerts_of_an_ended_run_stay_up_for_the_linger_and_then_resolve() -> None:
    """A receiver with a group_wait still hears of a run that died at once; the end is told when it has come."""
    ledger = Ledger(linger=100, repeat=60)
    apply(ledger, ALERT)
    ledger.run_ended("r1", 1002.0)
    ledger.posted(ledger.due(1002.0), 1002.0)
    ledger.posted([only(ledger.due(1062.0))], 1062.0)
    assert ledger.next_due() == 1102.0
    post = only(ledger.due(1102.0))
    assert post.body["endsAt"] == "1970-01-01T00:18:22.000Z"
    ledger.posted([post], 1102.0)
    assert len(ledger) == 0


def test_a_run_that_is_resumed_keeps_its_alerts() -> None:
    """The next attempt began within the linger of the one before."""
    ledger = Ledger(linger=100, repeat=60)
    apply(ledger, ALERT)
    ledger.run_ended("r1", 1000.0)
    ledger.run_resumed("r1")
    ledger.posted(ledger.due(1200.0), 1200.0)
    assert only(ledger.due(1260.0)).body["endsAt"] == "1970-01-01T00:25:00.000Z"


def test_two_attempts_share_an_alert_that_resolves_with_the_last_of_them() -> None:
    """Alertmanager knows no attempts: as long as one fires, the alert fires."""
    ledger = Ledger()
    again = replace(ALERT, id="a2", attempt=1)
    apply(ledger, ALERT)
    apply(ledger, again)
    apply(ledger, replace(ALERT, state=AlertState.RESOLVED), 1001.0)
    assert only(ledger.due(1001.0)).body["endsAt"] > "1970-01-01T00:16:41.000Z"
    apply(ledger, replace(again, state=AlertState.RESOLVED), 1002.0)
    assert only(ledger.due(1002.0)).body["endsAt"] == "1970-01-01T00:16:42.000Z"


def test_an_alert_that_escalates_resolves_under_its_old_severity() -> None:
    """A warning that becomes critical is two alerts to Alertmanager: one ends, one begins."""
    ledger = Ledger()
    apply(ledger, replace(ALERT, severity=Severity.WARNING))
    ledger.posted(ledger.due(1000.0), 1000.0)
    apply(ledger, ALERT, 1001.0)
    ends = {post.body["labels"]["severity"]: post.body["endsAt"] for post in ledger.due(1001.0)}
    assert ends["warning"] == "1970-01-01T00:16:41.000Z"
    assert ends["critical"] > ends["warning"]
    ledger.posted(ledger.due(1001.0), 1001.0)
    assert len(ledger) == 1
    apply(ledger, replace(ALERT, state=AlertState.RESOLVED), 1002.0)
    ledger.posted(ledger.due(1002.0), 1002.0)
    assert len(ledger) == 0


def test_d7_an_agent_whose_clock_runs_a_day_ahead_starts_now() -> None:
    """Alertmanager refuses alerts that end before they start."""
    ledger = Ledger()
    apply(ledger, replace(ALERT, started_at=1000.0 + 86400))
    body = only(ledger.due(1000.0)).body
    assert body["startsAt"] == "1970-01-01T00:16:40.000Z" < body["endsAt"]


@pytest.mark.parametrize("moment", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_a_nonsensical_start_is_no_reason_to_be_silent(moment: float) -> None:
    """Whatever the agent's clock said, the alert can be written down and starts no later than now."""
    ledger = Ledger()
    apply(ledger, replace(ALERT, started_at=moment))
    assert only(ledger.due(1000.0)).body["startsAt"] <= "1970-01-01T00:16:40.000Z"


def test_the_ledger_is_bounded() -> None:
    """A full ledger leaves new alerts out and says so; known ones still change."""
    ledger = Ledger(limit=1)
    assert apply(ledger, ALERT)
    assert not apply(ledger, replace(ALERT, id="b", run="r2"))
    assert apply(ledger, replace(ALERT, last_step=99))
    assert len(ledger) == 1


def test_a_failed_post_is_due_again_when_told_and_an_old_resolved_one_is_given_up() -> None:
    """Alertmanager has let go of it by itself by then."""
    ledger = Ledger(repeat=10)
    apply(ledger, ALERT)
    assert ledger.failed(ledger.due(1000.0), 1000.0, 1005.0) == 0
    assert ledger.due(1004.0) == []
    apply(ledger, replace(ALERT, state=AlertState.RESOLVED), 1010.0)
    assert ledger.failed(ledger.due(1010.0), 1010.0, 1011.0) == 0
    assert ledger.failed(ledger.due(1051.0), 1051.0, 1052.0) == 1
    assert len(ledger) == 0


def test_pending_alerts_are_nobodys_business_yet() -> None:
    """They are not held."""
    ledger = Ledger()
    assert apply(ledger, replace(ALERT, state=AlertState.PENDING))
    assert len(ledger) == 0


def test_s5_hostile_names_are_cleaned_and_long_texts_cut() -> None:
    """Lone surrogates would make the request fail to encode (S5)."""
    ledger = Ledger(external_url="http://auditor")
    apply(ledger, replace(ALERT, run="../../x?\ud800\n", summary="y" * 10_000))
    body = only(ledger.due(1000.0)).body
    str(body).encode()
    assert body["labels"]["run"] == "../../x?\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    assert len(body["annotations"]["summary"]) == 2000

from __future__ import annotations

from dataclasses import replace

from auditor.alerts.lifecycle import MAX_MEMBERS, AlertBook, alert_id
from auditor.model import AlertState, Finding, Severity, Subject

RUN = "run"


def sighting(
    step: int,
    *,
    name: str = "fc.weight",
    rank: int = 0,
    rule: str = "nonfinite_gradient",
    order: int = 0,
    cleared: bool = False,
    attempt: int = 0,
    kind: str = "gradient",
) -> Finding:
    """What a rule might have seen."""
    evidence = {"nan": step, "inf": 0, "count": 9}
    subject = Subject(kind, name, rank)
    return Finding(rule, Severity.CRITICAL, subject, step, evidence, cleared, order, float(step), attempt)


def test_v3_one_alert_per_run_and_cause_whatever_the_ranks_and_tensors() -> None:
    """A hundred ranks that see the same NaN are one alert that counts and lists them."""
    book = AlertBook(RUN)
    found = [sighting(5, name=f"fc{i}.weight", rank=rank) for rank in range(100) for i in range(3)]
    [alert] = book.apply(found, 1.0)
    assert book.alerts == [alert]
    assert alert.id == alert_id(RUN, 0, "nonfinite_gradient")
    assert len(alert.members) == MAX_MEMBERS - 1
    assert (alert.evidence["affected"], alert.evidence["ranks"]) == (300, 100)
    assert alert.subject == Subject("gradient", "fc0.weight", 0)
    assert alert.subject not in alert.members
    assert alert.summary.endswith("on ranks 0, 1, 2, 3 and 96 more).")


def test_v3_an_attempt_has_alerts_of_its_own() -> None:
    """The same fault in a restarted process is another alert."""
    book = AlertBook(RUN)
    book.apply([sighting(5), sighting(5, attempt=1)], 1.0)
    assert [(alert.attempt, alert.rule) for alert in book.alerts] == [
        (0, "nonfinite_gradient"),
        (1, "nonfinite_gradient"),
    ]
    assert len({alert.id for alert in book.alerts}) == 2


def test_an_alert_resolves_when_every_rank_has_cleared() -> None:
    """One rank that still shows the fault keeps the alert firing."""
    book = AlertBook(RUN)
    book.apply([sighting(5), sighting(6, rank=1)], 1.0)
    [alert] = book.apply([sighting(9, cleared=True)], 2.0)
    assert (alert.state, alert.evidence["firing_ranks"]) == (AlertState.FIRING, [1])
    [alert] = book.apply([sighting(9, rank=1, cleared=True)], 3.0)
    assert (alert.state, alert.resolved_at, alert.last_step) == (AlertState.RESOLVED, 3.0, 6)


def test_a_fault_that_returns_opens_the_same_alert_again() -> None:
    """Id, start and first evidence stay; the occurrence is counted and the latest evidence added."""
    book = AlertBook(RUN)
    [first] = book.apply([sighting(5)], 1.0)
    book.apply([sighting(9, cleared=True)], 2.0)
    [again] = book.apply([sighting(20)], 3.0)
    assert again.id == first.id
    assert (again.state, again.resolved_at, again.started_at) == (AlertState.FIRING, None, 1.0)
    assert (again.first_step, again.last_step, again.evidence["nan"]) == (5, 20, 5)
    assert again.evidence["occurrences"] == 2
    assert again.evidence["latest"] == {"step": 20, "name": "fc.weight", "rank": 0, "nan": 20, "inf": 0, "count": 9}


def test_a_rule_that_holds_is_pending_until_it_has_held() -> None:
    """vanishing_gradient fires after ten steps; one that clears before never fired."""
    book = AlertBook(RUN)
    [alert] = book.apply([sighting(100, rule="vanishing_gradient")], 1.0)
    assert alert.state is AlertState.PENDING
    [alert] = book.apply([sighting(110, rule="vanishing_gradient")], 2.0)
    assert alert.state is AlertState.FIRING


def test_nothing_new_is_no_change() -> None:
    """What was known is not stored again; a cleared fault that was never seen is nobody's alert."""
    book = AlertBook(RUN)
    assert len(book.apply([sighting(5)], 1.0)) == 1
    assert book.apply([sighting(5)], 2.0) == []
    assert book.apply([sighting(5, rule="loss_spike", cleared=True)], 2.0) == []
    assert [alert.rule for alert in book.alerts] == ["nonfinite_gradient"]


def test_a_consequence_that_was_known_first_learns_its_root() -> None:
    """The other rank's gradient arrives late: the loss alert changes and names it."""
    book = AlertBook(RUN)
    [loss] = book.apply([sighting(8, rule="nonfinite_loss", name="loss", kind="loss")], 1.0)
    assert "root" not in loss.evidence
    changed = book.apply([sighting(7, rank=1)], 2.0)
    assert [alert.rule for alert in changed] == ["nonfinite_gradient", "nonfinite_loss"]
    assert changed[1].evidence["root"] == "nonfinite_gradient"
    assert changed[1].evidence["root_step"] == 7


def test_d8_a_book_taken_back_from_the_store_goes_on_as_before() -> None:
    """Restored, and its frames replayed: same alerts; then both books change alike."""
    history = [sighting(5), sighting(6, rank=1, name="fc.bias"), sighting(9, cleared=True), sighting(30)]
    book, taken = AlertBook(RUN), AlertBook(RUN)
    book.apply(history, 1.0)
    taken.restore(book.alerts)
    assert taken.alerts == book.alerts
    assert taken.apply(history, 50.0) == []
    assert taken.alerts == book.alerts
    for later in ([sighting(31)], [sighting(40, cleared=True)], [sighting(41, rank=1, cleared=True)], [sighting(60)]):
        book.apply(later, 60.0)
        taken.apply(later, 60.0)
        assert taken.alerts == book.alerts


def test_s5_hostile_names_are_text() -> None:
    """A tensor whose name looks like a format field or markup is copied, never interpreted."""
    name = "{0.__class__}<script>{nan}"
    [alert] = AlertBook(RUN).apply([sighting(5, name=name)], 1.0)
    assert name in alert.summary
    assert name in alert.advice


def test_an_alert_of_a_rule_that_is_not_installed_keeps_its_facts() -> None:
    """A user's rule was removed: its findings still make an alert with a plain sentence."""
    [alert] = AlertBook(RUN).apply([replace(sighting(5), rule="theirs")], 1.0)
    assert alert.summary == "Rule theirs fired for gradient fc.weight at step 5."
    assert alert.likely_causes == ()


def test_numbers_that_are_missing_or_not_finite_leave_the_sentence_whole() -> None:
    """An alert must not fail over the words for it."""
    finding = replace(sighting(5, rule="exploding_gradient"), evidence={"norm": "Infinity"})
    [alert] = AlertBook(RUN).apply([finding], 1.0)
    assert "grew to Infinity by step 5, ? times" in alert.summary

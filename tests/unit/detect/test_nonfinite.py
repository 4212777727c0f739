from __future__ import annotations

import numpy as np
import pytest

from auditor.alerts.lifecycle import AlertBook
from auditor.detect.engine import RunAuditor
from auditor.detect.view import StepView
from auditor.model import AlertState, Severity, Verdict, verdict
from support.batches import RUN, batch, table

TABLE = table()


def test_v1_a_nan_in_one_gradient_is_found_at_its_step_by_its_name() -> None:
    """A NaN in one layer's gradient at step 37 is named with tensor, step and numbers."""
    auditor, book = RunAuditor(RUN), AlertBook(RUN)
    found = auditor.observe(batch(0, TABLE, first=30, loss=1.0, bad={(37, "fc1.weight"): "nan"}), TABLE, 0)
    [alert] = book.apply(found, 5.0)
    assert (alert.rule, alert.severity, alert.state) == ("nonfinite_gradient", Severity.CRITICAL, AlertState.FIRING)
    assert (alert.first_step, alert.last_step, alert.subject.name) == (37, 39, "fc1.weight")
    assert alert.evidence["nan"] == 2
    assert alert.evidence["count"] == 64
    assert alert.evidence["loss"] == 1.0
    assert alert.members == ()
    assert alert.summary == ("The gradient of fc1.weight became non-finite at step 37 (2 NaN, 0 Inf of 64 values).")
    assert "fc1.weight" in alert.advice


def test_v1_of_several_gradients_the_last_layers_is_named_first() -> None:
    """Gradients flow backward: the latest layer in forward order that is non-finite is the origin."""
    bad = {(4, "fc0.weight"): "nan", (4, "fc0.bias"): "nan", (4, "fc1.weight"): "inf", (4, "fc1.bias"): "nan"}
    book = AlertBook(RUN)
    [alert] = book.apply(RunAuditor(RUN).observe(batch(0, TABLE, loss=1.0, bad=bad), TABLE, 0), 0.0)
    assert alert.subject.name == "fc1.weight"
    assert [member.name for member in alert.members] == ["fc1.bias", "fc0.weight", "fc0.bias"]
    assert alert.evidence["inf"] == 2


def test_v1_the_gradient_is_the_root_of_the_weights_and_losses_that_follow() -> None:
    """NaN gradient at k, weights at k, loss at k + 1: three alerts, the gradient's first, the others name it."""
    auditor, book = RunAuditor(RUN), AlertBook(RUN)
    loss = np.where(np.arange(10) < 6, 1.0, np.nan)
    gradients = {(5, "fc2.weight"): "nan"}
    findings = auditor.observe(batch(0, TABLE, loss=loss, bad=gradients), TABLE, 0)
    weights = batch(1, TABLE, first=10, kind="weight", bad={(10, "fc0.weight"): "nan"}, loss=np.nan)
    findings += auditor.observe(weights, TABLE, 0)
    alerts = book.apply(findings, 0.0)
    assert [alert.rule for alert in alerts] == ["nonfinite_gradient", "nonfinite_loss", "nonfinite_weight"]
    assert "root" not in alerts[0].evidence
    assert {alert.evidence["root"] for alert in alerts[1:]} == {"nonfinite_gradient"}
    assert alerts[1].evidence["root_alert"] == alerts[0].id
    assert alerts[1].evidence["value"] == "NaN"


def test_v1_a_nan_loss_comes_before_the_gradients_of_its_step() -> None:
    """When loss and gradients turn NaN in one step, the loss is the root."""
    bad = {(3, name): "nan" for name in ("fc0.weight", "fc2.bias")}
    loss = np.where(np.arange(10) < 3, 1.0, np.nan)
    alerts = AlertBook(RUN).apply(RunAuditor(RUN).observe(batch(0, TABLE, loss=loss, bad=bad), TABLE, 0), 0.0)
    assert [alert.rule for alert in alerts] == ["nonfinite_loss", "nonfinite_gradient"]
    assert alerts[0].first_step == alerts[1].first_step == 3
    assert alerts[1].evidence["root"] == "nonfinite_loss"
    assert alerts[1].evidence["loss"] == "NaN"


def test_a_step_that_a_gradient_scaler_skips_is_no_fault() -> None:
    """An event says that the step was skipped: its Inf is how loss scaling works."""
    events = [{"step": 9, "type": "step_skipped"}]
    frame = batch(0, TABLE, bad={(9, "fc0.weight"): "inf"}, loss=1.0, events=events)
    assert RunAuditor(RUN).observe(frame, TABLE, 0) == []
    again = batch(0, TABLE, bad={(9, "fc0.weight"): "inf"}, loss=1.0)
    assert RunAuditor(RUN).observe(again, TABLE, 0) != []


def test_a_fault_that_goes_on_is_said_once_per_frame_not_once_per_step_and_tensor() -> None:
    """Every tensor NaN for a hundred steps is as many findings as tensors, and one per later frame."""
    auditor = RunAuditor(RUN)
    bad = {(0, t.name): "nan" for t in TABLE if t.kind == "gradient"}
    assert len(auditor.observe(batch(0, TABLE, steps=100, bad=bad), TABLE, 0)) == 7
    later = {(100, name): kind for (_, name), kind in bad.items()}
    found = auditor.observe(batch(1, TABLE, first=100, steps=100, bad=later), TABLE, 0)
    assert [(f.step, f.subject.name) for f in found] == [(199, "fc2.weight")]


def test_a_fault_that_is_gone_for_long_is_resolved_and_leaves_the_run_suspect() -> None:
    """One Inf loss among finite ones resolves after 200 clean steps; a critical that came leaves a mark."""
    auditor, book = RunAuditor(RUN), AlertBook(RUN)
    loss = np.linspace(2.0, 1.0, 300)
    loss[50] = np.inf
    alerts = book.apply(auditor.observe(batch(0, TABLE, steps=300, loss=loss), TABLE, 0), 7.0)
    assert [(alert.state, alert.resolved_at) for alert in alerts] == [(AlertState.RESOLVED, 7.0)]
    assert verdict(book.alerts) is Verdict.SUSPECT


def test_the_live_state_counts_non_finite_values_and_keeps_the_last_finite_loss() -> None:
    """Gauges get finite values only, and a counter beside them."""
    auditor = RunAuditor(RUN)
    loss = [3.0, 2.0, np.nan, np.inf, *[np.nan] * 6]
    auditor.observe(batch(0, TABLE, loss=loss, bad={(8, "fc0.bias"): "inf"}), TABLE, 0)
    assert auditor.live.loss == 2.0
    assert auditor.live.step == 9
    assert auditor.live.nonfinite == {"loss": 8, "gradient": 4}
    assert auditor.live.grad_norm == np.sqrt(6.0)


def test_gradients_of_nothing_finite_have_no_norm() -> None:
    """A norm of zero would say that nothing moves; beside finite tensors the broken one is left out."""
    names = [tensor.name for tensor in TABLE if tensor.kind == "gradient"]
    all_bad = batch(0, TABLE, steps=2, l2=0.0, bad={(1, name): "nan" for name in names})
    assert [float(norm) for norm in StepView(all_bad, TABLE).gradient_norm] == pytest.approx([0.0, np.nan], nan_ok=True)
    one_bad = batch(0, TABLE, steps=1, bad={(0, names[0]): "inf"})
    assert np.isfinite(StepView(one_bad, TABLE).gradient_norm).all()


def test_rules_that_could_not_judge_say_why() -> None:
    """A run without weights and with ten steps names what is missing."""
    auditor = RunAuditor(RUN)
    auditor.observe(batch(0, TABLE, loss=1.0), TABLE, 0)
    reasons = auditor.unjudged()
    assert reasons["nonfinite_weight"] == "no weight statistics were captured"
    assert "steps" in reasons["loss_not_decreasing"]
    assert "nonfinite_gradient" not in reasons

"""What can be said of two runs, one per side, and no more than that.

Two healthy runs of one program with different seeds differ in every number. From the curves of one
run per side it therefore follows neither that a difference in the loss matters nor that its absence
proves anything. What does follow: one run became non-finite where the other went on (the outcome
differs); every number is the same (equivalent). What the two *compute* is another matter: it is read
off their recordings (``profile``), and a difference that changes their steps in a way that matters is
a mismatch, whatever the curves look like (``causes``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from auditor.compare import causes, manifests
from auditor.compare.causes import Diagnosis
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise.cause import Cause
from auditor.compare.trajectories import Curve, as_json, pair
from auditor.ingest.records import StepRecording, assemble
from auditor.model import Alert, AlertState

#: Rules that say a tensor was not finite -> the stage of a step in which it was seen.
_STAGES = {
    "nonfinite_input": "data",
    "nonfinite_loss": "loss",
    "nonfinite_gradient": "backward",
    "nonfinite_weight": "optimizer",
}
#: The order of the stages within a step.
_ORDER = ("data", "loss", "backward", "optimizer")
#: Curves drawn side by side; others only appear among the metrics.
_DRAWN = ("loss", "grad_norm")
_METRICS_AT_MOST = 40


class UnknownRunError(LookupError):
    """The store knows no such run; ``run`` is its id."""

    def __init__(self, run: str) -> None:
        super().__init__(f"no run {run!r}")
        self.run = run


class RunStore(Protocol):
    """What a comparison asks of the store (``auditor.store.Store`` has it)."""

    def run(self, run: str) -> Any:
        """The run's record, or None."""

    def scalars(self, run: str) -> Mapping[str, Any]:
        """Every scalar of the run as a series (``steps``, ``values``)."""

    def manifests(self, run: str) -> Sequence[Any]:
        """The manifests of its processes (``attempt``, ``rank``, ``manifest``)."""

    def alerts(self, *, run: str) -> Sequence[Alert]:
        """The alerts of the run."""

    def events(self, run: str) -> Sequence[Any]:
        """The events of the run."""

    def chunks(self, run: str, *, attempt: int | None = None, rank: int | None = None, type: str | None = None) -> Any:  # noqa: A002 -- the store's word
        """The run's frames of one type."""


@dataclass(frozen=True, slots=True)
class Side:
    """One run as a comparison sees it. ``last_step`` is None for a run without a step."""

    run: str
    framework: str
    status: str
    curves: Mapping[str, Curve]
    manifest: Mapping[str, Any] | None
    alerts: Sequence[Alert] = field(default=())
    last_step: int | None = None
    recordings: Sequence[StepRecording] = field(default=())
    events: Sequence[Any] = field(default=())

    def profile(self) -> Profile:
        """What the run computes, measured and declared."""
        beside = Beside(self.manifest, self.curves, self.events, self.last_step)
        return profile(self.run, self.framework, self.recordings, beside)


def compare_runs(store: RunStore, a: str, b: str) -> dict[str, Any]:
    """The comparison of two runs: the [C] JSON of ``auditor compare``.

    Args:
        store: where both runs lie.
        a: run id of one side, the reference of every ratio.
        b: run id of the other.

    Raises:
        UnknownRunError: if the store lacks one of them.
    """
    return compare(_side(store, a), _side(store, b))


def _side(store: RunStore, run: str) -> Side:
    record = store.run(run)
    if record is None:
        raise UnknownRunError(run)
    curves = {name: Curve(series.steps, series.values) for name, series in store.scalars(run).items()}
    # The lowest rank of the last attempt speaks for the run: configuration is the job's, not a rank's.
    found = sorted(store.manifests(run), key=lambda item: (-item.attempt, item.rank))
    manifest = found[0].manifest if found else None
    alerts = tuple(store.alerts(run=run))
    seen = (assemble(store.chunks(run, type="record")), tuple(store.events(run)))
    return Side(run, record.framework, record.status, curves, manifest, alerts, record.last_step, *seen)


def compare(a: Side, b: Side) -> dict[str, Any]:
    """The comparison of two sides, as JSON."""
    reasons: list[str] = []
    differing = _differences(a, b)
    outcome, divergence = _outcome(a, b, reasons)
    found = _diagnosis(a, b, outcome, reasons)
    drawn = {name: as_json(a.curves[name], b.curves[name]) for name in _DRAWN if name in a.curves and name in b.curves}
    verdict = {"differs": "mismatch", "equivalent": "equivalent"}.get(outcome, "inconclusive")
    if found.matters:
        verdict = "mismatch"
    configuration = _configuration(a, b, differing, reasons)
    if any(cause.how == "measured" for cause in found.causes):
        configuration = "differs"
    return {
        "verdict": verdict,
        "configuration": configuration,
        "outcome": outcome,
        "first_divergence": _divergence(found, divergence),
        "causes": [causes.as_json(cause, (a.framework, b.framework)) for cause in found.causes],
        "harmless": [_harmless(cause) for cause in found.harmless],
        "metrics": _metrics(a, b),
        "a": _who(a),
        "b": _who(b),
        "reasons": reasons,
        "differences": differing,
        "not_compared": manifests.not_compared(a.manifest, b.manifest) if a.manifest and b.manifest else [],
        "trajectories": drawn,
    }


def _diagnosis(a: Side, b: Side, outcome: str, reasons: list[str]) -> Diagnosis:
    """What makes the two differ; where every number is the same nothing that differs does."""
    found = causes.diagnose(a.profile(), b.profile())
    if outcome == "equivalent":
        return Diagnosis((), (*found.causes, *found.harmless))
    if found.matters:
        first = found.causes[0]
        reasons.append(f"{first.id}, {first.how}: {first.effect}")
    elif found.causes:
        reasons.append("what was measured to differ changes the steps too little to call it a mismatch")
    elif a.recordings and b.recordings:
        reasons.append("nothing that was measured in the first steps differs in a way that matters")
    return found


def _divergence(found: Diagnosis, broke: dict[str, Any] | None) -> dict[str, Any] | None:
    """Where the two part first: at the first cause; without one, where one of them broke."""
    if not found.causes:
        return broke
    first = found.causes[0]
    return {"stage": causes.stage(first), "step": first.step}


def _harmless(cause: Cause) -> dict[str, Any]:
    told = {"id": cause.id, "why": f"{cause.parameter} differs: {cause.effect}"}
    return told | {"parameter": cause.parameter, "a": cause.values[0], "b": cause.values[1], "how": cause.how}


def _who(side: Side) -> dict[str, Any]:
    return {"run": side.run, "framework": side.framework, "status": side.status, "last_step": side.last_step}


def _differences(a: Side, b: Side) -> list[dict[str, Any]]:
    found = []
    if a.framework != b.framework:
        entry = {"parameter": "framework", "a": a.framework, "b": b.framework, "how": "declared"}
        found.append(entry | {"configuration": False})
    if a.manifest is not None and b.manifest is not None:
        listed = manifests.differences(_named(a), _named(b))
        found += [item for item in listed if item["parameter"] != "framework"]
    return found


def _named(side: Side) -> dict[str, Any]:
    return {**(side.manifest or {}), "framework": side.framework}


def _configuration(a: Side, b: Side, differing: Sequence[Mapping[str, Any]], reasons: list[str]) -> str | None:
    """``same`` or ``differs``; None if a side declares nothing, so that nobody can know."""
    silent = [side.run for side in (a, b) if side.manifest is None]
    if silent:
        reasons.append(f"no manifest from {' and '.join(silent)}: the configurations cannot be compared")
        return None
    return "differs" if any(item["configuration"] for item in differing) else "same"


def _outcome(a: Side, b: Side, reasons: list[str]) -> tuple[str, dict[str, Any] | None]:
    if _identical(a, b):
        reasons.append("loss and gradient norm are the same number at every step of both runs")
        return "equivalent", None
    broke_a, broke_b = _broke(a), _broke(b)
    if broke_a and broke_b:
        reasons.append(f"both became non-finite: {_says(a, broke_a)}, {_says(b, broke_b)}")
        return "inconclusive", None
    for (side, broke), other in (((a, broke_a), b), ((b, broke_b), a)):
        if not broke:
            continue
        if other.last_step is None or other.last_step < broke[0]:
            reasons.append(f"{_says(side, broke)}; {other.run} ended before that step")
            return "inconclusive", None
        reasons.append(f"{_says(side, broke)}; {other.run} stayed finite to step {other.last_step}")
        return "differs", {"stage": broke[1], "step": broke[0], "run": side.run}
    reasons.append("one run per side cannot tell a difference that matters from chance")
    return "inconclusive", None


def _says(side: Side, broke: tuple[int, str]) -> str:
    return f"{side.run} became non-finite at step {broke[0]} ({broke[1]})"


def _broke(side: Side) -> tuple[int, str] | None:
    """The first (step, stage) at which the run was seen non-finite, or None if it never was or recovered.

    Of one step the earliest stage counts. ``grad_norm`` sums finite values only, so the count of
    non-finite gradient elements (``nonfinite``) is asked beside it.
    """
    if not _stayed_broken(side):
        return None
    seen = [(alert.first_step, _STAGES[alert.rule]) for alert in side.alerts if alert.rule in _STAGES]
    for name, stage in (("loss", "loss"), ("grad_norm", "backward")):
        if name in side.curves and (step := side.curves[name].first_nonfinite) is not None:
            seen.append((step, stage))
    if "nonfinite" in side.curves:
        counted = side.curves["nonfinite"]
        seen += [(int(step), "backward") for step in counted.steps[counted.values > 0][:1]]
    return min(seen, key=lambda at: (at[0], _ORDER.index(at[1])), default=None)


def _stayed_broken(side: Side) -> bool:
    """Whether a non-finite alert still fires or the last loss is not finite: one bad batch is no divergence."""
    loss = side.curves.get("loss")
    ended = loss is not None and len(loss.values) > 0 and not np.isfinite(loss.values[-1])
    return ended or any(alert.rule in _STAGES and alert.state is AlertState.FIRING for alert in side.alerts)


def _identical(a: Side, b: Side) -> bool:
    """Whether both runs have the same loss, and gradient norm where known, at the same steps."""
    if "loss" not in a.curves or "loss" not in b.curves:
        return False
    for name in _DRAWN:
        if (name in a.curves) != (name in b.curves):
            return False
        if name in a.curves:
            both = pair(a.curves[name], b.curves[name])
            if not both.identical or len(both.steps) != max(len(a.curves[name].steps), len(b.curves[name].steps)):
                return False
    return True


def _metrics(a: Side, b: Side) -> dict[str, Any]:
    """Last finite value of each scalar that both runs have; ``p_value`` needs more than one run a side."""
    out: dict[str, Any] = {}
    for name in sorted(a.curves.keys() & b.curves.keys())[:_METRICS_AT_MOST]:
        left, right = a.curves[name].last_finite, b.curves[name].last_finite
        ratio = right / left if left and right is not None else None
        out[name] = {"a": left, "b": right, "ratio": ratio, "p_value": None, "equivalent_within": None}
    return out

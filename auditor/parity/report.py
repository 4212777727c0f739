"""A lockstep's outcome as JSON, in the shape of ``auditor compare`` where it fits."""

from __future__ import annotations

from typing import Any

from auditor.compare import causes
from auditor.compare.recognise.cause import Cause
from auditor.parity import diagnose, fix
from auditor_agent.parity import Divergence, Outcome


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Verdict, first divergence, cause, what was compared and how."""
    first, cause = outcome.first, diagnose.cause(outcome)
    frameworks = outcome.a.framework, outcome.b.framework
    told = []
    if first is not None and cause is not None:
        told = [causes.as_json(cause, frameworks) | {"stage": first.stage}]
    return {
        "verdict": "equivalent" if outcome.equivalent else "mismatch",
        "outcome": "equivalent" if outcome.equivalent else "differs",
        "first_divergence": None if first is None else _divergence(first),
        "causes": told,
        "harmless": [_harmless(one) for one in diagnose.conventions(outcome)],
        "a": {"framework": frameworks[0]},
        "b": {"framework": frameworks[1]},
        "reasons": [_reason(outcome), *_doubts(outcome)],
        "steps": outcome.steps,
        "comparisons": outcome.comparisons,
        "aligned": [{"a": a.name, "b": b.name, "kind": a.kind} for a, b in outcome.alignment.pairs],
        "transplant_error": outcome.alignment.error,
        "probes": outcome.alignment.probes,
        "unseen": outcome.unseen,
        "closest": outcome.worst,
        "fix": fix.lines(outcome),
    }


def _divergence(first: Divergence) -> dict[str, Any]:
    return {
        "stage": first.stage,
        "step": first.step,
        "part": first.part,
        "a": first.name[0],
        "b": first.name[1],
        "distance": first.distance,
        "tolerance": first.tolerance,
    }


def _harmless(cause: Cause) -> dict[str, Any]:
    return {"id": cause.id, "why": cause.effect, "parameter": cause.parameter, "how": cause.how}


def _reason(outcome: Outcome) -> str:
    first = outcome.first
    if first is None:
        return f"{outcome.comparisons} comparisons in {outcome.steps} steps, none beyond what rounding explains"
    return (
        f"step {first.step}, {first.stage}: {first.part} of {first.name[0]} and {first.name[1]} differ by "
        f"{first.distance:.2g}; rounding explains {first.tolerance:.2g}"
    )


def _doubts(outcome: Outcome) -> list[str]:
    return [
        f"{side} does not run in float64 ({why}): its rounding is not known"
        for side, why in outcome.without_oracle.items()
    ]

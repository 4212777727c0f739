"""Types and rounding: DATA-04, PREC-01."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, between, how

_BITS = {"float64": 53, "float32": 24, "tensorfloat32": 11, "float16": 11, "bfloat16": 8}


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """At which precision the two compute."""
    weights, compute = between(a, b, "precision.weights"), between(a, b, "precision.compute")
    if weights is not None and weights[0].value != weights[1].value:
        bits = [min(_BITS.get(kind, 24) for kind in fact.value) for fact in weights]
        entry = "DATA-04" if max(bits) == _BITS["float64"] and min(bits) == _BITS["float32"] else "PREC-01"
        values = [", ".join(fact.value) for fact in weights]
        effect = f"weights are kept to {bits[0]} and to {bits[1]} bits"
        yield Cause(entry, "precision.weights", (values[0], values[1]), weight=2.0 ** (3 - min(bits)), effect=effect)
    elif compute is not None and compute[0].value != compute[1].value:
        bits = [_BITS.get(str(fact.value), 24) for fact in compute]
        effect = f"gradients have {bits[0]} and {bits[1]} significant bits"
        values = [fact.value for fact in compute]
        yield Cause(
            "PREC-01", "precision.compute", (values[0], values[1]), weight=2.0 ** (3 - min(bits)), effect=effect
        )
    policy = between(a, b, "precision.policy")
    if policy is not None and policy[0].value != policy[1].value and weights is None and compute is None:
        values = [fact.value for fact in policy]
        yield Cause(
            "PREC-01",
            "precision.policy",
            (values[0], values[1]),
            weight=0.01,
            effect="declared",
            how=how(*policy),
            confidence=0.7,
        )

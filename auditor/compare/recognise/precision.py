"""Types and rounding: DATA-04, PREC-01."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from auditor.compare.identify.fact import How
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, between, how, percent

#: Rounding of inputs, in parts of their spread, that is no more than the format leaves of any number.
_ROUNDED: Final = 0.02
_BITS: Final = {"float64": 53, "float32": 24, "tensorfloat32": 11, "float16": 11, "bfloat16": 8}


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
    yield from _of_inputs(a, b)
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


def of_inputs(a: Profile, b: Profile) -> tuple[float, float] | None:
    """How far what each side is fed is rounded, in parts of its spread; None where neither side alone is."""
    sizes = [float(side.value("precision.inputs") or 0.0) for side in (a, b)]
    return None if min(sizes) > _ROUNDED or max(sizes) <= _ROUNDED else (sizes[0], sizes[1])


def _of_inputs(a: Profile, b: Profile) -> Iterator[Cause]:
    """Inputs that are rounded before a layer centres them, where the other side has them as they are.

    By a mixed policy; by Keras at all, of numbers that float32 does not hold.
    """
    sizes = of_inputs(a, b)
    if sizes is None:
        return
    side = a if sizes[0] > sizes[1] else b
    policy = str(side.value("precision.policy"))
    mixed = policy.startswith("mixed_")
    values = tuple("as they are" if size <= _ROUNDED else policy for size in sizes)
    effect = f"inputs are rounded before they are centred on one side: by {percent(max(sizes))} of their spread"
    mend: Literal["a", "b"] = "a" if side is a else "b"
    # That the policy acts shows in the bits of what was computed; which layer comes first is declared.
    acts = policy.endswith(str(side.value("precision.compute")))
    by: How = "measured" if acts else "declared"
    entry, weight = "PREC-01" if mixed else "DATA-04", min(1.0, max(sizes))
    yield Cause(entry, "precision.inputs", (values[0], values[1]), weight, effect, how=by, confidence=0.9, mend=mend)

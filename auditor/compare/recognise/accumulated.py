"""Whether a step of several batches is their sum or their mean, where no loss could be fitted: OPT-21."""

from __future__ import annotations

import math
from typing import Final

from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import between
from auditor.compare.recognise.conduct import batches, first_ratio

#: How far the logarithm of a ratio may be from that of a count, in parts of it: half of what leads half way to 1.
_NEAR: Final = 0.25


def ratio(a: Profile, b: Profile) -> float | None:
    """How many times the gradient of ``a`` that of ``b`` is: the batches to a step, or one by them; else None.

    Where one loss is of several batches its function cannot be fitted. Then its size and that of the gradient speak
    at the first step, if both are as many times the other's as there are batches.
    """
    reduction, count = between(a, b, "loss.reduction"), batches(a)
    fitted = between(a, b, "loss.factor") is not None or between(a, b, "backward.factor") is not None
    if fitted or count < len("ab") or batches(b) != count:
        return None
    if reduction is None or reduction[0].value != reduction[1].value:
        return None
    known = [first_ratio(a, b, name) for name in ("loss", "grad_norm")]
    for scale in (float(count), 1 / count):
        if all(one and abs(math.log(one) / math.log(scale) - 1) < _NEAR for one in known):
            return scale
    return None

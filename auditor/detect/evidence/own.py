"""Is the gradient that the optimizer was given just that of the recorded batch, and of nothing else?"""

from __future__ import annotations

from typing import Final

import numpy as np

from auditor.detect.evidence.ending import last_activation
from auditor.detect.evidence.scored import output_gradient, scored
from auditor.detect.recorded import RecordView

#: Relative difference up to which a gradient is that of its own batch.
_SAME: Final = 2e-2


def own_gradient(view: RecordView) -> bool | None:
    """Whether a bias at the end of the model has just the gradient that outputs and targets of this step give it.

    None where that cannot be computed: for a loss, or an ending, that is not known, or without such a bias.
    """
    seen = scored(view)
    expected = None if seen is None or seen.weights is not None else output_gradient(seen, last_activation(view))
    size = 0.0 if expected is None else float(np.linalg.norm(expected))
    if expected is None or not size > 0:
        return None
    ends = [one.values for one in view.of("gradient").values() if one.shape == (len(expected),)]
    known = [values.astype(np.float64) for values in ends if values is not None and len(values) == len(expected)]
    if not known:
        return None
    return any(float(np.linalg.norm(values - expected)) <= _SAME * size for values in known)

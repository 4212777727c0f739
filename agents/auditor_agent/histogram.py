"""The histogram of a tensor: how many of its elements have which order of magnitude.

64 counters of ``floor(log2 |x|)``, the exponent that a floating-point number carries in its own bits:
the bin costs no logarithm, and means the same in every format.

======  ==================================================================================
bin     magnitudes
======  ==================================================================================
0       below 2⁻³⁹: exact zeros, subnormal numbers and everything too small to move a weight
1 … 62  [2^(b-40), 2^(b-39))
63      from 2²³ up, infinities included
======  ==================================================================================

Signs are not kept (``min``, ``max`` and ``mean`` of the same step tell them); NaN is in no bin, so the
counters sum to ``count - nan``. How many of bin 0 are exact zeros and how many of bin 63 infinite is
what ``zeros`` and ``inf`` of the same step say. A counter saturates at 2³²-1.

Why these bounds: what log2 histograms are read for is whether values leave what a format can hold
(Micikevicius et al. 2018, "Mixed Precision Training", arXiv:1710.03740, figure 3). The bins span all
of float16, its subnormals (2⁻²⁴) and its overflow (2¹⁶) included, with 16 octaves below for gradients
that a loss scale would have to lift, and 7 above.
"""

from __future__ import annotations

from typing import Final

BINS: Final = 64
#: Exponent of bin 0's nominal lower edge.
FIRST_EXPONENT: Final = -40
COUNTER_BYTES: Final = 4
#: What one histogram takes, in bytes.
HISTOGRAM_BYTES: Final = BINS * COUNTER_BYTES
#: Largest count that a counter holds.
MOST: Final = 2**32 - 1


def lower_edge(bin_: int) -> float:
    """The smallest magnitude in a bin; 0 for the first, which takes all that is smaller."""
    return 2.0 ** (bin_ + FIRST_EXPONENT) if bin_ else 0.0

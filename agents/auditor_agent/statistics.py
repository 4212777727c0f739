"""The twelve statistics of a tensor: their names, their order, their types.

This order is the order of the columns on the wire and of the rows that every kernel writes:
one matrix of shape ``(12, tensors)`` of four-byte little-endian words per step, the first four
rows unsigned integers, the other eight float32. All statistics describe the *finite* values;
the non-finite ones are counted beside them.
"""

from __future__ import annotations

from typing import Final

#: Counts, stored as uint32: elements, NaN, +-Inf, exact zeros. Saturate at 2**32 - 1.
COUNTS: Final = ("count", "nan", "inf", "zeros")
#: Moments and extremes of the finite values, stored as float32. ``std`` is the population
#: standard deviation; ``sum`` and ``sumsq`` are what makes shards and ranks mergeable. A value
#: beyond float32's range saturates at its largest finite number: an Inf here would claim an Inf
#: in the tensor, which is what ``inf`` counts. A tensor without finite values has 0 everywhere.
MOMENTS: Final = ("mean", "std", "min", "max", "absmax", "l2", "sum", "sumsq")
STATISTICS: Final = COUNTS + MOMENTS

WORDS: Final = len(STATISTICS)
WORD_BYTES: Final = 4
#: What one tensor costs in one step, in bytes.
ROW_BYTES: Final = WORDS * WORD_BYTES

#: What a tensor is to the training step. ``update`` is what the step did to a weight.
KINDS: Final = ("gradient", "update", "weight", "activation", "batch", "output")

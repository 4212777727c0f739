"""Does a weight look as an initialiser leaves it? Told from its shape and its moments alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

#: Elements that a distribution's spread is told from, and how far it may be off (one over the root of it, some times).
_FEWEST: Final = 64
_OFF: Final = 0.04


def fresh(shape: Sequence[int], moments: Mapping[str, float]) -> bool:
    """Whether a tensor's spread is that of a published initialiser, centred on zero.

    Uniform: spread of one, and a largest value just below a published bound, sqrt(c / fan), which
    training oversteps soon. Normal: variance c / fan, and tails of a normal. fan is fan_in, fan_out or
    their mean (LeCun et al. 1998; Glorot and Bengio 2010; He et al. 2015; torch's default is c = 1).

    Args:
        shape: of the weight.
        moments: ``mean``, ``std``, ``absmax`` of it.
    """
    count = math.prod(shape)
    spread, largest = moments["std"], moments["absmax"]
    if len(shape) < 2 or count < _FEWEST or not spread > 0 or abs(moments["mean"]) > 5 * spread / math.sqrt(count):
        return False
    off = _OFF + 2 / math.sqrt(count)
    fans = _fans(shape, count)
    if abs(spread / largest * math.sqrt(3) - 1) < off:
        bounds = (math.sqrt(c / fan) for fan in fans for c in (1, 3, 6))
        return any(0 <= 1 - largest / bound < 8 / count for bound in bounds)
    if not 1.9 < largest / spread < math.sqrt(2 * math.log(count)) + 1:  # truncated at two deviations, or not at all
        return False
    return any(abs(spread / math.sqrt(c / fan) - 1) < off for fan in fans for c in (1, 2))


def _fans(shape: Sequence[int], count: int) -> set[float]:
    """Fan-in, fan-out and their mean, in torch's layout of a convolution and in TensorFlow's."""
    rest, last = count // (shape[0] * shape[1]), count // (shape[-1] * shape[-2])
    fans: set[float] = {shape[0] * rest, shape[1] * rest, shape[-1] * last, shape[-2] * last}
    return fans | {(shape[0] + shape[1]) * rest / 2, (shape[-1] + shape[-2]) * last / 2}

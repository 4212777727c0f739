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

    Uniform, whatever the bound: standard deviation over largest value is 1/sqrt(3). Normal: variance
    c / fan, c 1 or 2, of fan_in, fan_out or their mean (Glorot and Bengio 2010; He et al. 2015).
    Training takes the edges off a uniform weight within few steps.

    Args:
        shape: of the weight.
        moments: ``mean``, ``std``, ``absmax`` of it.
    """
    count = math.prod(shape)
    spread, largest = moments["std"], moments["absmax"]
    if len(shape) < 2 or count < _FEWEST or not spread > 0 or abs(moments["mean"]) > 5 * spread / math.sqrt(count):
        return False
    off = _OFF + 2 / math.sqrt(count)
    if abs(spread / largest * math.sqrt(3) - 1) < off:
        return True
    if not 1.9 < largest / spread < math.sqrt(2 * math.log(count)) + 1:  # truncated at two deviations, or not at all
        return False
    rest = count // (shape[0] * shape[1])  # receptive field of a convolution in torch's layout
    last = count // (shape[-1] * shape[-2])  # and in TensorFlow's
    fans: set[float] = {shape[0] * rest, shape[1] * rest, shape[-1] * last, shape[-2] * last}
    fans |= {sum((shape[0], shape[1])) * rest / 2, sum((shape[-1], shape[-2])) * last / 2}
    return any(abs(spread / math.sqrt(c / fan) - 1) < off for fan in fans for c in (1, 2))

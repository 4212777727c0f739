"""Whether weights changed: digests of arrays in host memory. Needs NumPy."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

#: Bytes of a tensor up to which every one of them counts; of a larger one evenly spread elements.
WHOLE: Final = 4 << 20
#: Tensors whose own digests are told.
MOST: Final = 256


class WeightDigests:
    """Makes the fields of the event ``weights``."""

    def __init__(self) -> None:
        self._before = ""

    def fields(self, weights: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
        """``digest`` of all; ``digests`` by name if it differs from the one of the call before."""
        each = {name: f"{zlib.crc32(_bytes(array).data):08x}" for name, array in weights.items()}
        digest = f"{zlib.crc32(repr(each).encode()):08x}"
        changed, self._before = digest != self._before, digest
        return {"digest": digest} | ({"digests": dict(list(each.items())[:MOST])} if changed else {})


def _bytes(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat if array.nbytes <= WHOLE else flat[:: -(-array.nbytes // WHOLE)].copy()

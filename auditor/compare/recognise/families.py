"""Forms of one loss that have an entry of the catalogue together: LOSS-10 to LOSS-13."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: Functions that are one loss up to a constant, by the entry that says so.
_FAMILY: Final = {"huber": "LOSS-11", "smooth l1": "LOSS-11", "poisson": "LOSS-12", "cosine": "LOSS-13",
                  "hinge": "LOSS-13", "squared hinge": "LOSS-13", "divergence": "LOSS-10"}  # fmt: skip
#: A divergence is a cross entropy less what its targets have by themselves.
_LIKE: Final = {"LOSS-10", "cross entropy"}


def entry(names: Sequence[str]) -> str:
    """The entry of two forms of one loss; LOSS-00 for two losses, of which one happens to have an entry."""
    told = {next((one for word, one in _FAMILY.items() if name.startswith(word)), name) for name in names}
    if told == _LIKE:
        return "LOSS-10"
    found = next(iter(told)) if len(told) == 1 else "LOSS-11" if "LOSS-11" in told else "LOSS-00"
    return found if found.startswith("LOSS") else "LOSS-00"

"""Where the exponential of a rate is: at the end of the model, or in the loss that takes the rate's logarithm."""

from __future__ import annotations

from typing import Final

from auditor.compare.profile import Profile
from auditor.compare.structure import Difference, Operation

_EXPONENTIAL: Final = "exponential"


def one_rate(a: Profile, b: Profile) -> bool:
    """Whether both minimise Poisson's loss of one rate, which one model ends in and the other's loss works out."""
    takes = {str(side.value("loss.takes")): side for side in (a, b)}
    if takes.keys() != {"rate", "log rate"} or any(side.value("loss.function") != "poisson" for side in (a, b)):
        return False
    return _ends(takes["rate"]) and not _ends(takes["log rate"])


def _ends(side: Profile) -> bool:
    """Whether the model's last operation is the exponential."""
    told = {one.facts.get("output_activation") for one in side.evidence.steps}
    return _EXPONENTIAL in told or any(map(is_exponential, side.structure.operations[-1:]))


def is_exponential(one: Operation | None) -> bool:
    """Whether an operation is the exponential function."""
    return one is not None and one.kind == "activation" and one.settings.get("function") == _EXPONENTIAL


def of_link(one: Difference) -> bool:
    """Whether a difference is that one side has an exponential and the other nothing in its place."""
    return (one.a is None and is_exponential(one.b)) or (one.b is None and is_exponential(one.a))

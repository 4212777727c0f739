"""What the loss of a run is, and of which targets: read in the order in which one reading rests on the other."""

from __future__ import annotations

from auditor.compare.identify import class_weights, factors, labels, packed
from auditor.compare.identify.evidence import Evidence, targets_of
from auditor.compare.identify.loss_fits import LossFit


def told(evidence: Evidence) -> tuple[Evidence, list[LossFit]]:
    """The evidence with the targets that the loss is of, and what the loss may be, the best first.

    A target is looked for where none was recorded, taken apart where its mask came with it, and taken back to its
    labels where the program worked it out; weights of rows that are those of classes become these.
    """
    found = factors.told(evidence)
    for read in (packed.told, labels.told, class_weights.told):
        found = read(*found)
    kept, fits = found
    return (factors.untold(kept) if _given_for_nothing(kept, fits) else kept), fits


def _given_for_nothing(evidence: Evidence, fits: list[LossFit]) -> bool:
    """Whether all targets are one number and no loss is known to be of them: ``fit`` has to be given some."""
    each = [target for one in evidence.steps for target in targets_of(one)]
    explained = bool(fits) and fits[0].explains
    return bool(each) and not explained and all((target == each[0].flat[:1]).all() for target in each)

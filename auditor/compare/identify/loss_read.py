"""What the loss of a run is, and of which targets: read in the order in which one reading rests on the other."""

from __future__ import annotations

from auditor.compare.identify import class_weights, factors, labels, packed
from auditor.compare.identify.evidence import Evidence
from auditor.compare.identify.loss_fits import LossFit


def told(evidence: Evidence) -> tuple[Evidence, list[LossFit]]:
    """The evidence with the targets that the loss is of, and what the loss may be, the best first.

    A target is looked for where none was recorded, taken apart where its mask came with it, and taken back to its
    labels where the program worked it out; weights of rows that are those of classes become these.
    """
    found = factors.told(evidence)
    for read in (packed.told, labels.told, class_weights.told):
        found = read(*found)
    return found

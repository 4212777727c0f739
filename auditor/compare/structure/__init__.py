"""What two networks consist of: their operations in one vocabulary, side by side, and what differs.

``operations`` reads one run, ``alignment`` lays two beside each other; ``recognise.forward`` names what differs.
"""

from auditor.compare.structure.alignment import Difference, differences
from auditor.compare.structure.operations import Operation, Structure, structure

__all__ = ["Difference", "Operation", "Structure", "differences", "structure"]

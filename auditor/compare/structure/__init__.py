"""What two networks consist of: their operations in one vocabulary, side by side, and what differs.

``operations`` reads one run, ``alignment`` lays two beside each other; ``recognise.forward`` names what differs.
"""

from auditor.compare.structure.alignment import Difference, differences, of_one_stock
from auditor.compare.structure.operation import Operation
from auditor.compare.structure.operations import Structure, structure

__all__ = ["Difference", "Operation", "Structure", "differences", "of_one_stock", "structure"]

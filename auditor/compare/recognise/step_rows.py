"""How many samples a step is of, where its model may be given several rows for each: anchors and positives in one."""

from __future__ import annotations

import numpy as np

from auditor.compare.profile import Profile


def step_rows(side: Profile) -> set[int]:
    """What a step's samples may be counted as: the rows of its batch, and fewer that go into these without a rest.

    Those of its loss, and those that the program took of its data.
    """
    batch = int(side.value("data.batch_size") or 0)
    taken = side.curves.get("samples")
    usual = 0 if taken is None or not len(taken.values) else float(np.median(taken.values))
    others = {int(side.value("data.of_loss") or 0), int(usual) if np.isfinite(usual) else 0}
    return {batch, *(one for one in others if one > 0 and batch % one == 0)} - {0}

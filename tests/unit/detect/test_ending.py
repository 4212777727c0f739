"""What a model ends in, where no layer declares it."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.lanes import Sender, array

RNG = np.random.default_rng(11)


@pytest.mark.parametrize(("flat", "shown", "said"), [(True, True, True), (False, True, True), (True, False, False)])
def test_an_activation_that_is_called_as_a_function_is_found_by_its_outputs(
    flat: bool, shown: bool, said: bool
) -> None:
    """A model of plain variables declares no layer: the last activation recorded gave the very outputs, or did not."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="tensorflow")
    outputs, target = 1 / (1 + np.exp(-RNG.normal(size=(32, 1)))), RNG.normal(size=(32, 1))
    of = outputs if shown else outputs / 2
    units = np.stack([of.mean(axis=0), of.std(axis=0), of.min(axis=0), of.max(axis=0)])
    facts = {"layers": [{"name": "relu", "activation": "relu"}, {"name": "sigmoid", "activation": "sigmoid"}]}
    for step in range(1, 4):
        given = [outputs[:, 0], target[:, 0]] if flat else [outputs, target]
        arrays = [array("output", "output0", given[0]), array("target", "target0", given[1])]
        loss = {"loss": float(((outputs - target) ** 2).mean())}
        found += sender.record(Recording(step, [*arrays, array("units", "sigmoid", units)], loss, facts))
    assert [one.step for one in found if one.rule == "output_activation_mismatch"] == [3] * said

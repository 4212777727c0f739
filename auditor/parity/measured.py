"""What a lockstep's numbers show by themselves: the loss that was computed, what an update differs by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from auditor.compare.identify.evidence import F64
from auditor.compare.profile import Profile, profile
from auditor.compare.recognise import loss
from auditor.compare.recognise.cause import Cause
from auditor.ingest.records import Recorded, StepRecording
from auditor_agent.parity import Outcome
from auditor_agent.parity.seen import Seen, array


def losses(outcome: Outcome) -> Iterator[Cause]:
    """How the two losses differ, identified from output, target and value of each side."""
    both = facts(outcome)
    if both is not None:
        step = outcome.first.step if outcome.first else 1
        yield from (replace(cause, step=step) for cause in loss.causes(*both))


def facts(outcome: Outcome) -> tuple[Profile, Profile] | None:
    """What each side's output, target and loss show; None without a step that was seen."""
    if outcome.seen is None or outcome.batch is None:
        return None
    target = np.asarray(array(outcome.batch[1]))
    sides = zip((outcome.a, outcome.b), outcome.seen, strict=True)
    left, right = (_profile(side.framework, seen, target) for side, seen in sides)
    return left, right


def _profile(framework: str, seen: Seen, target: Any) -> Profile:
    given: dict[tuple[str, str], Recorded] = {}
    # The names that the flight recorder gives them.
    for role, values in (("output", seen.output.astype(np.float32)), ("target", target)):
        name = f"{role}0"
        given[role, name] = Recorded(role, name, str(values.dtype), values.shape, values.size, values.reshape(-1))
    one = StepRecording(0, 0, 1, given, {"loss": seen.loss, "loss/data": seen.loss})
    found = profile(framework, framework, [one])
    if found.facts.get("loss.function") is None and target.ndim == 2 and target.shape[1] == 1:
        # Nothing explains the value: the program may have flattened the target before its loss.
        return _profile(framework, seen, target[:, 0])
    return found


def movements(outcome: Outcome) -> tuple[F64, F64, F64] | None:
    """Of the tensor that differs: the weight before the step, and what each side added to it."""
    if outcome.first is None or outcome.seen is None:
        return None
    for a, b in outcome.alignment.pairs:
        for tensor in a.slots.keys() & b.slots.keys():
            if (f"{a.name}.{tensor}", f"{b.name}.{tensor}") != outcome.first.name:
                continue
            moved = [cell.slots[tensor].take(seen.updates, summed=True)
                     for cell, seen in zip((a, b), outcome.seen, strict=True)]  # fmt: skip
            after = a.slots[tensor].take(outcome.a.weights(), summed=True)
            if moved[0] is None or moved[1] is None or after is None:
                return None
            return after - moved[0], moved[0], moved[1]
    return None


def alike(a: F64, b: F64) -> float:
    """Absolute cosine of the angle between two tensors: 1 where one is a multiple of the other."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return abs(float(np.vdot(a, b))) / lengths if lengths > 0 else 0.0

"""Models of several outputs: each output with its target and its loss, looked at by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.detect.recorded import RecordView
from auditor.ingest.records import Recorded


class Head(RecordView):
    """One output of a recorded step, as if the model had no other.

    Its array is ``output0``, its target ``target0``. What the step's loss was for it alone is not
    known: it has no scalars. All else is the whole step's.
    """

    def __init__(self, whole: RecordView, told: Mapping[str, Any]) -> None:
        self.attempt, self.rank, self.run = whole.attempt, whole.rank, whole.run
        self.step, self.steps, self.times = whole.step, whole.steps, whole.times
        self.derived: dict[str, Any] = {}
        self.name = str(told.get("name", told["output"]))
        """The output's name."""
        self._whole, self._told = whole, told

    @property
    def facts(self) -> dict[str, Any]:
        """The whole step's, but loss and last activation are this output's."""
        activation, declared = self._told.get("activation"), self._told.get("loss")
        loss = {"declared": declared}
        if isinstance(declared, Mapping) and "operation" in declared:  # as torch's graph calls it
            loss["operation"] = declared["operation"]
        own = {"output_activation": activation or "", "loss": loss, "heads": None}
        return {**self._whole.facts, **own}

    @property
    def scalars(self) -> dict[str, float]:
        """None are this output's alone."""
        return {}

    def of(self, role: str) -> dict[str, Recorded]:
        """The arrays of ``role``; of outputs and targets this one's."""
        if role not in {"output", "target"}:
            return self._whole.of(role)
        one = self._whole.array(role, str(self._told.get(role)))
        return {} if one is None else {f"{role}0": one}

    def array(self, role: str, name: str) -> Recorded | None:
        """One array, None if it was not recorded."""
        return self.of(role).get(name)


def heads(view: RecordView) -> list[RecordView]:
    """``view`` itself, or a view of each output where there are several and each has its loss. Worked out once."""
    if "heads" not in view.derived:
        told = view.facts.get("heads")
        parts = [one for one in told if isinstance(one, Mapping) and "output" in one] if isinstance(told, list) else []
        view.derived["heads"] = [Head(view, one) for one in parts] or [view]
    found: list[RecordView] = view.derived["heads"]
    return found

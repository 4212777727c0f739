"""A whole run by its numbers, to be told to the rules in frames of any size."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from auditor.alerts.lifecycle import AlertBook
from auditor.detect.engine import RunAuditor
from auditor.ingest.decode import Block, StepBatch
from auditor.model import Finding
from auditor_agent import jsonfinite
from auditor_agent.stream.recording import Recording
from support.batches import RUN, table, words
from support.lanes import Sender

LAYERS = 5
TABLE = table(LAYERS)
GRADIENTS = [place for place, tensor in enumerate(TABLE) if tensor.kind == "gradient"]


@dataclass(repr=False)
class Story:
    """``loss``, ``lr`` (N,); ``norms`` (N, tensors) of the gradients; step numbers begin with 1.

    ``scalars``: by name and step; ``weights``: norms of all weights by sampled step; ``bad``: NaN in the
    first gradient at these steps; ``recordings``: in the order in which they were made.
    """

    loss: np.ndarray
    lr: np.ndarray
    norms: np.ndarray
    scalars: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    weights: Mapping[int, float] = field(default_factory=dict)
    bad: Sequence[int] = ()
    events: Sequence[Mapping[str, Any]] = ()
    recordings: Sequence[Recording] = ()
    framework: str = "torch"
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def frame(self, first: int, after: int) -> StepBatch:
        """The steps from index ``first`` to before ``after``."""
        numbers = np.arange(first + 1, after + 1)
        scalars: dict[str, Any] = {
            "loss": (np.arange(after - first), self.loss[first:after]),
            "lr": (np.arange(after - first), self.lr[first:after]),
        }
        for name, told in self.scalars.items():
            here = sorted(step for step in told if first < step <= after)
            if here:
                scalars[name] = (np.array(here) - first - 1, np.array([told[step] for step in here]))
        events = tuple(dict(event) for event in self.events if first < event["step"] <= after)
        times = 1000.0 + numbers * 0.1
        blocks = tuple(self._blocks(first, after))
        return StepBatch(RUN, 0, 0, 0, "t", numbers.astype(np.uint64), times, scalars, blocks, events)

    def _blocks(self, first: int, after: int) -> Iterator[Block]:
        sampled = [step - 1 for step in self.weights if first < step <= after]
        cuts = sorted({first, after, *sampled, *(at + 1 for at in sampled)})
        for low, high in pairwise(cuts):
            ids = list(range(len(TABLE))) if low in sampled else GRADIENTS
            norms = self.norms[low:high]
            if low in sampled:
                norms = np.concatenate([norms, np.full_like(norms, self.weights[low + 1])], axis=1)
            block = words(high - low, [TABLE[i] for i in ids], norms)
            for step in self.bad:
                if low < step <= high:
                    block[step - low - 1, 1, 0] = 3
            yield Block(low - first, np.array(ids, np.int64), block)

    def tell(self, size: int, restarts: Collection[int] = ()) -> tuple[RunAuditor, list[Finding]]:
        """The findings, with ``size`` steps in a frame; recordings come before the frame that holds their step.

        After the frames of these numbers another auditor goes on from what the one before had written down.
        """
        sender = Sender(RunAuditor(RUN))
        found = sender.start(framework=self.framework) + sender.manifest(self.manifest)
        waiting = list(self.recordings)
        for first in range(0, len(self.loss), size):
            after = min(first + size, len(self.loss))
            while waiting and waiting[0].step <= after:
                found += sender.record(waiting.pop(0), ahead=True)
            found += sender.steps(self.frame(first, after), TABLE)
            if first // size in restarts:
                written = jsonfinite.dumps(sender.auditor.to_state())
                sender.auditor = RunAuditor.from_state(json.loads(written))
        return sender.auditor, found + sender.auditor.ended(0, 0, "finished")


Told = tuple[str, str, str, int, str]


def alerts(found: list[Finding]) -> list[Told]:
    """What a person is told in the end: rule, kind and name of the subject, first step, state."""
    book = AlertBook(RUN)
    book.apply(found, 0.0)
    return sorted((a.rule, a.subject.kind, a.subject.name, a.first_step, str(a.state)) for a in book.alerts)

"""One run as a comparison sees it, read from the store once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from auditor.compare.curves import Curves, ScalarStore
from auditor.compare.first_norms import first_norms
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.trajectories import Curve
from auditor.ingest.records import StepRecording, assemble
from auditor.model import Alert


class UnknownRunError(LookupError):
    """The store knows no such run; ``run`` is its id."""

    def __init__(self, run: str) -> None:
        super().__init__(f"no run {run!r}")
        self.run = run


class RunStore(ScalarStore, Protocol):
    """What a comparison asks of the store (``auditor.store.Store`` has it)."""

    def run(self, run: str) -> Any:
        """The run's record, or None."""

    def runs(self, *, project: str | None = None, limit: int = 100) -> Sequence[Any]:
        """Records of a project's runs, the one that changed last first."""

    def manifests(self, run: str) -> Sequence[Any]:
        """The manifests of its processes (``attempt``, ``rank``, ``manifest``)."""

    def alerts(self, *, run: str) -> Sequence[Alert]:
        """The alerts of the run."""

    def events(self, run: str) -> Sequence[Any]:
        """The events of the run."""

    def tables(self, run: str) -> Mapping[str, Any]:
        """The tensor tables of the run by digest."""

    def chunks(self, run: str, *, attempt: int | None = None, rank: int | None = None, type: str | None = None) -> Any:  # noqa: A002 -- the store's word
        """The run's frames of one type."""


@dataclass(frozen=True, slots=True)
class Side:
    """One run as a comparison sees it.

    ``last_step`` is None for a run without a step. ``norms``: of its first gradients, by tensor and step.
    """

    run: str
    framework: str
    status: str
    curves: Mapping[str, Curve]
    manifest: Mapping[str, Any] | None
    alerts: Sequence[Alert] = field(default=())
    last_step: int | None = None
    recordings: Sequence[StepRecording] = field(default=())
    events: Sequence[Any] = field(default=())
    project: str = ""
    norms: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    evaluations: Sequence[StepRecording] = field(default=())
    """The recorded first batches of evaluations."""
    before: Sequence[StepRecording] = field(default=())
    """Recorded steps that were left out, of weights that were replaced after them (``restarted``)."""
    further: int = 0
    """Steps that were left out at the end, of another model (``continued``)."""

    def profile(self) -> Profile:
        """What the run computes, measured and declared."""
        beside = Beside(
            self.manifest, self.curves, self.events, self.last_step, self.norms, self.evaluations, self.before
        )
        return profile(self.run, self.framework, self.recordings, beside)


def read_side(store: RunStore, run: str) -> Side:
    """A run out of the store.

    Raises:
        UnknownRunError: if the store lacks it.
    """
    record = store.run(run)
    if record is None:
        raise UnknownRunError(run)
    alerts = tuple(store.alerts(run=run))
    chunks = list(store.chunks(run, type="record"))
    seen, curves = (assemble(chunks), tuple(store.events(run))), Curves(store, run, record.last_step)
    manifest = manifest_of(store, run)
    return Side(
        run, _framework(record.framework, manifest), record.status, curves, manifest, alerts, record.last_step, *seen,
        project=record.project, norms=first_norms(store, run), evaluations=assemble(chunks, "eval"),
    )  # fmt: skip


def _framework(recorded: str, manifest: Mapping[str, Any] | None) -> str:
    """What the program is written in: ``train_on_batch`` is Keras, though it is observed as a loop of TensorFlow's."""
    told = (manifest or {}).get("framework")
    return "keras" if (recorded, told) == ("tensorflow", "keras") else recorded


def manifest_of(store: RunStore, run: str) -> Mapping[str, Any] | None:
    """The manifest that speaks for a run: the lowest rank's of the last attempt.

    Configuration is the job's, not a rank's.
    """
    found = sorted(store.manifests(run), key=lambda item: (-item.attempt, item.rank))
    return found[0].manifest if found else None

"""The shapes that meet in the loss, as the flight recorder saw them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.compared import losses
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.model import Finding, Severity, Subject

#: Operations that make sense of every pair (nearest neighbour, ranking): their losses pair on purpose.
_PAIRING: Final = ("Min", "Max", "Amin", "Amax", "Sort", "Topk", "Logsumexp", "LogSoftmax", "Softmax")
#: Elements of output and target up to which the two losses are computed as proof.
_PROOF: Final = 4096
#: torch's losses of an output against its own target.
_ELEMENTWISE: Final = ("MseLoss", "SmoothL1Loss", "HuberLoss", "BinaryCrossEntropyWithLogits")
#: Relative difference up to which a recomputed loss is the recorded one: float32 sums of up to 4,096 squared values.
_SAME: Final = 1e-5
#: The same where a lower precision may have had a hand in it. Among twenty recordings of some other loss one comes so
#: close by chance now and then: two in a row have to.
_CLOSE: Final = 1e-3

Shape = tuple[int, ...]


@dataclass(slots=True)
class ShapeMemory:
    """``seen``: training recordings that told of the loss's shapes; ``close``: those in a row that came close."""

    seen: int = 0
    close: int = 0


class LossShapeBroadcast(Rule):
    """Every output is compared with every target instead of its own."""

    id = "loss_shape_broadcast"
    severity = Severity.CRITICAL
    phase = "output"
    meaning = "output and target broadcast against each other in the loss: every output meets every target"
    needs = "recordings with the shapes of output and target as they enter the loss"
    trigger = (
        "output and target have the same elements under different ranks, (N, 1) against (N,), and both are expanded: "
        "the recorded operations say so (PyTorch), or the recorded loss is the mean squared or absolute error over all "
        "pairs and not that of each output against its own target (Keras' own losses align the ranks, which is no "
        "fault); not where the loss picks among pairs (minimum, maximum, softmax)"
    )
    source = "seeds; torch.nn.MSELoss warns of it, hand-written losses do not"
    summary = (
        "The loss compares outputs of shape {output_shape} with targets of shape {target_shape}: they broadcast to "
        "{shape}, every output against every target (step {step}{where})."
    )
    likely_causes = (
        "the model ends in one unit and its output keeps the last axis, (N, 1), while the targets are (N,)",
        "targets were squeezed or indexed so that they lost their last axis",
    )
    advice = (
        "Give both the same shape in the line that computes the loss: output.squeeze(-1) or target.unsqueeze(-1) "
        "(Keras: y[:, None], or reshape the targets to (-1, 1)); then check that the loss of a few samples is what "
        "you compute by hand."
    )
    State = ShapeMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Said at the first training step whose shapes multiply; cleared when they no longer do."""
        if view.phase != "train":
            return []
        told = {name: met for name, loss in losses(view.facts) if (met := _met(view, name, loss)) is not None}
        if not told:
            return []
        self.memory.seen += 1
        for name, met in told.items():
            evidence = self._crossed(view, name, met)
            if evidence is not None:
                return [self.finding(view, 0, Subject("loss", "loss", view.rank), evidence)]
        crossed = any(met.multiplied for met in told.values())
        return [self.cleared(view, 0, Subject("loss", "loss", view.rank))] if self.active and not crossed else []

    def _crossed(self, view: RecordView, name: str, met: Met) -> dict[str, Any] | None:
        """What is wrong with one loss; None if nothing is, or nothing proves it."""
        if not met.multiplied:
            return None
        # What is recorded of outputs and targets is the first loss's: of the others only their operations tell.
        proof = _proof(view) if name == "loss" else {}
        if name == "loss":
            self.memory.close = self.memory.close + 1 if _paired(proof, _CLOSE) else 0
        if not (_told(met.loss) or _paired(proof, _SAME) or (name == "loss" and self.memory.close > 1)):
            return None
        shapes = {"output_shape": list(met.output), "target_shape": list(met.target), "shape": list(met.wide)}
        return shapes | proof | ({} if name == "loss" else {"which": name})

    def unjudged(self) -> str | None:
        """No shapes were told."""
        return None if self.memory.seen else "no recording told of the shapes of output and target in the loss"


@dataclass(frozen=True, slots=True)
class Met:
    """What one loss compares: shapes of output and target, and of what they make together."""

    loss: Mapping[str, Any]
    output: Shape
    target: Shape
    wide: Shape

    @property
    def multiplied(self) -> bool:
        """Whether every output meets every target, and not on purpose."""
        crossed = _multiplied(self.output, self.target, self.wide) or _crossed(self.loss, self.output, self.target)
        return crossed and not _pairs(self.loss)


def _met(view: RecordView, name: str, loss: Mapping[str, Any]) -> Met | None:
    """The shapes of a loss; None where they are not told. Of the first one the recorded target will do."""
    output, target, wide = (_shape(loss.get(which)) for which in ("output_shape", "target_shape", "shape"))
    if target is None and name == "loss":
        recorded = list(view.of("target").values())
        target = recorded[0].shape if len(recorded) == 1 else None
    if target is None and output is not None and wide is not None and _told(loss):
        target = _opposite(output, wide)
    if output is None or target is None:
        return None
    try:
        together = np.broadcast_shapes(output, target)
    except ValueError:
        return None  # classes against rows: not elementwise
    # A hand-written loss tells what the difference looked like: it decides.
    return Met(loss, output, target, wide if wide is not None else together)


def _opposite(output: Shape, wide: Shape) -> Shape | None:
    """The target's shape where only the difference was recorded: (N, 1) that became (N, N) met an (N,)."""
    rows = _squeezed(output)
    square = len(rows) == 1 and rows != output and wide == rows * 2
    return rows if square else None


def _multiplied(output: Shape, target: Shape, wide: Shape) -> bool:
    both = max(math.prod(output), math.prod(target)) < math.prod(wide)
    return both and len(output) != len(target) and _squeezed(output) == _squeezed(target)


def _crossed(loss: Mapping[str, Any], output: Shape, target: Shape) -> bool:
    """A column against a row within a loss of the framework, which takes no pairs: torch turned (N,) into (1, N)."""
    sides = {output.index(1) if 1 in output else -1, target.index(1) if 1 in target else -1}
    told = loss.get("operation") in _ELEMENTWISE and loss.get("broadcast") is True
    return told and sides == {0, 1} and len(output) == len(target) == 2 and _squeezed(output) == _squeezed(target)


def _told(loss: Mapping[str, Any]) -> bool:
    """Whether what was recorded of the loss's own operations shows the expansion."""
    return _shape(loss.get("shape")) is not None or loss.get("broadcast") is True


def _paired(proof: dict[str, float], same: float) -> bool:
    """Whether the recorded loss is an error over all pairs, and not that of each output with its own target."""
    loss = proof.get("loss", math.nan)
    for error in ("squared", "absolute"):
        every, own = (proof.get(f"{error}_error_{which}", math.nan) for which in ("every_target", "own_target"))
        if abs(every - loss) <= same * abs(loss) < abs(own - loss):
            return True
    return False


def _pairs(loss: Mapping[str, Any]) -> bool:
    chain = loss.get("chain")
    return isinstance(chain, list) and any(str(op).startswith(_PAIRING) for op in chain)


def _proof(view: RecordView) -> dict[str, float]:
    """The squared error both ways, beside the loss: whoever reads the alert sees which one was computed."""
    found = [list(view.of(role).values()) for role in ("output", "target")]
    told = view.scalars.get("loss/data", view.scalars.get("loss"))
    evidence = {"loss": told} if told is not None else {}
    if any(len(arrays) != 1 or arrays[0].sampled or not 0 < arrays[0].size <= _PROOF for arrays in found):
        return evidence
    output, target = (arrays[0].whole().astype(np.float64).ravel() for arrays in found)
    if len(output) != len(target):
        return evidence
    own, every = output - target, output[:, None] - target[None, :]
    return evidence | {
        "squared_error_own_target": float(np.mean(own**2)),
        "squared_error_every_target": float(np.mean(every**2)),
        "absolute_error_own_target": float(np.mean(np.abs(own))),
        "absolute_error_every_target": float(np.mean(np.abs(every))),
    }


def _shape(value: Any) -> Shape | None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    return tuple(int(extent) for extent in value) if all(isinstance(extent, int) for extent in value) else None


def _squeezed(shape: Shape) -> Shape:
    return tuple(extent for extent in shape if extent != 1)

"""Two runs that begin with the same weights and the same batch: what their first step shows, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from auditor.compare import catalogue
from auditor.compare.identify.alike import equal, numbers
from auditor.compare.identify.arrays import distance, nearest
from auditor.compare.identify.evidence import F64, data, targets_of
from auditor.compare.identify.loss_pairs import data_loss
from auditor.compare.identify.losses import log_softmax
from auditor.compare.profile import Profile
from auditor.compare.recognise import biases, skipped, squashed, untracked
from auditor.compare.recognise.cause import LISTED, MATTERS, Cause, close, percent
from auditor.compare.recognise.untracked import Untracked
from auditor.compare.structure import told_by
from auditor.ingest.records import StepRecording

#: Relative distance of values that are the same but for rounding on their way through a network.
ROUNDING: Final = 2e-5
_FORWARD: Final = frozenset({"forward", "eval"})
#: What the output of a training step does not show: evaluations, running statistics, gradients that a table keeps out.
_UNSEEN: Final = frozenset({"MODE-03", "FWD-02", "FWD-03", "FWD-21"})
#: Relative difference of two decays, each read off the steps, that is none.
_DECAY: Final = 1e-2
#: Operations, and beginnings of the names of layers, that draw numbers.
_RANDOM: Final = frozenset({"dropout", "noise"})
_DRAWN: Final = ("Random", "Gaussian", "Sampling")
#: What a loss that nobody knows may hold beside that of the data, where the other side has it in its optimizer.
_PULLS: Final = ("penalty.l2", "penalty.l1", "penalty.declared.l2", "penalty.declared.l1")
#: Stages of which any difference may be why two losses of equal outputs differ.
_OF_LOSS: Final = frozenset({"loss", "backward", "regularization", "reporting", "precision"})
#: Part of an output that varies from row to row, of one that tells what it was given (ours).
_VARIES: Final = 1e-2
#: Losses that a softmax stands before, within the loss or before it.
_SHARES: Final = frozenset({("cross entropy", "logits"), ("cross entropy", "log probabilities")})
#: Axes of rows of scores.
_ROWS_OF: Final = 2
#: Relative distance of equal numbers, one of them perhaps rounded to float32.
_EQUAL: Final = 1e-6


@dataclass(frozen=True, slots=True)
class FirstStep:
    """Relative distance of the two first outputs, given equal weights and an equal batch.

    ``fed``: False where the batches were recorded as other numbers and the outputs agree all the same: one model
    scales its inputs itself. ``scales``: one of them is known to. ``losses``: of the data, without a penalty, where no
    targets were seen to differ. ``untracked``: weights that one side alone trains, and that both compute with.
    """

    output: float
    fed: bool = True
    scales: bool = False
    losses: tuple[float, float] | None = None
    untracked: Untracked | None = None


def first_step(a: Profile, b: Profile) -> FirstStep | None:
    """The comparison; None unless both begin alike and both outputs were recorded.

    Of weights that one side lacks only where its outputs show that it computes with them all the same.
    """
    left, right = a.evidence.first, b.evidence.first
    if left is None or right is None or max(left.step, right.step) > 1:
        return None
    alike = same_weights(left, right)
    fewer = None if alike else untracked.by_weights(a, b)
    if not alike and fewer is None:
        return None
    same = _same_data(a, b, left, right)
    if not same and not _same_targets(left, right):
        return None
    logs = any(_logarithms(one) for one in (left, right))
    outputs = [_output(one, logs=logs) for one in (left, right)]
    if outputs[0] is None or outputs[1] is None:
        return None
    off = _apart(outputs[0], outputs[1], shares=_of_shares(a, b))
    plain = same and fewer is None  # else it takes equal outputs to show that the two compute the same
    # Outputs that differ show nothing where each side draws its own numbers, or where one model ends in what is a
    # part of the other's loss; those that agree are equal whatever is known of either.
    silent = not plain or any(_draws(side) for side in (a, b)) or not _same_end(a, b)
    if off is None or (off > ROUNDING and silent) or not (plain or _tells(outputs[0])):
        return None
    losses = _losses(left, right) if same and not _known(a, b) else None
    return FirstStep(off, same, a.scales or b.scales, losses, fewer)


def _same_end(a: Profile, b: Profile) -> bool:
    """Whether neither model ends in a softmax or sigmoid that the other leaves to its loss, as their losses tell."""
    return a.value("loss.takes") == b.value("loss.takes") and squashed.by_sigmoid(a) == squashed.by_sigmoid(b)


def _of_shares(a: Profile, b: Profile) -> bool:
    """Whether both losses are of the softmax of what the models give, which a number added to a row is nothing to."""
    return all((side.value("loss.function"), side.value("loss.takes")) in _SHARES for side in (a, b))


def _apart(a: F64, b: F64, *, shares: bool) -> float | None:
    """The distance of two outputs; of logits that of their log softmax, if less: a model may end in it."""
    off = nearest(a, b)
    if off is None or off <= ROUNDING or not shares or min(a.ndim, b.ndim) < _ROWS_OF:
        return off
    normed = nearest(log_softmax(a), log_softmax(b))
    return off if normed is None else min(off, normed)


def _draws(side: Profile) -> bool:
    """Whether numbers drawn at random are in what a side's model gives while it trains: dropout, noise, a sample.

    As its network was seen to run; where that may have hidden functions, as its layers are declared. A variational
    autoencoder is known by its loss.
    """
    if side.value("loss.terms") is not None or any(one.kind in _RANDOM for one in side.structure.operations):
        return True
    told = [(str(one.get("class")).rpartition(".")[2], told_by.merged(one)) for one in side.layers]
    return any("Dropout" in name and told_by.common(one).get("rate") for name, one in told) or any(
        name.startswith(_DRAWN) for name, _ in told
    )


def _known(a: Profile, b: Profile) -> bool:
    """Whether both losses follow from what they are of, penalties included, or a pull on weights may be within one."""
    explained = all(side.loss and side.loss[0].explains for side in (a, b))
    decays = [float(side.value("update.weight_decay") or 0.0) for side in (a, b)]
    return (
        explained
        or not close(decays[0], decays[1], _DECAY)
        or any(side.value(name) for side in (a, b) for name in _PULLS)
    )


def _losses(a: StepRecording, b: StepRecording) -> tuple[float, float] | None:
    """Both losses of the data, where all that they are known to be of is equal: each output, and known targets.

    None where the gradients are the same all the same: a constant that one loss has beyond the other moves nothing.
    """
    mine, theirs = data_loss(a), data_loss(b)
    others = [[data(one, "output", name) for name in one.of("output") if name.startswith("output")] for one in (a, b)]
    if (
        mine is None
        or theirs is None
        or not np.isfinite([mine, theirs]).all()
        or (_targets(a) is not None and _targets(b) is not None and not _same_targets(a, b))
        or _same_gradients(a, b)
        or len(others[0]) != len(others[1])
    ):
        return None
    for left, right in zip(*others, strict=True):
        apart = None if left is None or right is None else nearest(left, right)
        if apart is None or apart > ROUNDING:
            return None
    return mine, theirs


def _same_gradients(a: StepRecording, b: StepRecording) -> bool:
    """Whether every whole gradient of one is one of the other's in some layout; False where one is not whole."""
    left, right = (list(numbers(one, "gradient").values()) for one in (a, b))
    if not left or len(left) != len(right):
        return False
    return all(any(len(mine) == len(one) and distance(mine, one) <= LISTED for one in right) for mine in left)


def _tells(output: F64) -> bool:
    """Whether an output depends on what it is given: a last layer of zeros answers everything alike."""
    return bool(np.linalg.norm(output - output.mean(axis=0)) > _VARIES * np.linalg.norm(output))


def _same_targets(a: StepRecording, b: StepRecording) -> bool:
    left, right = _targets(a), _targets(b)
    return left is not None and right is not None and equal(left, right)


def _targets(one: StepRecording) -> F64 | None:
    """The numbers of every target, sorted; None where none was recorded."""
    found = targets_of(one)
    return np.sort(np.concatenate([target.ravel() for target in found])) if found else None


def same_weights(a: StepRecording, b: StepRecording) -> bool:
    """Whether every tensor of one has its like in the other, whatever its layout: the same numbers, sorted.

    But those that are nothing but zeros: PyTorch's recurrent layers have two biases where Keras has one.
    """
    left, right = (list(numbers(one, "weight").values()) for one in (a, b))
    if not left or len(left) != len(right):
        return False
    for values in left:
        match = next((at for at, other in enumerate(right) if equal(values, other)), None)
        if match is None:
            return False
        right.pop(match)
    return True


def _same_data(a: Profile, b: Profile, left: StepRecording, right: StepRecording) -> bool:
    """Whether batches and targets are equal, number by number, whichever axes come first.

    Where a first batch was not recorded (the model was not known before its first step), the next one that both
    recorded speaks for it: what is fed otherwise is so at every step.
    """
    known = [target for one in (left, right) if (target := _targets(one)) is not None]
    both = len(known) > 1
    if both and not equal(*known):
        return False
    others = {one.step: one for one in b.evidence.steps}
    for one in a.evidence.steps:
        batches = data(one, "batch"), data(others[one.step], "batch") if one.step in others else None
        if batches[0] is not None and batches[1] is not None:
            apart = nearest(batches[0], batches[1])
            return apart is not None and apart <= _EQUAL
    return both


def _output(one: StepRecording, *, logs: bool) -> F64 | None:
    """What the model gave; as logarithms of probabilities, where one side's is known as such only."""
    found = data(one, "output", "output0")
    names = [name for name in one.of("output") if name.endswith("Loss.input")]
    found = data(one, "output", names[0]) if found is None and names else found
    return log_softmax(found) if found is not None and logs and found.ndim > 1 else found


def _logarithms(one: StepRecording) -> bool:
    """Whether all that is known of the output is what PyTorch's negative log likelihood was given of it."""
    return data(one, "output", "output0") is None and data(one, "output", "NllLoss.input") is not None


def weigh(causes: Sequence[Cause], step: FirstStep | None) -> list[Cause]:
    """Causes in the forward pass with the size that the outputs show, instead of a guess.

    Outputs that agree make them harmless, and so an input of other numbers; outputs that differ without any such
    cause are a finding of their own (FWD-00). Of what begins later (a model in another mode after its first
    evaluation) the first step says nothing.
    """
    if step is None:
        return list(causes)
    forward = [cause for cause in causes if _at_first(cause, step)]
    rest = [cause for cause in causes if cause not in forward]
    if step.output <= ROUNDING:
        said = f"outputs of equal inputs agree to {step.output:.1g}"
        return (
            rest
            + list(_valued(rest, step))
            + [cause if _unseen(cause) else replace(cause, weight=step.output, effect=said) for cause in forward]
        )
    coarse = max((one.weight for one in rest if catalogue.entry(one.id).stage == "precision"), default=0.0)
    return rest + list(_shown(forward, step, coarse))


def _valued(causes: Sequence[Cause], step: FirstStep) -> Iterator[Cause]:
    """Another loss of equal outputs and targets, where nothing that is known of the two says why.

    A number that is printed otherwise, a penalty that is a part of it and a coarse format are told as such.
    """
    if step.losses is None or any(catalogue.entry(one.id).stage in _OF_LOSS or one.id == "OPT-21" for one in causes):
        return
    left, right = step.losses
    off = abs(left - right) / max(abs(left), abs(right), 1e-30)
    if off > LISTED:
        effect = f"equal outputs have another loss, or other targets: {percent(off)} apart"
        yield Cause("LOSS-00", "loss.value", (left, right), min(1.0, max(MATTERS, off)), effect, confidence=0.8)


def _at_first(cause: Cause, step: FirstStep) -> bool:
    """Whether the first outputs speak of it."""
    scaled = not step.fed and cause.parameter.startswith("data.input.")
    return cause.step <= 1 and (scaled or catalogue.entry(cause.id).stage in _FORWARD)


def _unseen(cause: Cause) -> bool:
    return (cause.id in _UNSEEN and cause.parameter != skipped.PARAMETER) or cause.parameter == biases.PARAMETER


def _shown(forward: Sequence[Cause], step: FirstStep, coarse: float) -> Iterator[Cause]:
    """``coarse``: how far apart the precision of the two puts their numbers, which is no other forward pass."""
    said = f"outputs of equal inputs under equal weights differ by {percent(step.output)}"
    acting = [cause for cause in forward if not _unseen(cause)]
    yield from (cause for cause in forward if cause not in acting)
    blurred = coarse > 0 and step.scales  # what is taken off an input costs as many of its digits
    if not acting and step.output > coarse and not blurred:
        yield Cause("FWD-00", "forward.output", (None, None), max(0.02, step.output), said, confidence=0.6)
    best = max(acting, key=lambda cause: cause.weight, default=None)
    for cause in acting:
        if cause is best:
            # A step's weight is in parts of the step; an output's error enters every gradient. One that nobody
            # would call harmful by its size (GELU by tanh or erf) is named, and makes no mismatch.
            yield replace(
                cause, weight=max(step.output, 0.005), effect=f"{cause.effect}; {said}", how="measured",
                confidence=0.9, chance=cause.chance or step.output < LISTED,
            )  # fmt: skip
        else:
            yield replace(cause, weight=min(cause.weight, step.output))

"""Outputs that are squashed twice: a softmax or a sigmoid in the model, and again in the loss."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.ending import (
    distributions,
    last_activation,
    operation,
    squashed_between,
    squashes,
)
from auditor.detect.evidence.formulas import binary_entropy
from auditor.detect.evidence.scored import Scored
from auditor.detect.recorded import RecordView
from auditor.detect.rules.data.outputs import OutputRule
from auditor.model import Severity

#: Relative difference up to which a recomputed loss counts as the recorded one (float16 sums).
_SAME: Final = 2e-3
#: What Keras takes for the smallest probability (keras.config.epsilon()).
_KERAS_EPSILON: Final = 1e-7


class SoftmaxTwice(OutputRule):
    """Probabilities go through softmax a second time, inside the loss."""

    id = "softmax_twice"
    severity = Severity.WARNING
    phase = "output"
    meaning = (
        "probabilities are fed to a loss that takes logits: softmax, or sigmoid, is applied twice, and the loss cannot "
        "fall"
    )
    needs = "recordings with the model's output; targets and loss as proof"
    trigger = (
        "all outputs lie in 0..1 and every row sums to 1 in 3 recorded steps in a row, and the loss applies softmax to "
        "them: by the operation that was recorded (PyTorch), or because cross entropy from logits gives the recorded "
        "loss and cross entropy of probabilities does not; for two classes likewise with sigmoid; or (PyTorch) the "
        "operations show one applied to the model's output, and again in the loss. Or the model is "
        "declared to end in softmax (sigmoid) and the loss to take logits, although Keras, in graphs, has undone one "
        "of the two"
    )
    source = "seeds; UMLAUT (CHI'21), TheDeepChecker; the proof by value is ours"
    summary = (
        "{outputs}, and the loss {how} (step {step}{where}): with {classes} classes it "
        "cannot fall below {floor:.4g}{unless}."
    )
    likely_causes = (
        "the model ends in softmax, or the loop applies it, and the loss is a cross entropy from logits",
        "torch.nn.CrossEntropyLoss, or from_logits=True in Keras, taken for a loss of probabilities",
    )
    advice = (
        "Remove the softmax at the end of the model and keep the loss as it is (apply softmax only to show "
        "probabilities); in Keras alternatively set from_logits=False, in PyTorch alternatively take "
        "nn.NLLLoss()(torch.log(output), target)."
    )

    def look(self, view: RecordView, seen: Scored) -> dict[str, Any] | None:
        """Rows that are distributions, and a loss that squashes them."""
        outputs, between = "The outputs are already probabilities", squashed_between(view)
        if between:
            outputs, classes, squashed = f"The loop applies {between} to the outputs", max(seen.classes, 2), True
        elif seen.family == "binary":
            classes, squashed = 2, _sigmoid_twice(view, seen)
        elif seen.family == "categorical" and seen.classes > 1 and distributions(seen.outputs):
            classes, squashed = seen.classes, squashes(view) or _by_value(seen)
        else:
            return None
        sigmoid = between == "sigmoid" or classes == seen.classes == 1
        how, unless = f"applies {'sigmoid' if sigmoid else 'softmax'} to them again", ""
        undone = not squashed and view.run.framework in {"keras", "tensorflow"}
        if not squashed and not _declared(view, seen):
            return None
        if undone:
            how = "is declared to take logits (from_logits=True)"
            unless = ", unless Keras undoes one of the two as it does here: not when run eagerly or on another backend"
        floor = math.log1p((classes - 1) * math.exp(-1.0))
        evidence: dict[str, Any] = {"classes": classes, "floor": floor, "largest_output": float(seen.outputs.max())}
        evidence |= {"outputs": outputs, "how": how, "unless": unless, "undone": undone}
        return evidence | ({"loss": seen.loss} if seen.loss is not None else {})


def _by_value(seen: Scored) -> bool:
    """Whether the recorded loss is the cross entropy of a second softmax and not of the first."""
    labels = seen.labels()
    if labels is None or seen.loss is None or not seen.loss:
        return False
    if labels.min() < 0 or labels.max() >= seen.classes:
        return False
    rows, index = np.arange(len(labels)), labels.astype(np.int64)
    twice = float(np.mean(np.log(np.exp(seen.outputs).sum(axis=1)) - seen.outputs[rows, index]))
    once = float(np.mean(-np.log(np.maximum(seen.outputs[rows, index], _KERAS_EPSILON))))
    return abs(twice - seen.loss) <= _SAME * abs(seen.loss) < abs(once - seen.loss)


def _sigmoid_twice(view: RecordView, seen: Scored) -> bool:
    """Whether a loss from logits was given what a sigmoid gave: by torch's graph, else by the recorded loss."""
    targets = seen.targets
    if last_activation(view) == "sigmoid" and operation(view) == "BinaryCrossEntropyWithLogits":
        return True
    if last_activation(view) != "sigmoid" or seen.loss is None or targets is None or targets.size != seen.outputs.size:
        return False
    twice, once = (binary_entropy(logits, seen.outputs.ravel(), targets.ravel()) for logits in (True, False))
    return abs(twice - seen.loss) <= _SAME * abs(seen.loss) < abs(once - seen.loss)


def _declared(view: RecordView, seen: Scored) -> bool:
    """Whether model and loss are declared to squash once each."""
    return seen.logits is True and last_activation(view) == ("sigmoid" if seen.family == "binary" else "softmax")

"""The loss and its gradient: LOSS-*, and what reaches the optimizer of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

from auditor.compare.identify import backward, passes
from auditor.compare.identify.evidence import data
from auditor.compare.identify.losses import KERAS_EPSILON
from auditor.compare.profile import Profile
from auditor.compare.recognise import families, gradient, links, loss_parts, loss_size, printed, squashed
from auditor.compare.recognise.cause import LISTED, Cause, between, close, how, percent, sure

#: Operations of which squared and absolute errors, their means and parts are made.
_POWERS: Final = frozenset({"Mean", "Sum", "Pow", "Abs", "Mul", "Div", "Neg", "Sub", "Square", "Sqrt"})
#: Losses that have no other spelling than in these.
_PLAIN: Final = frozenset({"squared error", "absolute error"})
_TWICE: Final = ("softmax of", "logits of a sigmoid")
#: How far values and the output's gradient are from those of another loss, at least: twelve units of bfloat16's
#: rounding, 2^-8. What float32 leaves, cancellation within the batch included, is a hundredth of that.
_ANOTHER: Final = 0.05
#: Shares at Keras's bounds or beyond: float32 has none between 1 - 1.2e-7 and 1 - 6e-8.
_AT_BOUNDS: Final = 1.25 * KERAS_EPSILON
#: What Keras bounds by its epsilon: what is divided by, and what a logarithm is taken of.
_DIVIDED: Final = frozenset({"percentage error", "squared logarithmic error"})
_CLIPPED: Final = ("probabilities", "rate")
#: Relative difference of what two terms count for that is none: each is solved for up to a hundredth.
_PARTS: Final = 0.03


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """How the two losses differ."""
    broadcast = list(_broadcast(a, b))
    yield from broadcast
    found = list(_function(a, b)) or [*_takes(a, b), *_smoothing(a, b), *_positive(a, b)]
    if not broadcast and not found:
        found = list(_rates(a, b)) or list(_unknown(a, b))
    yield from found
    told = list(printed.causes(a, b))
    yield from told
    if not told and not broadcast and not any(cause.weight >= LISTED for cause in found):
        yield from loss_size.causes(a, b)
    yield from _weighed(a, b)
    yield from _terms(a, b)
    yield from gradient.causes(a, b)


def _weighed(a: Profile, b: Profile) -> Iterator[Cause]:
    """The losses of several outputs, summed with other weights."""
    both = between(a, b, "loss.heads")
    if both is None:
        return
    sides = [sorted((one["function"], one["weight"]) for one in fact.value) for fact in both]
    words = [", ".join(f"{size:g} x {name}" for name, size in side) for side in sides]
    if [name for name, _ in sides[0]] != [name for name, _ in sides[1]]:
        effect = "the losses of several outputs are other functions"
        yield Cause("LOSS-00", "loss.functions", (words[0], words[1]), 0.8, effect, how(*both), sure(*both))
        return
    pairs = [(mine, theirs) for (_, mine), (_, theirs) in zip(*sides, strict=True)]
    if all(close(mine, theirs, 1e-3) for mine, theirs in pairs):
        return
    weight = max(1 - min(pair) / max(pair) for pair in pairs)
    effect = "the losses of several outputs count for other parts of their sum"
    yield Cause("LOSS-00", "loss.weights", (words[0], words[1]), weight, effect, how(*both), sure(*both))


def _terms(a: Profile, b: Profile) -> Iterator[Cause]:
    """Reconstruction and divergence of a variational autoencoder: another function, or other parts of their sum."""
    both = between(a, b, "loss.terms")
    if both is None:
        return
    names = [str(fact.value["function"]) for fact in both]
    if names[0] != names[1]:
        effect = "another reconstruction is minimised"
        yield Cause("LOSS-00", "loss.terms", (names[0], names[1]), 0.8, effect, how(*both), sure(*both))
        return
    parts = [fact.value["divergence"] / fact.value["reconstruction"] for fact in both]
    if close(parts[0], parts[1], _PARTS):
        return
    ratio = max(parts) / min(parts)
    told = [f"{fact.value['reconstruction']:.4g} x {name}, {fact.value['divergence']:.4g} x divergence"
            for fact, name in zip(both, names, strict=True)]  # fmt: skip
    effect = f"the divergence counts {ratio:.4g} times as much against the reconstruction on one side"
    yield Cause("LOSS-00", "loss.terms", (told[0], told[1]), 1 - 1 / ratio, effect, how(*both), sure(*both))


def _broadcast(a: Profile, b: Profile) -> Iterator[Cause]:
    both = between(a, b, "loss.broadcast")
    if both is None or both[0].value == both[1].value:
        return
    side = a if both[0].value else b
    weight = _broadcast_effect(side)
    effect = f"every prediction is compared with every target: the loss's gradient is off by {percent(weight)}"
    values = (both[0].value, both[1].value)
    mend: Literal["a", "b"] = "a" if side is a else "b"
    yield Cause("LOSS-02", "loss.broadcast", values, weight, effect, how(*both), sure(*both), mend=mend)


def _broadcast_effect(side: Profile) -> float:
    """Distance of the broadcast loss's gradient from that of aligned rows, relative to the latter."""
    for one in side.evidence.steps:
        difference = data(one, "output", "Pow.input")
        if difference is None or difference.ndim != 2 or difference.shape[0] != difference.shape[1]:
            continue
        aligned, mixed = np.diag(difference), difference.mean(axis=1)
        length = float(np.linalg.norm(aligned))
        if length > 0:
            return max(0.1, float(np.linalg.norm(mixed - aligned)) / length)
    return 1.0


def _function(a: Profile, b: Profile) -> Iterator[Cause]:
    both = between(a, b, "loss.function")
    if both is None:
        yield from _of_a_difference(a, b)
        return
    if both[0].value == both[1].value:
        return
    names = [str(fact.value).partition("(")[0] for fact in both]
    # A huber loss far from its corner is a squared error; which of the two it was then matters to nobody.
    if any(name in fact.others for name, fact in ((both[1].value, both[0]), (both[0].value, both[1]))):
        return
    divided = set(names) == {"percentage error"}  # by another number at least
    told = between(a, b, "precision.epsilon")
    apart = told is None or told[0].value != told[1].value
    entry = "FWD-24" if divided and apart else families.entry(names)
    yield Cause(
        entry,
        "loss.epsilon" if divided else "loss.function",
        (told[0].value, told[1].value) if divided and told is not None and apart else (both[0].value, both[1].value),
        0.8,
        "another loss is minimised",
        how(*both),
        sure(*both),
    )


def _unknown(a: Profile, b: Profile) -> Iterator[Cause]:
    """A loss that is known against one that no hypothesis explains, and whose gradient is not the known one's.

    A step of several batches has the gradient of all of them: of a part it says nothing.
    """
    known = [bool(side.loss) and side.loss[0].explains for side in (a, b)]
    if known[0] == known[1] or loss_parts.alike(a, b):
        return
    told, other = (a, b) if known[0] else (b, a)
    if not other.loss or other.loss[0].residual < _ANOTHER or other.value(passes.RECORDED) is not None:
        return
    if "weight" in str(told.value("loss.reduction")) and _multiplied(other):
        return  # the losses of its rows may count by the same numbers, which nobody recorded
    off = backward.unlike(other.evidence, told.loss[0])
    if off is None or off < _ANOTHER:
        return
    epsilons = between(a, b, "precision.epsilon")
    if epsilons is not None and epsilons[0].value != epsilons[1].value and _bounded(told):
        effect = (
            f"what keeps the loss from dividing by zero is another number: its gradient is {percent(min(1.0, off))} off"
        )
        values = (epsilons[0].value, epsilons[1].value)
        yield Cause("FWD-24", "loss.epsilon", values, 0.8, effect, confidence=0.8)
        return
    words = [str(side.value("loss.function") or "none that is known") for side in (a, b)]
    effect = f"the gradient of the output is {percent(min(1.0, off))} off that of the other side's loss"
    yield Cause("LOSS-00", "loss.function", (words[0], words[1]), 0.8, effect, confidence=0.7)


def _bounded(side: Profile) -> bool:
    """Whether the framework's epsilon keeps a loss from dividing by zero, or from a logarithm of zero."""
    return str(side.value("loss.function")) in _DIVIDED or str(side.value("loss.takes")).startswith(_CLIPPED)


def _rates(a: Profile, b: Profile) -> Iterator[Cause]:
    """Poisson's loss of a rate against one whose target nobody saw: e to the output, less a product with the output."""
    known = [side.value("loss.function") for side in (a, b)]
    if (known[0] is None) == (known[1] is None):
        return
    told, other = (b, a) if known[0] is None else (a, b)
    if told.value("loss.function") != "poisson" or told.value("loss.takes") != "rate" or not _of_logarithms(other):
        return
    words = tuple("rate" if side is told else "log rate" for side in (a, b))
    effect = "what one side takes for a rate the other takes for its logarithm: it is exponentiated"
    mend: Literal["a", "b"] = "a" if other is a else "b"
    yield Cause("LOSS-12", "loss.takes", (words[0], words[1]), 0.9, effect, confidence=0.8, mend=mend)


def _multiplied(side: Profile) -> bool:
    """Whether its loss is multiplied with what is neither an output nor made of one."""
    return any(
        one.get("op") == "Mul" and list(one.get("inputs") or ()).count(None) == 1 for one in links.loss_graph(side)
    )


def _of_logarithms(side: Profile) -> bool:
    """Whether a loss's graph is that of Poisson's likelihood of a logarithm, exp(output) - target * output.

    Of outputs that are never negative: a logarithm would be, of rates below one.
    """
    outputs = [data(one, "output", "output0") for one in side.evidence.steps]
    if any(output is None or not (output >= 0).all() for output in outputs):
        return False
    nodes = links.loss_graph(side)
    for node in (one for one in nodes if one.get("op") == "Sub"):
        inputs = [nodes[at] for at in node.get("inputs", ()) if isinstance(at, int) and 0 <= at < len(nodes)]
        direct = {one.get("op") for one in inputs if any(str(each).startswith("output") for each in one["inputs"])}
        if direct == {"Exp", "Mul"}:
            return True
    return False


def _of_a_difference(a: Profile, b: Profile) -> Iterator[Cause]:
    """A loss that is known against one of which only its graph is: another function of output minus target."""
    known = [side.value("loss.function") for side in (a, b)]
    if (known[0] is None) == (known[1] is None) or loss_parts.alike(a, b):
        return
    told = [_chain(side) for side in (a, b)]
    chain = told[known.index(None)]
    if not chain or chain[-1] != "Sub" or not set(chain) - _POWERS or not {*known} & _PLAIN:
        return
    words = [str(function or " of ".join(chain).lower()) for function in known]
    yield Cause("LOSS-00", "loss.function", (words[0], words[1]), 0.8, "another loss is minimised", confidence=0.8)


def _chain(side: Profile) -> list[str]:
    """The operations from the loss down to what it is of, as its graph tells them."""
    first = side.evidence.first
    told = first.facts.get("loss") if first is not None else None
    chain = told.get("chain") if isinstance(told, dict) else None
    return [str(one) for one in chain] if isinstance(chain, list) else []


def _takes(a: Profile, b: Profile) -> Iterator[Cause]:
    both = between(a, b, "loss.takes")
    if both is None:
        return
    words = ["logits of a sigmoid" if squashed.by_sigmoid(side) else str(side.value("loss.takes")) for side in (a, b)]
    if words[0] == words[1] or links.one_rate(a, b):
        return
    if squashed.along_batch(a) != squashed.along_batch(b):
        return  # of a softmax over the samples no loss says what it was given: FWD-22
    twice = [word.startswith(_TWICE) for word in words]
    if any(twice) and not all(twice):
        twice_ = "sigmoid" if any("sigmoid" in word for word in words) else "softmax"
        effect = f"{twice_} is applied twice on one side: its loss cannot reach zero, its gradient is a fraction"
        yield Cause(
            "LOSS-05",
            "loss.takes",
            (words[0], words[1]),
            weight=0.9,
            effect=effect,
            how=how(*both),
            confidence=sure(*both),
        )
    elif any("taken for" in word for word in words) or any(_mistaken(side) for side in (a, b)):
        effect = "logits are taken for probabilities on one side: clipped, most gradients are zero"
        if any(word.endswith("for log probabilities") for word in words):
            effect = "the loss expects logarithms of probabilities, and is given none on one side"
        mend: Literal["a", "b"] = "a" if _mistaken(a) and not _mistaken(b) else "b"
        hints = tuple(str(side.value("loss.function") or "") for side in (a, b))
        yield Cause("LOSS-04", "loss.takes", (words[0], words[1]), 0.9, effect, how(*both), sure(*both),
                    mend=mend, hints=(hints[0], hints[1]))  # fmt: skip
    elif any("rate" in word for word in words):
        yield Cause(
            "LOSS-12",
            "loss.takes",
            (words[0], words[1]),
            weight=0.8,
            effect="rate on one side, its logarithm on the other",
        )
    elif any(word.startswith("labels") for word in words):
        effect = "labels of 0 and 1 are made -1 and 1 on one side only: nothing is learnt of the zeros on the other"
        raw: Literal["a", "b"] = "a" if words[0].startswith("labels") else "b"
        yield Cause("LOSS-13", "loss.takes", (words[0], words[1]), 0.8, effect, how(*both), sure(*both), mend=raw)
    elif any("clipped" in word for word in words):
        weight = max(_clipped(side) for side in (a, b))
        effect = f"probabilities are clipped on one side: {percent(weight)} of the loss's gradient is lost to it"
        yield Cause("LOSS-06", "loss.takes", (words[0], words[1]), weight=weight, effect=effect)
    # Logits and probabilities are two spellings of one loss where each is given what it takes.


def _mistaken(side: Profile) -> bool:
    """Whether what the loss took for probabilities lies outside of 0 and 1."""
    if not str(side.value("loss.takes")).startswith("probabilities") or squashed.within_loss(side, squashed.OF_SHARES):
        return False
    outputs = [output for one in side.evidence.steps if (output := data(one, "output", "output0")) is not None]
    return any(output.size and (output.min() < 0 or output.max() > 1) for output in outputs)


def _clipped(side: Profile) -> float:
    """The part of the gradient by the logits, p - y, that probabilities beyond Keras's bounds would have had."""
    parts = [0.0]
    for one in side.evidence.steps:
        output, target = data(one, "output", "output0"), data(one, "target")
        if output is None or target is None or not output.size or output.min() < 0 or output.max() > 1:
            continue
        if output.ndim == 2 and target.size == len(output) != output.size:  # classes by their number
            target = np.eye(output.shape[1])[np.clip(target.astype(int).ravel(), 0, output.shape[1] - 1)]
        if target.size == output.size:
            off = output.ravel() - target.ravel()
            beyond = np.minimum(output.ravel(), 1 - output.ravel()) < _AT_BOUNDS
            parts.append(float(np.linalg.norm(off[beyond])) / max(1e-30, float(np.linalg.norm(off))))
    return max(parts)


def _smoothing(a: Profile, b: Profile) -> Iterator[Cause]:
    both = between(a, b, "loss.label_smoothing")
    if both is not None and not close(both[0].value, both[1].value):
        weight = abs(both[0].value - both[1].value)
        effect = f"targets are moved by {percent(weight)} towards the uniform on one side"
        yield Cause(
            "LOSS-07", "loss.label_smoothing", (both[0].value, both[1].value), weight, effect, how(*both), sure(*both)
        )


def _positive(a: Profile, b: Profile) -> Iterator[Cause]:
    both = between(a, b, "loss.positive_weight")
    if both is not None and not close(both[0].value, both[1].value) and not loss_size.one_reading(a, b):
        weight = min(1.0, abs(float(np.log(both[1].value / both[0].value))))
        effect = f"positive targets count {both[0].value:g} times on one side, {both[1].value:g} times on the other"
        yield Cause("LOSS-08", "loss.positive_weight", (both[0].value, both[1].value), weight, effect, how(*both))

"""Penalties on weights, in the loss or in the optimizer: OPT-04 to OPT-09, LOSS-16."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from auditor.compare import effects
from auditor.compare.identify.penalty import OF_GRAPH, UNEXPLAINED
from auditor.compare.identify.search import CLIPS
from auditor.compare.profile import Profile
from auditor.compare.recognise import links
from auditor.compare.recognise.cause import Cause, between, close, how, percent, sure

#: Penalties are read off a difference of losses: no sharper than this.
_SAME = 1e-2
#: Which tensors are decayed, and by what: a fix is told by both.
ALL: Final = "every tensor"
KERNELS: Final = "kernels"
IN_LOSS: Final = "in the loss"
BY_OPTIMIZER: Final = "by the optimizer"


@dataclass(frozen=True, slots=True)
class Pull:
    """How a run draws its weights to zero: what is added to the gradient, and what is taken off the weight."""

    in_loss: float
    coupled: float
    decoupled: float
    l1: float
    known: bool
    tensors: object

    @property
    def in_gradient(self) -> float:
        """The factor of the weight in the gradient, wherever it comes from (OPT-07)."""
        return 2 * self.in_loss + self.coupled


def pull(profile: Profile) -> Pull:
    """What is known of it."""
    l2 = profile.facts.get("penalty.l2")
    decay = float(profile.value("update.weight_decay", 0.0) or 0.0)
    plain = profile.value("update.rule") == "sgd" and not profile.value("update.momentum")
    coupled = plain or profile.value("update.decay_coupling") == "coupled"  # without momentum it is one thing
    tensors = profile.value("penalty.tensors") if l2 is not None and l2.value else None
    told = l2 if l2 is not None else profile.facts.get("penalty.declared.l2")
    if told is not None and not told.value and told.note != OF_GRAPH and _in_loop(profile):
        told = None  # what is declared is not all
    value = float(told.value) if told is not None else 0.0
    tensors = tensors or (profile.value("update.decayed") if decay else None)
    l1 = float(profile.value("penalty.l1", profile.value("penalty.declared.l1", 0.0)))
    return Pull(value, decay if coupled else 0.0, 0.0 if coupled else decay, l1, told is not None, tensors)


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """How the two regularize differently."""
    left, right = pull(a), pull(b)
    rules = between(a, b, "update.rule")
    if rules is None and not (left.known and right.known):
        return
    sides = ((a, left, right), (b, right, left))
    if any(_hidden(side, found) and other.in_gradient for side, found, other in sides):
        return  # what nobody could read is not zero, and a decay through the gradient is a penalty
    if any(_altered(side, found) and other.in_gradient for side, found, other in sides):
        return  # the program adds to its gradients by hand, and that may be the same pull
    if any(side.rule_hidden and _draws_more(other, own) for side, own, other in sides):
        return  # nor is what a program may do that moves its weights by a rule that is not known
    if _other_kind(left, right):
        yield _kinds(a, b, left, right)
        return
    same_gradient = close(left.in_gradient, right.in_gradient, _SAME)
    same_weight = close(left.decoupled, right.decoupled, _SAME)
    if same_gradient and same_weight:
        yield from _selection(a, b, left, right)
        yield from _lasso(a, b, left, right)
    elif not same_gradient and not same_weight and _moved(left, right):
        yield _coupling(a, b)
    elif same_gradient:
        yield _decay(a, b, left, right)
    else:
        yield _strength(a, b, left, right)


def _other_kind(left: Pull, right: Pull) -> bool:
    """Whether one side penalises squares alone, the other absolute values alone."""
    return any(one.l1 and other.in_gradient and not (one.in_gradient or other.l1) for one, other in _both(left, right))


def _both(left: Pull, right: Pull) -> tuple[tuple[Pull, Pull], tuple[Pull, Pull]]:
    return (left, right), (right, left)


def _kinds(a: Profile, b: Profile, left: Pull, right: Pull) -> Cause:
    values = tuple(f"l1 {one.l1:.4g}" if one.l1 else f"l2 {one.in_gradient / 2:.4g}" for one in (left, right))
    sizes = [effects.pull(side, one.l1 or one.in_gradient) or 0.0 for side, one in ((a, left), (b, right))]
    measured = [side.facts.get("penalty.l2") or side.facts.get("update.weight_decay") for side in (a, b)]
    effect = "absolute values of the weights are penalised on one side, their squares on the other"
    weight = min(1.0, max(0.01, *sizes))
    return Cause("OPT-07", "penalty.kind", (values[0], values[1]), weight, effect, how(*measured))


def _hidden(profile: Profile, found: Pull) -> bool:
    """Whether a penalty in the loss may be there unseen: the loss was not explained, and nothing is declared."""
    return not found.known and not _explained(profile)


def _explained(profile: Profile) -> bool:
    return bool(profile.loss and profile.loss[0].explains) and not profile.value(UNEXPLAINED)


def _in_loop(profile: Profile) -> bool:
    """Whether a loop may hold a penalty that no layer declares: its loss has parts that no loss explains."""
    parts = profile.value("loss.parts") or ()
    several = (len(parts) > 1 and not links.of_outputs(profile)) or links.of_weights(profile)
    return bool(profile.value(UNEXPLAINED)) or (several and not _explained(profile))


def _altered(profile: Profile, found: Pull) -> bool:
    """Whether a pull may be in the gradients as the program left them, for none was found elsewhere.

    What cuts them by hand writes to them as well, and shows in their lengths.
    """
    cuts = any(profile.value(f"update.{name}") for name in CLIPS)
    return bool(profile.value("update.altered")) and not found.in_gradient and not cuts


def _draws_more(one: Pull, other: Pull) -> bool:
    """Whether ``one`` draws its weights to zero by more than ``other``, as far as is known."""
    return one.in_gradient > other.in_gradient or one.decoupled > other.decoupled


def _moved(left: Pull, right: Pull) -> bool:
    """Whether one side decays through the gradient and the other past it."""
    return bool(left.decoupled) != bool(right.decoupled)


def _coupling(a: Profile, b: Profile) -> Cause:
    facts = between(a, b, "update.weight_decay")
    weight = max(
        _swap_effect(a, b),
        *(effects.shrinks(side, float(side.value("update.weight_decay", 0.0) or 0.0)) for side in (a, b)),
    )
    entry = "OPT-06" if a.value("update.rule") == "sgd" else "OPT-05"
    effect = f"decay passes through the rule on one side and past it on the other: steps change by {percent(weight)}"
    values = [_words(pull(side)) for side in (a, b)]
    return Cause(
        entry,
        "update.decay_coupling",
        (values[0], values[1]),
        weight=weight,
        effect=effect,
        how=how(*(facts or ())),
        confidence=0.95,
    )


def _words(found: Pull) -> str:
    parts = [("in the loss, l2", found.in_loss), ("coupled", found.coupled), ("decoupled", found.decoupled)]
    return ", ".join(f"{name} {value:.4g}" for name, value in parts if value) or "none"


def _swap_effect(a: Profile, b: Profile) -> float:
    names = ("weight_decay", "decay_coupling")
    settings = [{name: side.value(f"update.{name}") or 0.0 for name in names} for side in (a, b)]
    found = [effects.swapped(a, settings[1]), effects.swapped(b, settings[0])]
    return max([size for size in found if size is not None], default=0.05)


def _decay(a: Profile, b: Profile, left: Pull, right: Pull) -> Cause:
    facts = between(a, b, "update.weight_decay")
    gap = abs(left.decoupled - right.decoupled)
    weight = max(_swap_effect(a, b), effects.shrinks(a, gap), effects.shrinks(b, gap))
    effect = f"decoupled decay of {left.decoupled:g} against {right.decoupled:g}: {percent(weight)} of the weights"
    values = (left.decoupled, right.decoupled)
    return Cause(
        "OPT-06" if a.value("update.rule") == "sgd" else "OPT-04",
        "update.weight_decay",
        (values[0], values[1]),
        weight=weight,
        effect=effect,
        how=how(*(facts or ())),
        confidence=sure(*(facts or ())),
    )


def _strength(a: Profile, b: Profile, left: Pull, right: Pull) -> Cause:
    gap = abs(left.in_gradient - right.in_gradient)
    sizes = [size for side in (a, b) if (size := effects.pull(side, gap)) is not None]
    weight = min(5.0, max([*sizes, 0.002]))
    ratio = max(left.in_gradient, right.in_gradient) / max(min(left.in_gradient, right.in_gradient), 1e-300)
    missing = min(left.in_gradient, right.in_gradient) == 0
    words = "is missing on one side" if missing else f"is {ratio:.4g} times as strong on one side"
    effect = f"the penalty {words}: {percent(weight)} of the gradient"
    measured = [side.facts.get("penalty.l2") or side.facts.get("update.weight_decay") for side in (a, b)]
    values = (left.in_gradient, right.in_gradient)
    entry = _strength_id(a, b, left, right)
    return Cause(entry, "penalty.gradient_factor", values, weight, effect, how(*measured), 0.95)


def _strength_id(a: Profile, b: Profile, left: Pull, right: Pull) -> str:
    if min(left.in_gradient, right.in_gradient) == 0:
        if (b if left.in_gradient else a).value("penalty.declared.l2"):
            return "LOSS-16"  # its layers have it
        if (a if left.in_gradient else b).framework == "sklearn":
            return "OPT-08"  # its alpha, which it has by default: no loop left it out
        return "LOSS-16" if max(left.in_loss, right.in_loss) > 0 else "OPT-07"
    halved = close(max(left.in_gradient, right.in_gradient), 2 * min(left.in_gradient, right.in_gradient), _SAME)
    return "OPT-08" if "sklearn" in {a.framework, b.framework} and not halved else "OPT-07"


def _selection(a: Profile, b: Profile, left: Pull, right: Pull) -> Iterator[Cause]:
    """The same strength on other tensors."""
    if not (left.in_gradient or left.decoupled) or left.tensors is None or right.tensors is None:
        return
    words = [_which(side, found.tensors) for side, found in ((a, left), (b, right))]
    held = [_elements(side, found.tensors) for side, found in ((a, left), (b, right))]
    if words[0] != words[1] and not (held[0] == held[1] and held[0]):
        coefficient = left.in_gradient or left.decoupled
        sizes = [size for side in (a, b) if (size := effects.pull(side, coefficient)) is not None]
        weight = max(0.002, min(0.05, max(sizes, default=0.0)))
        means = [IN_LOSS if found.in_loss else BY_OPTIMIZER for found in (left, right)]
        # An optimizer that decays all it is given does so by default; a penalty was put on what it is on.
        first = (words[0], *means) == (ALL, BY_OPTIMIZER, IN_LOSS)
        yield Cause(
            "OPT-09",
            "penalty.tensors",
            (words[0], words[1]),
            weight=weight,
            effect="other tensors are decayed",
            confidence=0.9,
            mend="a" if first else "b",
            hints=(means[0], means[1]),
        )


def _elements(profile: Profile, tensors: object) -> int:
    """How many numbers these tensors hold: one framework packs into one what another keeps in three."""
    weights = profile.evidence.first.of("weight") if profile.evidence.first is not None else {}
    named = set(tensors) if isinstance(tensors, (list, tuple, set, frozenset)) else set()
    every = {ALL: set(weights), KERNELS: {name for name, one in weights.items() if len(one.shape) > 1}}
    chosen = named or every.get(str(tensors), set())
    return sum(one.size for name, one in weights.items() if name in chosen)


def _which(profile: Profile, tensors: object) -> str:
    """``every tensor``, ``kernels`` or how many of them, in words that two frameworks share.

    Tensors that the update rule does not explain are left out: nobody knows whether they are decayed.
    """
    if not isinstance(tensors, (list, tuple, set, frozenset)) or profile.evidence.first is None:
        return str(tensors)
    aside = set(profile.value("update.unexplained") or ())
    shapes = {name: one.shape for name, one in profile.evidence.first.of("weight").items() if name not in aside}
    kernels = {name for name, shape in shapes.items() if len(shape) > 1}
    chosen = set(tensors) - aside
    if chosen in ({*shapes}, kernels):
        return ALL if chosen == {*shapes} else KERNELS
    among = kernels if chosen <= kernels else {*shapes}
    return f"{len(chosen)} of {len(among)} {'kernels' if among is kernels else 'tensors'}"


def _lasso(a: Profile, b: Profile, left: Pull, right: Pull) -> Iterator[Cause]:
    if not close(left.l1, right.l1, _SAME):
        weight = max(0.01, *(effects.pull(side, abs(left.l1 - right.l1)) or 0.0 for side in (a, b)))
        entry = "LOSS-16" if min(left.l1, right.l1) == 0 else "OPT-07"
        yield Cause(entry, "penalty.l1", (left.l1, right.l1), min(1.0, weight), "another penalty on absolute values")

"""The update rule: OPT-*."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare import effects
from auditor.compare.identify import clipping
from auditor.compare.identify.evidence import data
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.hypothesis import judge
from auditor.compare.identify.rules import SCALE_FREE, UNDER
from auditor.compare.identify.search import as_good
from auditor.compare.identify.update import at_limit
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, between, close, how, percent, sure
from auditor.compare.recognise.conduct import constrained

#: Entry by (rule, setting); ``*`` stands for any rule.
_IDS: Final[Mapping[tuple[str, str], str]] = {
    ("*", "learning_rate"): "OPT-01",
    ("*", "beta_1"): "OPT-02",
    ("*", "beta_2"): "OPT-02",
    ("*", "momentum"): "OPT-02",
    ("*", "decay"): "OPT-02",
    ("*", "epsilon"): "OPT-02",
    ("*", "nesterov"): "OPT-11",
    ("*", "dampening"): "OPT-12",
    ("*", "amsgrad"): "OPT-22",
    ("*", "bias_correction"): "OPT-00",
    ("*", "momentum_buffer"): "OPT-10",
    ("*", "centered"): "OPT-02",
    ("*", "lr_decay"): "SCH-01",
    ("adam", "epsilon_placement"): "OPT-03",
    ("rmsprop", "epsilon_placement"): "OPT-13",
    ("rmsprop", "decay"): "OPT-13",
    ("rmsprop", "momentum_buffer"): "OPT-14",
    ("rmsprop", "momentum"): "OPT-14",
    ("adagrad", "initial_accumulator"): "OPT-15",
    ("adagrad", "epsilon_placement"): "OPT-15",
    ("adagrad", "epsilon"): "OPT-15",
    ("adadelta", "decay"): "OPT-16",
    ("adadelta", "epsilon"): "OPT-16",
    ("adamax", "epsilon_placement"): "OPT-17",
    ("adamax", "epsilon"): "OPT-17",
    ("nadam", "momentum_decay"): "OPT-18",
}
_SETTINGS: Final = (
    *("beta_1", "beta_2", "decay", "momentum", "nesterov", "dampening", "amsgrad", "centered", "initial_accumulator"),
    *("momentum_decay", "momentum_buffer", "lr_decay", "bias_correction"),
)
#: Relative difference of two epsilons beside a root that is none.
_OF_ROOT: Final = 0.01
#: Confidence of a rule that explains the numbers.
_EXPLAINED: Final = 0.5
#: What steps count for that no rule explains, which have no size that could be replayed: before every cause
#: that is told for its presence alone and behind every one that was sized to change a tenth of a step; where
#: both programs declare one rule, behind what was sized at all.
_UNKNOWN: Final = 0.1
_UNKNOWN_SAME: Final = 0.01
#: What counts for rows that one side leaves where they are, between a setting that changes a tenth and another rule;
#: the part of such rows by which a table is one or the other, and how many it takes.
_LAZY: Final = 0.3
_MOSTLY: Final = 0.9
_FEWEST_ROWS: Final = 8
_OF_A_BATCH: Final = "SparseAdam moves the rows of a batch alone: on the other side all rows go on with their momentum"
_HIDDEN: Final = "one side moves its weights by hand, and its recorded steps do not tell by which rule"
_CLIPS: Final = ("clip_norm", "clip_norm_per_variable", "clip_value")
#: The same as Keras calls them.
_KERAS_CLIPS: Final = ("global_clipnorm", "clipnorm", "clipvalue")
#: Settings that say how momentum is used: without one they say nothing.
_OF_MOMENTUM: Final = frozenset({"nesterov", "dampening"})
#: Norms beyond another's limit by no more than that may be cut to it; and how many longer ones must be awaited for
#: their absence to be no chance: e^-7, one in a thousand.
_LONGER: Final = 2.0
_AWAITED: Final = 7.0
#: Relative distance from a limit of a norm that was cut to it: float32's, of some thousand tensors.
_EXACTLY: Final = 1e-5


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """How the two rules differ."""
    rules = between(a, b, "update.rule")
    yield from _clipping(a, b)
    if rules is None:
        return
    explained = [fact.confidence >= _EXPLAINED for fact in rules]
    if explained[0] != explained[1]:
        yield from _one_explained(a, b, rules, mine=explained[0])
    if not all(explained):
        return
    if rules[0].value != rules[1].value:
        values = (rules[0].value, rules[1].value)
        yield Cause("OPT-00", "update.rule", values, 0.9, "another update rule", how(*rules), sure(*rules))
        return
    rule = str(rules[0].value)
    yield from _epsilon(a, b, rule)
    moving = all(side.value("update.momentum", True) for side in (a, b))
    for name in _SETTINGS:
        if name in _OF_MOMENTUM and not moving:
            continue  # told with the momentum that one side lacks
        both = between(a, b, f"update.{name}")
        if both is not None and not close(both[0].value, both[1].value):
            yield _setting(a, b, rule, name, both)
    yield from _absent_rows(a, b, rule)


def _one_explained(a: Profile, b: Profile, rules: tuple[Fact, Fact], *, mine: bool) -> Iterator[Cause]:
    """Steps of one side (``mine``: of a) that a rule explains, against steps that none does."""
    known, other = rules[0 if mine else 1].value, b if mine else a
    name, entry, weight, sure_ = "unknown", "OPT-00", _UNKNOWN, sure(*rules)
    effect, chance = "no rule known here explains the recorded steps of one side", False
    if other.rule_hidden:
        # Nobody can know what it does: that is no difference of what the two do.
        values = (known, name) if mine else (name, known)
        yield Cause(entry, "update.rule", values, _UNKNOWN_SAME, _HIDDEN, "declared", sure_)
        return
    if _lazy(other) and known == "adam":
        name, entry, weight, sure_, effect = "SparseAdam", "OPT-29", _LAZY, 0.8, _OF_A_BATCH
    elif constrained(a) == constrained(b):
        chance = _one_rule(a, b)
        weight = _UNKNOWN_SAME if chance else _UNKNOWN
    elif constrained(other):
        entry, weight, effect = "OPT-25", 0.3, "a constraint moves the weights after the update rule has"
    else:
        return
    values = (known, name) if mine else (name, known)
    yield Cause(entry, "update.rule", values, weight, effect, confidence=sure_, chance=chance)


def _absent_rows(a: Profile, b: Profile, rule: str) -> Iterator[Cause]:
    """Tables of an optimizer of their own, which leaves rows that a batch lacks where they are: SparseAdam's."""
    parts = [part for side in (a, b) if (part := _moving(side)) is not None] if rule == "adam" else []
    if len(parts) < len("ab") or not min(parts) < 1 - _MOSTLY < _MOSTLY < max(parts):
        return
    values = tuple("SparseAdam" if part < 1 - _MOSTLY else rule for part in parts)
    yield Cause("OPT-29", "update.rule", (values[0], values[1]), _LAZY, _OF_A_BATCH, confidence=0.9)


def _moving(side: Profile) -> float | None:
    """Of rows of tables that had a gradient before and have none at a step, the part that moves; None without any."""
    seen: dict[str, npt.NDArray[np.bool_]] = {}
    still = moving = 0
    for one in side.evidence.steps:
        for name in one.of("gradient"):
            gradient, weight, updated = (data(one, role, name) for role in ("gradient", "weight", "updated"))
            if gradient is None or weight is None or updated is None or gradient.ndim != len(("rows", "columns")):
                continue
            has: npt.NDArray[np.bool_] = np.any(gradient, axis=1)
            before = seen.get(name, np.zeros_like(has))
            absent = before & ~has
            still, moving = still + int(absent.sum()), moving + int((np.any(updated != weight, axis=1) & absent).sum())
            seen[name] = before | has
    return moving / still if still >= _FEWEST_ROWS else None


def _lazy(side: Profile) -> bool:
    """Whether the program declares PyTorch's Adam for sparse gradients."""
    told = (side.manifest or {}).get("optimizer")
    return isinstance(told, Mapping) and str(told.get("class", "")).rpartition(".")[2] == "SparseAdam"


def _one_rule(a: Profile, b: Profile) -> bool:
    """Whether both programs declare one and the same rule: then what nothing explains may be these steps alone."""
    said = [side.facts.declared.get("update.rule") for side in (a, b)]
    return said[0] is not None and said[1] is not None and said[0].value == said[1].value


def _entry(rule: str, name: str) -> str:
    return _IDS.get((rule, name)) or _IDS.get(("*", name), "OPT-00")


def _setting(a: Profile, b: Profile, rule: str, name: str, both: tuple[Fact, Fact]) -> Cause:
    weight = _swap(a, b, {name: both[0].value}, {name: both[1].value})
    effect = f"steps change by {percent(weight)}"
    values = (both[0].value, both[1].value)
    alone = (rule, name) == ("rmsprop", "decay") and _one_epsilon(a, b)
    return Cause(
        "OPT-02" if alone else _entry(rule, name),
        f"{rule}.{name}",
        (values[0], values[1]),
        weight=weight,
        effect=effect,
        how=how(*both),
        confidence=sure(*both),
    )


def _one_epsilon(a: Profile, b: Profile) -> bool:
    """Whether epsilons are known and of one effect: then RMSprop's decay is set apart, and not with its defaults."""
    sides = [(side.value("update.epsilon"), side.value("update.epsilon_placement")) for side in (a, b)]
    if any(value is None for value, _ in sides):
        return False
    beside = [math.sqrt(value) if place == UNDER else value for value, place in sides]
    return close(beside[0], beside[1], _OF_ROOT)


def _swap(a: Profile, b: Profile, left: Mapping[str, Any], right: Mapping[str, Any]) -> float:
    """The larger change of either side's steps under the other's settings."""
    found = [effects.swapped(a, right), effects.swapped(b, left)]
    return min(10.0, max([size for size in found if size is not None], default=0.01))


def _epsilon(a: Profile, b: Profile, rule: str) -> Iterator[Cause]:
    """Epsilon's value and placement are one cause: what is added where (OPT-03)."""
    value, placement = _values(a, b), between(a, b, "update.epsilon_placement")
    moved = placement is not None and placement[0].value != placement[1].value
    other = value is not None and not close(value[0].value, value[1].value)
    if not moved and not other:
        return
    names = ("epsilon", "epsilon_placement")
    sides = [{n: side.value(f"update.{n}") for n in names if side.value(f"update.{n}") is not None} for side in (a, b)]
    for side, fact in zip(sides, value or (), strict=False):
        side["epsilon"] = fact.value
    weight = _swap(a, b, *sides)
    entry = _entry(rule, "epsilon_placement" if moved else "epsilon")
    facts = [fact for pair in (value, placement) if pair is not None for fact in pair]
    if value is not None and (bounds := _bounded(a, b, value)) is not None:
        facts = list(bounds)  # how large it is was measured, and of what is that small nobody can see the place
    told: list[Any] = [side.get("epsilon") if other else side.get("epsilon_placement") for side in sides]
    effect = f"steps change by {percent(weight)}" + ("; epsilon stands in another place" if moved else "")
    name = "epsilon" if other else "epsilon_placement"
    yield Cause(
        entry,
        f"{rule}.{name}",
        (told[0], told[1]),
        weight=weight,
        effect=effect,
        how=how(*facts),
        confidence=sure(*facts),
    )


def _values(a: Profile, b: Profile) -> tuple[Fact, Fact] | None:
    """Both epsilons; of one too small to see in the numbers and nowhere declared, how large it is at most."""
    sides = [side.facts.get("update.epsilon") for side in (a, b)]
    limits = [side.facts.get("update.epsilon_at_most") for side in (a, b)]
    for seen, limit in zip(sides, limits[::-1], strict=True):
        if seen is not None and limit is not None and seen.value <= limit.value and None in sides:
            return None  # it may well be the same
    left, right = (fact or limit for fact, limit in zip(sides, limits, strict=True))
    return None if left is None or right is None or sides == [None, None] else (left, right)


def _bounded(a: Profile, b: Profile, value: tuple[Fact, Fact]) -> tuple[Fact, Fact] | None:
    """What was measured where one epsilon is too small to see: the other's value, and how large this one is at most."""
    for at, side in enumerate((a, b)):
        seen, limit = value[1 - at], side.facts.get("update.epsilon_at_most")
        if seen.how == "measured" and limit is not None and limit.value < seen.value:
            return seen, limit
    return None


def _clipping(a: Profile, b: Profile) -> Iterator[Cause]:
    # A gradient that nobody clears stays as long as it is once the loss adds nothing to it.
    sides = [
        {name: float(side.value(f"update.{name}")) for name in _CLIPS if side.value(f"update.{name}")}
        if not side.value("backward.accumulates")
        else {}
        for side in (a, b)
    ]
    sides = [clipping.once(limits, len(side.evidence.tracks)) for side, limits in zip((a, b), sides, strict=True)]
    sides = [_with_limits(a, sides[0], sides[1]), _with_limits(b, sides[1], sides[0])]
    sides = [_at_rate_of(a, b) or sides[0], _at_rate_of(b, a) or sides[1]]
    kinds = [set(side) for side in sides]
    if any(side.value("update.altered") and not kind for side, kind in zip((a, b), kinds, strict=True)):
        return  # gradients that the program writes to may be cut by hand
    if kinds[0] == kinds[1] and all(close(sides[0][name], sides[1][name], 1e-3) for name in kinds[0]):
        return
    if any(side.rule_hidden and not limits for side, limits in zip((a, b), sides, strict=True)):
        return  # it may well clip: what moves its weights is not known
    either = ((a, b, sides[0], sides[1]), (b, a, sides[1], sides[0]))
    may = any(_cut_by_another_norm(cut, other, *limits) or _within(other, *limits) for cut, other, *limits in either)
    if may or _of_one_scale(a, b, sides):
        return
    entry = "OPT-20" if "clip_value" in kinds[0] | kinds[1] else "OPT-19"
    swapped = _swap(a, b, _only(sides[0]), _only(sides[1]))
    facts = [
        side.facts.get(f"update.{name}") or side.facts.get("update.clip_step")
        for side, names in zip((a, b), kinds, strict=True)
        for name in names
    ]
    # A limit that was measured does cut: gradients recorded after it cannot show by how much.
    acts = any(fact is not None and fact.how == "measured" for fact in facts)
    if not acts and any(side.by_hand and not kind for side, kind in zip((a, b), kinds, strict=True)):
        return  # of gradients as long as that none was recorded: a program that moves its weights itself may cut them
    weight = max(0.05, swapped) if acts else swapped
    effect = f"gradients are cut differently: steps change by {percent(weight)}"
    told = [", ".join(f"{name} {value:g}" for name, value in side.items()) or "none" for side in sides]
    yield Cause(
        entry,
        "update.clipping",
        (told[0], told[1]),
        weight=weight,
        effect=effect,
        how=how(*facts),
        confidence=sure(*facts),
        hints=(_clips_by(a), _clips_by(b)),
    )


def _of_one_scale(a: Profile, b: Profile, sides: Sequence[Mapping[str, float]]) -> bool:
    """Whether two limits are as far apart as what is added to the root: of a scale-free rule one explains the other.

    Where all gradients are cut, only epsilon says to which length.
    """
    limits = [side.get("clip_norm", 0.0) for side in sides]
    epsilons = [float(side.value("update.epsilon") or 0.0) for side in (a, b)]
    alike = all(a.value(f"update.{name}") == b.value(f"update.{name}") for name in ("rule", "epsilon_placement"))
    alone = all(len(side) == 1 for side in sides) and all((*limits, *epsilons))
    if not alike or not alone or a.value("update.rule") not in SCALE_FREE:
        return False
    power = 2 if a.value("update.epsilon_placement") == UNDER else 1
    return close((limits[0] / limits[1]) ** power, epsilons[0] / epsilons[1], _OF_ROOT)


def _at_rate_of(side: Profile, other: Profile) -> dict[str, float]:
    """The limit of a side of which only limit times rate is known, if its rate is the other's; empty elsewhere."""
    rate = other.value("update.learning_rate")
    return {name: step / rate for name, step in side.value("update.clip_step", {}).items()} if rate else {}


def _cut_by_another_norm(cut: Profile, other: Profile, own: Mapping[str, float], limits: Mapping[str, float]) -> bool:
    """Whether norms that nobody is seen to cut end a little above the other's limit, where its own would go on.

    TensorFlow's global norm counts a row of a table that a batch takes twice as two: cut to it, the sum of the two is
    up to as much longer.
    """
    before, after = cut.curves.get("grad_norm_before_clip"), other.curves.get("grad_norm")
    if limits or own.keys() != {"clip_norm"} or before is None or after is None:
        return False
    lengths = after.values[np.isfinite(after.values)]
    if not len(lengths) or not len(before.values):
        return False
    top = float(lengths.max())
    awaited = np.mean(before.values > top) * len(lengths)
    return top <= _LONGER * own["clip_norm"] and bool(awaited >= _AWAITED)


def _within(other: Profile, own: Mapping[str, float], limits: Mapping[str, float]) -> bool:
    """Whether no norm of a side that nobody is seen to cut is longer than what the other side cuts to.

    A loop that cuts between tape and optimizer shows it only in the steps that it cuts, and those may be very few, or
    none; one that does not cut would do nothing else if it did.
    """
    after = other.curves.get("grad_norm")
    if limits or not own or "clip_value" in own or after is None:
        return False
    lengths = after.values[np.isfinite(after.values)]
    return bool(len(lengths)) and float(lengths.max()) <= min(own.values()) * (1 + _EXACTLY)


def _with_limits(side: Profile, own: dict[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """A side's limits, with those of the other where it does clip and such a limit explains its steps as well.

    Of gradients that are all cut a rule that knows no scale does not show to which length.
    """
    if side.update is None or not side.update.fit.explains:
        return own
    fit, given = side.update.fit, side.update.sample
    left_open = side.update.open & other.keys() & fit.hypothesis.settings.keys() - own.keys()
    trials = {name: judge(at_limit(fit.hypothesis, name, other[name]), given) for name in left_open}
    return own | {name: other[name] for name, trial in trials.items() if as_good(trial, fit)}


def _clips_by(side: Profile) -> str:
    """The optimizer that clips, where that is where the framework has it: its class, or the rule that was measured.

    A program of TensorFlow clips between tape and optimizer, unless its optimizer is declared to.
    """
    told = (side.manifest or {}).get("optimizer")
    told = told if isinstance(told, Mapping) else {}
    settings = told.get("hyperparameters")
    declared = isinstance(settings, Mapping) and any(settings.get(name) for name in _KERAS_CLIPS)
    if side.framework != "keras" and not (side.framework == "tensorflow" and declared):
        return ""
    own = told.get("module") == "keras" and told.get("class") not in {None, "LossScaleOptimizer"}
    return str(told.get("class") if own else side.value("update.rule") or "")


def _only(clips: Mapping[str, float]) -> dict[str, float]:
    """These limits and no others."""
    return {name: clips.get(name, 0.0) for name in _CLIPS}

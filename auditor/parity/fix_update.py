"""Lines for the update: the optimizer with the first side's settings, its decay, accumulation, penalties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.compare.mending import CLASSES, DECAYS, SETTINGS, WORDS
from auditor.compare.recognise.cause import close
from auditor.parity import declared
from auditor_agent.parity import Outcome
from auditor_agent.parity.seen import Side

#: What an optimizer of Keras does to gradients before its rule.
_BEFORE: Final = ("clip_norm", "clip_norm_per_variable", "clip_value", "gradient_accumulation_steps")
#: Names of the lines that torch's optimizers take it under.
_CLIPS: Final[Mapping[str, str]] = {
    "clip_norm": "torch.nn.utils.clip_grad_norm_(model.parameters(), {0!r})",
    "clip_value": "torch.nn.utils.clip_grad_value_(model.parameters(), {0!r})",
    "clip_norm_per_variable": "[p.grad.mul_(({0!r} / p.grad.norm()).clamp(max=1)) for p in model.parameters()]",
}


def lines(outcome: Outcome) -> Iterator[str]:
    """The optimizer, if the two differ, and what goes into its gradients."""
    mine, theirs = (_settings(side) for side in (outcome.a, outcome.b))
    if outcome.a.told().by_hand:  # what it clips by hand cannot be read: theirs stays
        mine |= {name: theirs[name] for name in _BEFORE[:3] if name in theirs}
    framework = outcome.b.framework
    if not _alike(mine, theirs):
        yield from _optimizer(mine, theirs, framework)
    yield from _coupled(mine, theirs, framework)
    if framework == "torch":
        yield from _for_torch(mine, theirs)
    yield from _penalties(outcome)


def _settings(side: Side) -> dict[str, Any]:
    """What a side declares, with the batches to a step; ``scheduled``: its rate changes by a schedule.

    Of a scheduled side the rate is the one that it began with (PyTorch), or is left out (Keras).
    """
    found, told = dict(declared.settings(side)), side.told()
    if told.scheduled:
        found |= {"learning_rate": told.starting_rate, "scheduled": True}
    if told.scheduled and told.starting_rate is None:
        del found["learning_rate"]
    if told.accumulate > 1:
        found["gradient_accumulation_steps"] = told.accumulate
    return found


def _alike(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether the second side's optimizer need not be made anew."""
    rule = str(mine.get("rule"))
    names = [name for name in SETTINGS.get(rule, ()) if mine.get(name) is not None]
    if not names:
        return True
    if mine.get("scheduled"):  # a schedule is not rewritten
        names = [name for name in names if name != "learning_rate"]
    same = rule == theirs.get("rule") and all(_same(mine[name], theirs.get(name)) for name in names)
    return same and _decay(mine) == _decay(theirs) and all(_same(mine.get(n), theirs.get(n)) for n in _BEFORE)


def _decay(told: Mapping[str, Any]) -> tuple[float, str]:
    decay = round(float(told.get("weight_decay") or 0.0), 12)
    return decay, str(told.get("decay_coupling")) if decay else "none"


def _same(a: Any, b: Any) -> bool:
    return close(a, b, 1e-6) if a is not None and b is not None else not a and not b


def _optimizer(mine: Mapping[str, Any], theirs: Mapping[str, Any], framework: str) -> Iterator[str]:
    rule, words = str(mine.get("rule")), WORDS.get(framework, {})
    given = {words.get(name, name): repr(_plain(mine[name])) for name in SETTINGS[rule] if mine.get(name) is not None}
    decay, coupling = _decay(mine)
    if framework == "sklearn":
        given.pop("amsgrad", None)
        yield _call(f"model.set_params(solver={rule!r}, ", given)
    elif framework == "torch":
        if "beta_1" in given:
            given["betas"] = f"({given.pop('beta_1')}, {given.pop('beta_2')})"
        if rule in DECAYS:
            given[DECAYS[rule]] = given.pop("decay")
        if rule == "sgd" and mine.get("dampening"):
            given["dampening"] = repr(mine["dampening"])
        apart = rule == "adam" and coupling == "decoupled"
        if decay and (apart or coupling == "coupled"):
            given["weight_decay"] = repr(decay)
        called = "AdamW" if decay and apart else CLASSES[rule][0]
        yield _call(f"optimizer = torch.optim.{called}(model.parameters(), ", given)
    else:
        if mine.get("scheduled") and theirs.get("scheduled"):
            given = {**given, "learning_rate": "optimizer._learning_rate"}
        given |= {words.get(name, name): repr(_plain(mine[name])) for name in _BEFORE if mine.get(name)}
        if decay and coupling != "coupled":
            given["weight_decay"] = repr(decay)
        yield _call(f"optimizer = keras.optimizers.{CLASSES[rule][1]}(", given)


def _plain(value: Any) -> Any:
    """A number of a float32 variable as it was written."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _call(head: str, given: Mapping[str, str]) -> str:
    return head + ", ".join(f"{name}={code}" for name, code in given.items()) + ")"


def _coupled(mine: Mapping[str, Any], theirs: Mapping[str, Any], framework: str) -> Iterator[str]:
    """PyTorch's coupled decay is a penalty of every weight in Keras (OPT-05, OPT-06)."""
    decay, coupling = _decay(mine)
    if framework == "keras" and coupling == "coupled" and _decay(theirs) != (decay, coupling):
        yield f"for v in model.trainable_variables: v.regularizer = keras.regularizers.L2({decay / 2!r})"


def _for_torch(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    """What stands in Keras's optimizer and beside PyTorch's."""
    decay, coupling = _decay(mine)
    if coupling == "decoupled" and mine.get("rule") != "adam" and _decay(theirs) != (decay, coupling):
        rate = _plain(mine.get("learning_rate", 0.0))
        yield f"before_step = lambda model: [p.data.mul_(1 - {rate!r} * {decay!r}) for p in model.parameters()]"
    steps = mine.get("gradient_accumulation_steps") or 1
    if steps != (theirs.get("gradient_accumulation_steps") or 1):
        yield f"accumulate = {steps}"
    for name, code in _CLIPS.items():
        if mine.get(name) and not theirs.get(name):
            yield f"before_step = lambda model: {code.format(_plain(mine[name]))}"


def _penalties(outcome: Outcome) -> Iterator[str]:
    """Keras's L2 of each kernel: as a penalty in PyTorch, or at another strength (LOSS-16, OPT-07)."""
    first = outcome.first
    if first is None or first.stage != "regularization" or outcome.seen is None:
        return
    if outcome.b.framework == "keras":
        yield from _stronger(outcome)
    elif (outcome.a.framework, outcome.b.framework) == ("keras", "torch") and not outcome.b.told().penalty:
        found, strengths = {}, outcome.a.told().l2
        for a, b in outcome.alignment.pairs:
            for tensor in a.slots.keys() & b.slots.keys():
                if a.slots[tensor].key in strengths:
                    found[b.slots[tensor].key] = strengths[a.slots[tensor].key]
        yield (
            "penalty = lambda model: sum(c * (model.get_parameter(n) ** 2).sum() "
            f"for n, c in {dict(sorted(found.items()))!r}.items())"
        )


def _stronger(outcome: Outcome) -> Iterator[str]:
    """Where Keras has an L2 and the other side's penalty is a multiple of it: that multiple."""
    mine, theirs = (seen.penalty for seen in outcome.seen or ())
    strengths = set(outcome.b.told().l2.values())
    if len(strengths) != 1 or not theirs:
        return
    wanted = float(f"{strengths.pop() * mine / theirs:.5g}")
    made = f"v.regularizer and keras.regularizers.L2({wanted!r})" if wanted else "None"
    yield f"for v in model.trainable_variables: v.regularizer = {made}"

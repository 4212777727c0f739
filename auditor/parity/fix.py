"""The settings that make the second implementation equal to the first, a line of code each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.compare import catalogue
from auditor.compare.recognise.cause import close
from auditor.parity import declared
from auditor.parity.diagnose import cause
from auditor_agent.parity import Outcome
from auditor_agent.parity.cells import Cell
from auditor_agent.parity.seen import Side

#: Settings of an update rule by the frameworks' words; the rest is called as it is canonically.
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "torch": {"learning_rate": "lr", "epsilon": "eps", "initial_accumulator": "initial_accumulator_value"},
    "sklearn": {"learning_rate": "learning_rate_init", "nesterov": "nesterovs_momentum"},
    "keras": {"decay": "rho", "initial_accumulator": "initial_accumulator_value"},
}
_CLASSES: Final = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
_OF_RULE: Final[Mapping[str, tuple[str, ...]]] = {
    "adam": ("learning_rate", "beta_1", "beta_2", "epsilon", "amsgrad"),
    "sgd": ("learning_rate", "momentum", "nesterov"),
    "rmsprop": ("learning_rate", "decay", "momentum", "epsilon", "centered"),
    "adagrad": ("learning_rate", "initial_accumulator", "epsilon"),
}


def lines(outcome: Outcome) -> list[str]:
    """Lines of code for the second program, and last the catalogue's for the first part that differs.

    ``model`` and ``optimizer`` are its model and optimizer. Weights are not in it: the lockstep transplants them.
    """
    found = [*_optimizer(outcome.a, outcome.b)]
    for a, b in outcome.alignment.pairs:
        found += _normalization(a, b, outcome.a.framework, outcome.b.framework)
    found += _dropouts(outcome)
    first = cause(outcome)
    told = "" if first is None else catalogue.entry(first.id).fix_for(outcome.b.framework)
    return found + ([f"# {first.id}: {' '.join(told.split())}"] if first is not None and told else [])


def _optimizer(a: Side, b: Side) -> Iterator[str]:
    mine, theirs = declared.settings(a), declared.settings(b)
    rule = str(mine.get("rule"))
    names = [name for name in _OF_RULE.get(rule, ()) if mine.get(name) is not None]
    if not names or (rule == theirs.get("rule") and all(_same(mine[name], theirs.get(name)) for name in names)
                     and _same(mine.get("weight_decay") or 0, theirs.get("weight_decay") or 0)):  # fmt: skip
        return
    words = _WORDS.get(b.framework, {})
    given = {words.get(name, name): mine[name] for name in names}
    if b.framework == "sklearn":
        given.pop("amsgrad", None)
        yield _call(f"model.set_params(solver={rule!r}, ", given, 0.0)
        return
    called = _CLASSES[rule]
    decay = mine.get("weight_decay") or 0.0
    coupled = mine.get("decay_coupling") == "coupled"
    if b.framework == "torch":
        if rule == "adam":
            given["betas"] = (given.pop("beta_1"), given.pop("beta_2"))
        if rule == "rmsprop":
            given["alpha"] = given.pop("decay")
        called = "AdamW" if rule == "adam" and decay and not coupled else called
        yield _call(f"optimizer = torch.optim.{called}(model.parameters(), ", given, decay)
        return
    yield _call(f"optimizer = keras.optimizers.{called}(", given, 0.0 if coupled else decay)


def _call(head: str, given: Mapping[str, Any], decay: float) -> str:
    told = {**given, **({"weight_decay": decay} if decay else {})}
    return head + ", ".join(f"{name}={value!r}" for name, value in told.items()) + ")"


def _same(a: Any, b: Any) -> bool:
    return close(a, b, 1e-6) if b is not None else not a


def _normalization(a: Cell, b: Cell, left: str, right: str) -> Iterator[str]:
    """Epsilon and memory of a normalization layer."""
    if a.kind not in {"batchnorm", "layernorm", "groupnorm", "rmsnorm"}:
        return
    layer = _layer(b, right)
    epsilons = [cell.settings.get("eps", cell.settings.get("epsilon")) for cell in (a, b)]
    if epsilons[0] is not None and not _same(*epsilons):
        yield f"{layer}.{'eps' if right == 'torch' else 'epsilon'} = {epsilons[0]!r}"
    momenta = [cell.settings.get("momentum") for cell in (a, b)]
    if a.kind == "batchnorm" and isinstance(momenta[0], float) and isinstance(momenta[1], float):
        wanted = momenta[0] if left == right else round(1 - momenta[0], 12)
        if not _same(wanted, momenta[1]):
            yield f"{layer}.momentum = {wanted!r}"


def _layer(cell: Cell, framework: str) -> str:
    if framework == "torch":
        return f"model.get_submodule({cell.name!r})"
    return f"model.get_layer({cell.name.rpartition('/')[2]!r})"


def _dropouts(outcome: Outcome) -> Iterator[str]:
    first = outcome.first
    if first is None or first.part != "dropout" or first.values is None:
        return
    names = first.name[1].split(", ")
    if len(first.values[0]) != len(first.values[1]):
        return
    for name, wanted, has in zip(names, *first.values, strict=True):
        if wanted != has and outcome.b.framework == "torch":
            yield f"model.get_submodule({name!r}).p = {wanted!r}"
        elif wanted != has:
            yield f"model.get_layer({name.rpartition('/')[2]!r}).rate = {wanted!r}"

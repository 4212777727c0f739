"""Lines for single layers: epsilon and memory of normalizations, rates, slopes, axes, activations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.compare.recognise.cause import close
from auditor_agent.parity import Outcome
from auditor_agent.parity.cells import Cell
from auditor_agent.parity.seen import Side

_NORMS: Final = frozenset({"batchnorm", "layernorm", "groupnorm", "rmsnorm"})
#: Settings of a layer without weights, as the frameworks spell them: PyTorch, Keras.
_SPELLINGS: Final = (("negative_slope", "negative_slope"), ("dim", "axis"))
#: Activations without settings, by their class or name in lower case: a module of PyTorch, a function of Keras.
_ACTIVATIONS: Final[Mapping[str, tuple[str, str]]] = {
    "relu": ("ReLU()", "relu"), "tanh": ("Tanh()", "tanh"), "sigmoid": ("Sigmoid()", "sigmoid"),
    "silu": ("SiLU()", "silu"), "elu": ("ELU()", "elu"), "selu": ("SELU()", "selu"), "mish": ("Mish()", "mish"),
    "softplus": ("Softplus()", "softplus"), "softsign": ("Softsign()", "softsign"),
}  # fmt: skip


def lines(outcome: Outcome) -> Iterator[str]:
    """Of every normalization, and of the layer at which the two part."""
    for a, b in outcome.alignment.pairs:
        yield from _normalization(a, b, outcome)
    first = outcome.first
    if first is None or first.stage != "forward":
        return
    if first.part == "dropout":
        yield from _dropouts(outcome)
    elif first.kind in {"activation", "softmax"}:
        yield from _activation(outcome.b, first.name[1], *first.settings)


def _normalization(a: Cell, b: Cell, outcome: Outcome) -> Iterator[str]:
    """Epsilon and memory of a normalization layer."""
    if a.kind not in _NORMS:
        return
    left, right = outcome.a.framework, outcome.b.framework
    layer = _layer(outcome.b, b.name)
    epsilons = [cell.settings.get("eps", cell.settings.get("epsilon")) for cell in (a, b)]
    if epsilons[0] is not None and not _same(*epsilons):
        yield f"{layer}.{'eps' if right == 'torch' else 'epsilon'} = {epsilons[0]!r}"
    momenta = [cell.settings.get("momentum") for cell in (a, b)]
    if a.kind == "batchnorm" and isinstance(momenta[0], float) and isinstance(momenta[1], float):
        wanted = momenta[0] if left == right else round(1 - momenta[0], 12)
        if not _same(wanted, momenta[1]):
            yield f"{layer}.momentum = {wanted!r}"


def _same(a: Any, b: Any) -> bool:
    return close(a, b, 1e-6) if b is not None else not a


def _layer(side: Side, name: str) -> str:
    """The layer as code: by name in PyTorch, by place in Keras, where every ``make`` counts names on."""
    if side.framework == "torch":
        return f"model.get_submodule({name!r})"
    plain = name.rpartition("/")[2]
    return side.told().places.get(plain, f"model.get_layer({plain!r})")


def _dropouts(outcome: Outcome) -> Iterator[str]:
    first = outcome.first
    if first is None or first.values is None or len(first.values[0]) != len(first.values[1]):
        return
    rate = "p" if outcome.b.framework == "torch" else "rate"
    for name, wanted, has in zip(first.name[1].split(", "), *first.values, strict=True):
        if wanted != has:
            yield f"{_layer(outcome.b, name)}.{rate} = {wanted!r}"


def _activation(side: Side, name: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[str]:
    layer = _layer(side, name.partition(" (")[0])
    for ours, theirs in _SPELLINGS:
        wanted, has = (one.get(ours, one.get(theirs)) for one in (a, b))
        if wanted is not None and has is not None and not close(wanted, has):
            yield f"{layer}.{ours if side.framework == 'torch' else theirs} = {wanted!r}"
            return
    made = _module(a) if side.framework == "torch" else _function(a)
    if made is None:
        return
    if side.framework == "torch":
        yield f"model.set_submodule({name.partition(' (')[0]!r}, torch.nn.{made})"
    elif "activation" in b:
        yield f"{layer}.activation = {made}"
    else:
        yield f"# in place of {layer}: keras.layers.Activation({made})"


def _name(settings: Mapping[str, Any]) -> str:
    called = settings.get("activation") if settings.get("class") in {None, "Activation"} else settings.get("class")
    return str(called).lower()


def _module(settings: Mapping[str, Any]) -> str | None:
    """The activation as a module of PyTorch."""
    name = _name(settings)
    return _ACTIVATIONS[name][0] if name in _ACTIVATIONS else {"gelu": "GELU()"}.get(name)


def _function(settings: Mapping[str, Any]) -> str | None:
    """The activation as a function of Keras."""
    name = _name(settings)
    if name == "gelu":
        return f"lambda x: keras.ops.gelu(x, approximate={settings.get('approximate') == 'tanh'})"
    return f"keras.activations.{_ACTIVATIONS[name][1]}" if name in _ACTIVATIONS else None

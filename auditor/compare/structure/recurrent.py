"""Recurrent layers of the frameworks as operations: cells that Keras's ``RNN`` is told, directions, layers stacked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from auditor.compare.structure import seen_graph, told_by, words
from auditor.compare.structure.gathered import ARITHMETIC
from auditor.compare.structure.operation import Operation

KINDS: Final = frozenset({"lstm", "gru", "rnn"})


def of_torch(kind: str, name: str, layer: Mapping[str, Any], node: Mapping[str, Any]) -> list[Operation]:
    """One operation for each layer of PyTorch's module, and the dropout between them."""
    both = bool(layer.get("bidirectional"))
    along = seen_graph.along_time(layer, node.get("input_shape"))
    one = {"units": layer.get("hidden_size"), "both": both, "bias": bool(layer.get("bias", True))}
    one |= {"activation": str(layer.get("nonlinearity") or "tanh"), "along_time": along, "state": node.get("state")}
    one |= {"merge": "concat"} if both else {}
    if along is None and not layer.get("batch_first") and "input_shape" in node:
        one |= {"_runs_over": node["input_shape"][0]}
    if "input_shape" not in node:
        one |= {"first": bool(layer.get("batch_first"))}
    if kind != "rnn":
        one |= {"gates": "sigmoid"}
    if kind == "gru":
        one |= {"reset_after": bool(layer.get("reset_after", True))}
    stacked = [Operation(kind, name, told_by.known(one)) for _ in range(int(layer.get("num_layers") or 1))]
    rate = float(layer.get("dropout") or 0.0)
    between = [Operation("dropout", name, {"rate": rate})] if rate else []
    return [*stacked[:1], *(each for another in stacked[1:] for each in (*between, another))]


def both_ways(told: Mapping[str, Any]) -> Iterator[Operation]:
    """Keras's ``Bidirectional`` around one."""
    inner = told.get("layer")
    inner = inner if isinstance(inner, Mapping) else {}
    kind = words.kind_of(inner.get("class"))
    if kind in KINDS:
        own = {"class": inner.get("class"), **(inner.get("config") or {})}
        for one in of_keras(kind, str(told.get("name")), own, both=True):
            yield replace(one, settings={**one.settings, "merge": told.get("merge_mode") or "concat"})


def of_keras(kind: str, name: str, told: Mapping[str, Any], *, both: bool = False) -> Iterator[Operation]:
    """One of Keras's layers: of ``RNN``, which is told the cells that it calls, one for each of those.

    A cell that the program wrote is arithmetic of its own.
    """
    cells = list(_cells(told.get("cell")))
    if not cells:
        yield _of_keras(kind, name, told, both=both)
    for cell in cells:
        of = words.kind_of(cell.get("class"))
        if of in KINDS:
            yield _of_keras(of, name, {**told, **(cell.get("config") or {})}, both=both)
        else:
            yield Operation(ARITHMETIC)


def _cells(told: Any) -> Iterator[Mapping[str, Any]]:
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, Mapping):
            inner = one.get("config")
            several = inner.get("cells") if isinstance(inner, Mapping) else None
            yield from [one] if several is None else _cells(several)


def _of_keras(kind: str, name: str, told: Mapping[str, Any], *, both: bool) -> Operation:
    settings = {"units": told.get("units"), "both": both, "bias": bool(told.get("use_bias", True))}
    settings |= {"activation": told_by.function(told.get("activation"))}
    if kind != "rnn":
        settings |= {"gates": told_by.function(told.get("recurrent_activation"))}
    if kind == "gru":
        settings |= {"reset_after": bool(told.get("reset_after", True))}
    if told.get("stateful") or not told.get("return_state"):  # a state that is given out may be given back by hand
        settings |= {"state": "carried" if told.get("stateful") else "zero"}
    if "batch_first" in told:
        settings |= {"first": bool(told["batch_first"])}
    else:
        settings |= {"along_time": True}
    return Operation(kind, name, told_by.known(settings))

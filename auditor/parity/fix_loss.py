"""Lines for the loss: the first side's function and reduction, as they were identified from its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.parity import measured
from auditor_agent.parity import Outcome

#: Pointwise losses as code of each framework, of output ``p`` and target ``y``; ``{0}``: a number of theirs.
_POINTWISE: Final[Mapping[str, Mapping[str, str]]] = {
    "squared error": {"torch": "(p - y) ** 2", "keras": "(p - y) ** 2"},
    "absolute error": {"torch": "(p - y).abs()", "keras": "keras.ops.abs(p - y)"},
    "huber": {
        "torch": "torch.nn.functional.huber_loss(p, y, delta={0}, reduction='none')",
        "keras": "keras.ops.where(abs(p - y) <= {0}, 0.5 * (p - y) ** 2, {0} * (abs(p - y) - 0.5 * {0}))",
    },
}
_REDUCED: Final[Mapping[str, Mapping[str, str]]] = {
    "mean": {"torch": "({0}).mean()", "keras": "keras.ops.mean({0})"},
    "sum": {"torch": "({0}).sum()", "keras": "keras.ops.sum({0})"},
}
_HEADS: Final = {"torch": "loss = lambda p, y: ", "keras": "loss = lambda y, p: "}


def lines(outcome: Outcome) -> Iterator[str]:
    """One line where the losses differ and the first side's is known; none for one that broadcasts by mistake."""
    first = outcome.first
    if first is None or first.stage != "loss" or first.part != "value":
        return
    facts = measured.facts(outcome)
    if facts is None:
        return
    told = {name: facts[0].value(f"loss.{name}") for name in ("function", "reduction", "factor", "broadcast")}
    line = None if told["broadcast"] else _line(told, outcome.b.framework)
    if line is not None:
        yield line


def _line(told: Mapping[str, Any], framework: str) -> str | None:
    name, _, number = str(told["function"]).partition("(")
    code = _POINTWISE.get(name.strip(), {}).get(framework)
    reduced = _REDUCED.get(str(told["reduction"]), {}).get(framework)
    if code is None or reduced is None or framework not in _HEADS:
        return None
    numbers = re.findall(r"[\d.]+", number)
    body = reduced.format(code.format(*numbers) if numbers else code)
    factor = float(told["factor"] or 1.0)
    return _HEADS[framework] + (body if factor == 1 else f"{float(f'{factor:.6g}')!r} * {body}")

"""Networks of operations by hand, as a comparison sees them."""

from __future__ import annotations

from typing import Any, Final

from auditor.compare.structure import Operation, Structure

NORM: Final = ("layernorm", {"epsilon": 1e-5})


def network(*operations: tuple[str, dict[str, Any]], whole: bool = True, ordered: bool = True) -> Structure:
    """A network of (kind, settings)."""
    made = tuple(Operation(kind, str(at), settings) for at, (kind, settings) in enumerate(operations))
    return Structure(made, whole=whole, ordered=ordered, ran=True)


def relu() -> tuple[str, dict[str, Any]]:
    """An activation."""
    return "activation", {"function": "relu"}


def dense(units: int, **more: Any) -> tuple[str, dict[str, Any]]:
    """A product with weights."""
    return "dense", {"units": units, "bias": True, **more}

"""Functions of torch that are wrapped while somebody listens, and how they come off again."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from auditor_agent.guard import guarded

L = TypeVar("L")


class Wraps:
    """What was put in place of what."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, str, Any]] = []

    def __bool__(self) -> bool:
        """Whether anything is wrapped."""
        return bool(self._originals)

    def put(self, owner: Any, name: str, make: Callable[[Any], Callable[..., Any]]) -> None:
        """Replace ``owner.name`` by what ``make`` makes of it."""
        original = getattr(owner, name)
        wrapper = functools.wraps(original)(make(original))
        wrapper.__auditor__ = True  # type: ignore[attr-defined]
        self._originals.append((owner, name, original))
        setattr(owner, name, wrapper)

    def off(self) -> None:
        """Take the wrappers off; one that somebody else wrapped in turn stays, and tells nobody."""
        while self._originals:
            owner, name, original = self._originals.pop()
            if hasattr(getattr(owner, name), "__auditor__"):
                setattr(owner, name, original)


class UntilImported(Wraps):
    """What was put in place of what for as long as a module is not imported; nothing once it is.

    Stands among the finders of modules meanwhile, and finds none.
    """

    def __init__(self, module: str) -> None:
        super().__init__()
        self._module = module

    def put(self, owner: Any, name: str, make: Callable[[Any], Callable[..., Any]]) -> None:
        """Replace ``owner.name`` by what ``make`` makes of it, unless the module is there."""
        if self._module in sys.modules:
            return
        super().put(owner, name, make)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def off(self) -> None:
        """Take the wrappers off."""
        super().off()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Whoever imports the module finds everything in its place; the finders are being gone through now."""
        del path, target
        if fullname == self._module:
            super().off()


def tell(listeners: list[L], what: Callable[..., None], *values: Any) -> None:
    """Call ``what(listener, *values)`` for each; nothing while a graph is being traced."""
    if torch.compiler.is_compiling():
        return
    for listener in listeners:
        _guarded(what, listener, *values)


@guarded(None)
def _guarded(what: Callable[..., None], *values: Any) -> None:
    what(*values)

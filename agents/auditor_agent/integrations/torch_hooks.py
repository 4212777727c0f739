"""The step hooks of a watched optimizer.

They stay on it for good, and do nothing once nobody watches: a hook that is removed from within a
hook, as when a script's own hook finishes the run, breaks the iteration of the step.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.optim import Optimizer

_compiling: Final = torch.compiler.is_compiling

if TYPE_CHECKING:
    from auditor_agent.integrations.torch_part import Part
    from auditor_agent.integrations.torch_watch import Watcher


class Hooks:
    """A step pre-hook and post-hook, and whom they tell."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.watcher: Watcher | None = None
        self.part: Part | None = None
        self._plain = False
        """Whether the step under way is a plain one: nothing is left to do once it is done."""
        optimizer.register_step_pre_hook(self._pre)
        optimizer.register_step_post_hook(self._post)

    # The arguments are torch's; both return None, for anything else would replace the step's arguments.
    def _pre(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        watcher = self.watcher
        if _compiling() or watcher is None or self.part is None:
            return
        self._plain = len(args) < 2 and not kwargs and watcher.lane.take(optimizer)
        if self._plain:
            watcher.obey()
        else:
            watcher.before(self.part, optimizer, closure=_closure(args, kwargs) is not None)

    def _post(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if _compiling() or self._plain or self.watcher is None or self.part is None:
            return
        self.watcher.after(self.part, optimizer, closure=_closure(args, kwargs) is not None)


_hooks: Final[weakref.WeakKeyDictionary[Optimizer, Hooks]] = weakref.WeakKeyDictionary()


def hook(part: Part, watcher: Watcher) -> None:
    """Have the steps of the part's optimizer told to ``watcher``, and to it alone."""
    optimizer = part.optimizer
    if optimizer is not None:
        if optimizer not in _hooks:
            _hooks[optimizer] = Hooks(optimizer)
        _hooks[optimizer].watcher, _hooks[optimizer].part = watcher, part


def unhook(part: Part, watcher: Watcher) -> None:
    """Tell ``watcher`` no more."""
    hooks = None if part.optimizer is None else _hooks.get(part.optimizer)
    if hooks is not None and hooks.watcher is watcher:
        hooks.watcher = hooks.part = None


def _closure(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The closure given to ``step``; ``args`` begin with the optimizer itself."""
    return kwargs.get("closure", args[1] if len(args) > 1 else None)

"""The step hooks of a watched optimizer.

They stay on it for good, and do nothing once nobody watches: a hook that is removed from within a
hook, as when a script's own hook finishes the run, breaks the iteration of the step.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.optim import Optimizer

_compiling: Final = torch.compiler.is_compiling

if TYPE_CHECKING:
    from auditor_agent.integrations.torch.part import Part
    from auditor_agent.integrations.torch.watcher import Watcher


class Hooks:
    """A step pre-hook and post-hook, and whom they tell."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.watcher: Watcher | None = None
        self.part: Part | None = None
        self._plain = False
        """Whether the step under way is a plain one: nothing is left to do once it is done."""
        self._evaluated = 0
        """Calls of the closure in the step under way, where it is listened to."""
        self._several = isinstance(optimizer, torch.optim.LBFGS)
        """Whether the optimizer calls its closure several times a step: then it is looked at after the step."""
        optimizer.register_step_pre_hook(self.before)
        optimizer.register_step_post_hook(self.after)

    def before(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``optimizer`` is about to step. The arguments to do so with, where they are others; else None."""
        if _compiling() or self.watcher is None or self.part is None:
            return None
        self._plain, self._evaluated = False, 0
        closure = _closure(args, kwargs)
        if closure is None:
            self._look(optimizer)
        elif self._several:
            self.watcher.before(self.part, optimizer, closure=True)
        else:
            return _with(self._listening(closure, optimizer), args, kwargs)
        return None

    def _look(self, optimizer: Optimizer) -> None:
        """The gradients are there, and ``optimizer`` has not acted on them yet."""
        watcher, part = self.watcher, self.part
        if watcher is None or part is None:
            return
        self._plain = watcher.lane.take(part, optimizer)
        if self._plain:
            watcher.obey()
        else:
            watcher.before(part, optimizer, closure=False)

    def _listening(self, closure: Callable[[], Any], optimizer: Optimizer) -> Callable[[], Any]:
        """``closure``, with a look behind its first call: nearly every optimizer acts right after it."""

        def evaluated() -> Any:
            loss = closure()
            self._evaluated += 1
            if self._evaluated == 1:
                self._look(optimizer)
            return loss

        return evaluated

    def after(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """``optimizer`` has stepped."""
        if _compiling() or self._plain or self.watcher is None or self.part is None:
            return
        self._several = self._several or self._evaluated > 1
        late = not self._evaluated and _closure(args, kwargs) is not None
        self.watcher.after(self.part, optimizer, closure=late)


_hooks: Final[weakref.WeakKeyDictionary[Optimizer, Hooks]] = weakref.WeakKeyDictionary()


def hook(part: Part, watcher: Watcher) -> None:
    """Have the steps of the part's optimizer told to ``watcher``, and to it alone."""
    optimizer = part.optimizer
    if optimizer is not None:
        if optimizer not in _hooks:
            _hooks[optimizer] = Hooks(optimizer)
        _hooks[optimizer].watcher, _hooks[optimizer].part = watcher, part


def hooks_of(optimizer: Optimizer) -> Hooks | None:
    """Those of a watched optimizer."""
    return _hooks.get(optimizer)


def unhook(part: Part, watcher: Watcher) -> None:
    """Tell ``watcher`` no more."""
    hooks = None if part.optimizer is None else _hooks.get(part.optimizer)
    if hooks is not None and hooks.watcher is watcher:
        hooks.watcher = hooks.part = None


def _closure(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The closure given to ``step``; ``args`` begin with the optimizer itself."""
    return kwargs.get("closure", args[1] if len(args) > 1 else None)


def _with(closure: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of ``step`` with another closure."""
    return (args, {**kwargs, "closure": closure}) if "closure" in kwargs else ((args[0], closure, *args[2:]), kwargs)

"""Which parameter is called what, and which model an optimizer trains."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterable
from typing import Final

from torch import Tensor, nn
from torch.optim import Optimizer

#: What wrappers put into parameter names: torch.compile, FSDP1, activation checkpointing.
_PREFIXES: Final = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
_WRAPPERS: Final = {"OptimizedModule": "_orig_mod", "DistributedDataParallel": "module", "DataParallel": "module"}


def unwrap(model: nn.Module) -> nn.Module:
    """The user's model inside torch.compile's and DDP's wrappers."""
    while (inner := _WRAPPERS.get(type(model).__name__)) and isinstance(getattr(model, inner, None), nn.Module):
        model = getattr(model, inner)
    return model


def clean(name: str) -> str:
    """A qualified name as the user's own code would say it."""
    for prefix in _PREFIXES:
        name = name.replace(prefix, "")
    return name


def named_parameters(model: nn.Module | None, optimizer: Optimizer | None) -> list[tuple[str, Tensor]]:
    """Every parameter that is trainable or known to the optimizer, by name, in the model's order.

    Parameters that only the optimizer knows follow, named by their place in it
    (``group0.param3``).
    """
    named: list[tuple[str, Tensor]] = []
    held = owned(optimizer) if optimizer else set()
    if model is not None:
        of_model = unwrap(model).named_parameters()
        named = [(clean(name), p) for name, p in of_model if p.requires_grad or id(p) in held]
    known = {id(parameter) for _, parameter in named}
    for at, group in enumerate(optimizer.param_groups if optimizer else ()):
        for place, parameter in enumerate(group["params"]):
            if id(parameter) not in known:
                known.add(id(parameter))
                named.append((f"group{at}.param{place}", parameter))
    return named


def owned(optimizer: Optimizer) -> set[int]:
    """Identities of the parameters that ``optimizer`` updates."""
    return {id(parameter) for parameter in _parameters(optimizer)}


def called(model: nn.Module, at: int) -> str:
    """What a script calls ``model``: its variable in ``__main__``, else its class with its place among the models."""
    main = vars(sys.modules["__main__"]) if "__main__" in sys.modules else {}
    variables = [name for name, value in list(main.items()) if value is model and not name.startswith("_")]
    return variables[0] if variables else f"{type(model).__name__}{at}"


class Several(nn.Module):
    """Modules that one optimizer trains together though no module of the program holds them all. Never called."""

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        for at, member in enumerate(members):
            self._modules[called(member, at).replace(".", "_")] = member


def entrances(root: nn.Module) -> list[nn.Module]:
    """The modules whose calls may begin a forward pass."""
    return list(root.children()) if isinstance(root, Several) else [root]


#: Modules of which a :class:`Several` is made at most.
_MOST_MEMBERS: Final = 16
#: Kept as long as the optimizer, which keeps the weights as well: watchers hold their model weakly.
_made: Final[weakref.WeakKeyDictionary[Optimizer, Several]] = weakref.WeakKeyDictionary()


def find_model(optimizer: Optimizer) -> nn.Module | None:
    """The live module that holds most of the optimizer's parameters; None if none holds any.

    Of modules that hold equally many, the outermost that is no known wrapper: its names are those
    of the user's ``model.named_parameters()``. Where parameters are left that other modules hold (an
    encoder and a decoder, layers in variables of their own), :class:`Several` of them. One walk over
    the live objects, some 50 ms.
    """
    wanted = owned(optimizer)
    found: list[tuple[set[int], int, nn.Module]] = []
    for module in _live_modules():
        if type(module).__name__ in _WRAPPERS:
            continue
        held = wanted & {id(parameter) for parameter in module.parameters()}
        if held:
            found.append((held, sum(1 for _ in module.modules()), module))
    members: list[nn.Module] = []
    while wanted and len(members) < _MOST_MEMBERS:
        held, _, best = max(found, key=lambda one: (len(wanted & one[0]), one[1]), default=(set(), 0, None))
        if best is None or not wanted & held:
            break
        members.append(best)
        wanted -= held
    if len(members) < 2:
        return members[0] if members else None
    order = {id(parameter): at for at, parameter in enumerate(_parameters(optimizer))}
    members.sort(key=lambda one: min(order[id(p)] for p in one.parameters() if id(p) in order))
    _made[optimizer] = Several(members)
    return _made[optimizer]


def _parameters(optimizer: Optimizer) -> Iterable[Tensor]:
    return (parameter for group in optimizer.param_groups for parameter in group["params"])


def _live_modules() -> Iterable[nn.Module]:
    # By type(), not isinstance(): the latter asks the object for its __class__, which runs the
    # code of proxies.
    return [thing for thing in gc.get_objects() if issubclass(type(thing), nn.Module) and hasattr(thing, "_modules")]

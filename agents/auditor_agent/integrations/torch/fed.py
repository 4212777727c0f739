"""What a model's first layers are fed, where the program changed the batch before them: ``x / 255`` in ``forward``.

Autograd keeps nothing of what is done to plain inputs, so the layers' own arguments are looked at. The first one is
told among the outputs of layers (``recorder.GIVEN``), and is none of the layers. Which modules made it of the batch,
and whether the program did anything itself, shows in whose numbers they were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from torch import Size, Tensor

from auditor_agent.integrations.torch.arithmetic import OWN
from auditor_agent.recorder import GIVEN

#: Modules before one layer that are told; a chain of more is cut.
_MOST: Final = 16


def changed(batch: Iterable[Tensor], taken: Iterable[Tensor]) -> Tensor | None:
    """The argument of the first layer, where it is the batch with other numbers; None where it is the batch itself.

    Axes are as in the batch: channels that the program moved to the front are moved back, and rows that it made flat
    have the batch's shape.

    Args:
        batch: what the model was called with.
        taken: what its first layer was called with.
    """
    given, first = list(batch), next(iter(taken), None)
    if first is None or len(given) != 1 or first.requires_grad or first.dim() < 2:
        return None
    if given[0].dim() < 2 or first.data_ptr() == given[0].data_ptr():
        return None
    return _as_in(given[0].shape, first.detach())


def _as_in(shape: Size, tensor: Tensor) -> Tensor | None:
    """``tensor`` in the batch's ``shape``; None where it holds more or fewer numbers, or those of other rows."""
    if tensor.shape[0] != shape[0] or tensor.numel() != shape.numel():
        return None
    back = tensor.movedim(1, -1)
    return back if back.shape == shape != tensor.shape else tensor.reshape(shape)


def layers(heard: Mapping[str, tuple[dict[str, Any], Any]]) -> list[dict[str, Any]]:
    """What is told of each layer that was heard, by its name."""
    return [fact for name, (fact, _) in heard.items() if name != GIVEN]


class Plain:
    """What was done to the inputs of one pass before any weight had a part in it.

    Tensors are known by where their numbers lie; the caller holds them until the pass is over.
    """

    def __init__(self) -> None:
        self._made: dict[int | None, tuple[str, int | None]] = {}
        self._makers: set[str] = set()
        self._before: dict[str, list[str | None]] = {}

    def called(self, name: str, batch: Iterable[Tensor], taken: Iterable[Tensor], gave: Iterable[Tensor]) -> None:
        """A layer was called: with ``taken`` of a model that was given ``batch``; what it gave."""
        first, result = next(iter(taken), None), next(iter(gave), None)
        if result is None or (first is not None and first.requires_grad):
            return
        at = None if first is None else _place(first)
        if result.requires_grad:
            self._before.setdefault(name, [] if first is None else self._chain(at, {_place(one) for one in batch}))
        elif at is not None and (made := _place(result)) not in (None, at) and name not in self._makers:
            self._makers.add(name)  # what it gives when it is called again nobody holds
            self._made[made] = (name, at)

    def told(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The operations of the pass, with those on plain inputs before the layers that took what they made.

        ``plain``: of a module. What the program computed itself is arithmetic of its own, and so may be whatever
        stands before a pass that does not begin with a layer.
        """
        found: list[dict[str, Any]] = []
        waiting = dict(self._before)
        for at, one in enumerate(operations):
            before = waiting.pop(str(one.get("layer")), [] if at else [None])
            found += [{"op": OWN} if name is None else {"layer": name, "plain": True} for name in before]
            found.append(one)
        return found

    def _chain(self, at: int | None, batch: set[int | None]) -> list[str | None]:
        """The modules between the batch and a tensor, the first one first; None: something that is no module."""
        found: list[str | None] = []
        while at not in batch:
            if at is None or at not in self._made or len(found) >= _MOST:
                return [None, *found]
            name, at = self._made[at]
            found.insert(0, name)
        return found


def _place(tensor: Tensor) -> int | None:
    """Where a tensor's numbers lie; None of one that has none of its own."""
    try:
        return tensor.untyped_storage().data_ptr() or None
    except Exception:  # of whatever kind of tensor a program has
        return None

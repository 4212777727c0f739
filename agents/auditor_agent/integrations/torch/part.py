"""One optimizer's parameters: what of them is read, and under which ids."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from auditor_agent.capture import portable
from auditor_agent.capture.kernels import PLAIN
from auditor_agent.integrations.torch.manifest import dtype
from auditor_agent.integrations.torch.names import called, named_parameters, owned
from auditor_agent.run import Run

#: Bytes of weights that are held over a sampled step to see what it did to them.
HELD_BYTES: Final = 4 << 20
#: Elements that are held side by side, of a tensor of which not all are: a few lines of a cache.
_RUN: Final = 64
#: Tensors whose own checksums are told.
MOST_DIGESTS: Final = 256
#: Patterns of missing gradients that have a layout of their own.
MOST_PATTERNS: Final = 64
#: Which tensors a piece of a step describes: kind, part, and which of the part's parameters (None: all).
Key = tuple[str, int, tuple[bool, ...] | None]


class Part:
    """One watched optimizer and the parameters that are read when it steps."""

    def __init__(self, number: int, optimizer: Optimizer, model: nn.Module | None = None) -> None:
        self.number = number
        self.model = None if model is None else weakref.ref(model)
        """A model of its own, where it trains another one than the first optimizer does."""
        self.reference = weakref.ref(optimizer, self._release)
        self.names: list[str] = []
        self.parameters: list[Tensor] = []
        self.groups, self.place = len(optimizer.param_groups), 0
        """Parameter groups, and the place of the first among those of all parts."""
        self._before: list[Tensor] = []
        self.joined = False
        """Whether it was taken in within a step of which its gradients have been read already."""
        self.new = False
        """Whether it joined others, and was not seen to step a second time."""

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer; None once it is gone."""
        return self.reference()

    def _release(self, _: object) -> None:
        # Runs wherever the interpreter drops the optimizer: only lets go of the weights.
        self.names, self.parameters, self._before = [], [], []

    def gradients(self) -> tuple[list[Tensor], Key]:
        """The gradients that are there, and which they are."""
        found = [parameter.grad for parameter in self.parameters]
        there = [gradient for gradient in found if gradient is not None]
        present = None if len(there) == len(found) else tuple([gradient is not None for gradient in found])
        return there, ("gradient", self.number, present)

    def remember(self) -> None:
        """Keep the weights, or evenly spread ones of them where they are many, until :meth:`update`."""
        stride = self._stride()
        self._before = [_spread(parameter, stride).clone() for parameter in self._local()]

    def update(self) -> list[Tensor]:
        """What became of the weights since :meth:`remember`; empty if nothing was kept."""
        before, self._before = self._before, []
        stride = self._stride()
        return [_spread(now, stride) - was for now, was in zip(self._local(), before, strict=True)] if before else []

    def _local(self) -> list[Tensor]:
        return [portable.plain(parameter) for parameter in self.parameters]

    def _stride(self) -> int:
        held = sum(parameter.numel() * parameter.element_size() for parameter in self._local())
        return 1 + held // HELD_BYTES

    def digest(self) -> dict[str, float | Tensor]:
        """Checksums of all bits of the weights, below 2**52, on their device; empty where they are sharded.

        ``digest`` of all, and ``digest:NAME`` of each, of at most MOST_DIGESTS. Integer sums do not depend
        on the order or the number of threads, so equal replicas give equal numbers.
        """
        if not self.parameters or any(hasattr(parameter, "_local_tensor") for parameter in self.parameters):
            return {}
        home = self.parameters[0].device
        sums = [_bits(parameter.detach()).sum(dtype=torch.int64) for parameter in self.parameters]
        total = torch.stack([each.to(home, non_blocking=True) for each in sums])
        odd = torch.arange(1, 2 * len(sums), 2, device=home) * _PRIME
        each = total[:MOST_DIGESTS] & _MASK
        parts: Sequence[float | Tensor] = each.tolist() if each.is_cpu else each.double().unbind()
        names = [f"digest:{name}" for name in self.names]
        return {"digest": (total * odd).sum() & _MASK, **dict(zip(names, parts, strict=False))}


_PRIME: Final = 0x9E3779B1
_MASK: Final = (1 << 52) - 1
_INTEGERS: Final = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def _bits(tensor: Tensor) -> Tensor:
    """The tensor's bits as integers; nothing is copied where it is dense."""
    tensor = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    return tensor.contiguous().view(_INTEGERS[tensor.element_size()])


def _spread(tensor: Tensor, stride: int) -> Tensor:
    """One in ``stride`` elements of the tensor's storage, in runs that lie side by side where there are many."""
    if stride == 1:
        return tensor
    flat = tensor.view(-1) if tensor.is_contiguous() else tensor.flatten()
    whole = flat.numel() // (stride * _RUN) * stride * _RUN
    return flat[:whole].view(-1, stride, _RUN)[:, 0] if whole else flat[::stride]


class Rows:
    """Ids and layouts of what is read, asked of the run once each."""

    def __init__(self, run: Run, parts: Sequence[Part]) -> None:
        self._run, self._parts = run, parts
        self._ids: dict[tuple[str, int], list[int]] = {}
        self._layouts: dict[tuple[Any, ...], int] = {}
        self._patterns: set[Key] = set()

    def admits(self, key: Key) -> bool:
        """Whether ``key`` has a layout or may have one: of patterns without end the later ones have none."""
        if key[2] is None or key in self._patterns:
            return True
        if len(self._patterns) >= MOST_PATTERNS:
            return False
        self._patterns.add(key)
        return True

    def forget(self) -> None:
        """The parts have changed; the run's own ids stay."""
        self._ids.clear()
        self._layouts.clear()

    def layout(self, first: tuple[int, ...], keys: tuple[Key, ...], last: tuple[int, ...]) -> int:
        """The layout of the tensors ``first``, then what ``keys`` say, one after the other, then ``last``."""
        found = self._layouts.get((first, keys, last))
        if found is None:
            ids = [*first, *self.ids(keys), *last]
            found = self._layouts[first, keys, last] = self._run.layout(ids)
        return found

    def ids(self, keys: Sequence[Key]) -> list[int]:
        """The ids of what ``keys`` say, as the parts are now."""
        return [i for key in keys for i in self._of(key)]

    def _of(self, key: Key) -> list[int]:
        kind, number, present = key
        ids = self._ids.get((kind, number))
        if ids is None:
            part = self._parts[number]
            named = zip(part.names, part.parameters, strict=True)
            ids = [self._run.tensor(kind, name, tuple(p.shape), dtype(p)) for name, p in named]
            self._ids[kind, number] = ids
        return ids if present is None else [i for i, there in zip(ids, present, strict=True) if there]


def share(model: nn.Module | None, parts: Sequence[Part]) -> list[tuple[str, Tensor]]:
    """Give each part the parameters that it is to read; all of them, by name, in the model's order.

    A parameter goes to the optimizer that holds it; those that none holds go to the first.
    """
    optimizers = [part.optimizer for part in parts]
    holders = {key: at for at, one in enumerate(optimizers) if one is not None for key in owned(one)}
    named: dict[int, tuple[str, Tensor]] = {}
    for at, one in enumerate(optimizers):
        prefix = f"optimizer{at}." if at else ""
        reference = parts[at].model
        its = model if reference is None else reference()
        told = {name for name, _ in named.values()}
        for name, parameter in named_parameters(its, one):
            taken = name if not name.startswith("group") else prefix + name
            if reference is not None and its is not None and taken in told:
                taken = f"{called(its, at)}.{taken}"
            named.setdefault(id(parameter), (taken, parameter))
    for at, part in enumerate(parts):
        mine = [pair for key, pair in named.items() if holders.get(key, 0) == at]
        part.names, part.parameters = [name for name, _ in mine], [parameter for _, parameter in mine]
        one = optimizers[at]
        part.groups = 0 if one is None else len(one.param_groups)
        part.place = sum(earlier.groups for earlier in parts[:at])
    return list(named.values())


def plain_parameters(part: Part) -> list[tuple[str, Tensor]]:
    """The parameters by name, as they lie in memory."""
    return [(name, _plain(parameter)) for name, parameter in zip(part.names, part.parameters, strict=True)]


def plain_gradients(part: Part) -> list[tuple[str, Tensor]]:
    """The gradients that are there, by the names of their parameters."""
    found = [(name, parameter.grad) for name, parameter in zip(part.names, part.parameters, strict=True)]
    return [
        (name, _plain(gradient if gradient.layout is torch.strided else gradient.to_dense()))
        for name, gradient in found
        if gradient is not None
    ]


def plain_state(part: Part, optimizer: Optimizer) -> dict[str, list[tuple[str, Tensor]]]:
    """What the optimizer keeps of its parameters, by its own name for it."""
    found: dict[str, list[tuple[str, Tensor]]] = {}
    for name, parameter in zip(part.names, part.parameters, strict=True):
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                found.setdefault(str(key), []).append((name, _plain(value)))
    return found


def _plain(tensor: Tensor) -> Tensor:
    """As ``portable.plain``; most tensors are that already."""
    usual = type(tensor) in PLAIN and tensor.layout is torch.strided and not tensor.is_complex()
    return tensor if usual else portable.plain(tensor)

"""The layers of a PyTorch model that hold weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
from torch import nn

from auditor_agent.parity.cells import F64, Cell, Slot, Turn, axes, gates

_MATRIX: Final = axes(1, 0)
_CONVOLUTIONS: Final = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
_TRANSPOSED: Final = {nn.ConvTranspose1d: 1, nn.ConvTranspose2d: 2, nn.ConvTranspose3d: 3}
_NORMS: Final[dict[str, tuple[type[nn.Module], ...]]] = {
    "batchnorm": (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d),
    "layernorm": (nn.LayerNorm,),
    "groupnorm": (nn.GroupNorm,),
    "rmsnorm": (nn.RMSNorm,),
}


def find(model: nn.Module) -> list[Cell]:
    """The cells of a model in the order in which they are registered."""
    names = {id(p): name for name, p in [*model.named_parameters(), *model.named_buffers()]}
    found: list[Cell] = []
    done: set[str] = set()
    for name, layer in model.named_modules():
        if any(name.startswith(outer + ".") for outer in done):
            continue
        cells = list(_cells(name, layer, names))
        if isinstance(layer, (nn.MultiheadAttention, nn.LSTM, nn.GRU)):
            done.add(name)
        found += [cell for cell in cells if cell.slots]
    return found


def _cells(name: str, layer: nn.Module, names: dict[int, str]) -> Iterator[Cell]:
    def slot(parameter: Any, turn: tuple[Turn, Turn] | None = None, **more: Any) -> Slot | None:
        if parameter is None:
            return None
        to, back = turn or (lambda a: a, lambda a: a)
        return Slot(names[id(parameter)], to, back, **more)

    kind = next((kind for kind, classes in _NORMS.items() if isinstance(layer, classes)), None)
    if isinstance(layer, nn.Linear):
        yield _cell(name, "dense", layer, kernel=slot(layer.weight, _MATRIX), bias=slot(layer.bias))
    elif isinstance(layer, (*_CONVOLUTIONS, *_TRANSPOSED)):
        yield _convolution(name, layer, slot)
    elif isinstance(layer, nn.Embedding):
        yield _cell(name, "embedding", layer, embeddings=slot(layer.weight))
    elif kind is not None:
        means = {"moving_mean": slot(layer.running_mean), "moving_variance": slot(layer.running_var)} if (
            kind == "batchnorm" and layer.running_mean is not None) else {}  # fmt: skip
        yield _cell(name, kind, layer, gamma=slot(layer.weight), beta=slot(getattr(layer, "bias", None)), **means)
    elif isinstance(layer, (nn.LSTM, nn.GRU)):
        yield from _recurrent(name, layer, slot)
    elif isinstance(layer, nn.MultiheadAttention):
        yield _attention(name, layer, slot)
    else:
        for own, parameter in layer.named_parameters(recurse=False):
            yield _cell(f"{name}.{own}".lstrip("."), "weight", layer, weight=slot(parameter))


def _cell(name: str, kind: str, layer: nn.Module, **slots: Slot | None) -> Cell:
    kept = {key: slot for key, slot in slots.items() if slot is not None}
    root = dict(_everything(layer, name))
    taken = {key: slot.take(root) for key, slot in kept.items()}
    shapes = {key: () if value is None else value.shape for key, value in taken.items()}
    return Cell(name, kind, kept, shapes, settings(layer), layer)


def _everything(layer: nn.Module, prefix: str) -> Iterator[tuple[str, F64]]:
    """Arrays under the names that slots use; a tied weight is found under its first name by shape alone."""
    for own, tensor in [*layer.named_parameters(), *layer.named_buffers()]:
        full = f"{prefix}.{own}" if prefix else own
        yield full, numpy(tensor)


def numpy(tensor: torch.Tensor) -> F64:
    """A tensor's values as float64."""
    array: F64 = tensor.detach().cpu().double().numpy().copy()
    return array


def settings(layer: nn.Module) -> dict[str, Any]:
    """The plain attributes of a layer that say what it computes."""
    found: dict[str, Any] = {"class": type(layer).__name__}
    kept = {name: value for name, value in vars(layer).items() if not name.startswith("_") and name != "training"}
    return found | {name: value for name, value in kept.items() if isinstance(value, (bool, int, float, str, tuple))}


def _convolution(name: str, layer: Any, slot: Callable[..., Slot | None]) -> Cell:
    transposed = type(layer) in _TRANSPOSED
    rank = layer.weight.ndim - 2
    space = tuple(range(2, 2 + rank))
    if transposed:
        return _cell(
            name, "conv_transpose", layer, kernel=slot(layer.weight, axes(*space, 1, 0)), bias=slot(layer.bias)
        )
    if layer.groups == layer.in_channels and layer.groups > 1:
        inputs, multiplier = layer.in_channels, layer.out_channels // layer.in_channels

        def to(a: F64) -> F64:
            split = a.reshape(inputs, multiplier, *a.shape[2:])
            return split.transpose(*range(2, 2 + rank), 0, 1)

        def back(a: F64) -> F64:
            turned = a.transpose(rank, rank + 1, *range(rank))
            return turned.reshape(inputs * multiplier, 1, *a.shape[:rank])

        return _cell(name, "depthwise", layer, kernel=slot(layer.weight, (to, back)), bias=slot(layer.bias))
    return _cell(name, "conv", layer, kernel=slot(layer.weight, axes(*space, 1, 0)), bias=slot(layer.bias))


def _recurrent(name: str, layer: Any, slot: Callable[..., Slot | None]) -> Iterator[Cell]:
    long = isinstance(layer, nn.LSTM)
    for depth in range(layer.num_layers):
        for ending in ("", "_reverse")[: 1 + layer.bidirectional]:
            w_in, w_rec = (getattr(layer, f"weight_{part}_l{depth}{ending}") for part in ("ih", "hh"))
            b_in, b_rec = (getattr(layer, f"bias_{part}_l{depth}{ending}", None) for part in ("ih", "hh"))
            called = name if layer.num_layers == 1 and not layer.bidirectional else f"{name}.l{depth}{ending}"
            if long:
                other = slot(b_rec)
                bias = slot(b_in, added=other.key if other else None)
                yield _named(name, called, _cell(
                    name, "lstm", layer, kernel=slot(w_in, _MATRIX), recurrent_kernel=slot(w_rec, _MATRIX), bias=bias,
                ))  # fmt: skip
                continue
            turned = _gru(matrix=True)
            flat = _gru(matrix=False)
            yield _named(name, called, _cell(
                name, "gru", layer, kernel=slot(w_in, turned), recurrent_kernel=slot(w_rec, turned),
                bias=slot(b_in, flat), recurrent_bias=slot(b_rec, flat),
            ))  # fmt: skip


def _named(module: str, called: str, cell: Cell) -> Cell:
    cell.name = called
    cell.settings["module"] = module
    return cell


def _gru(*, matrix: bool) -> tuple[Turn, Turn]:
    """PyTorch's r, z, n as z, r, h: the first two blocks change places."""

    def to(a: F64) -> F64:
        return gates(a.T if matrix else a, (1, 0, 2))

    def back(a: F64) -> F64:
        turned = gates(a, (1, 0, 2))
        return turned.T if matrix else turned

    return to, back


def _attention(name: str, layer: nn.MultiheadAttention, slot: Callable[..., Slot | None]) -> Cell:
    size = layer.embed_dim
    slots: dict[str, Slot | None] = {}
    for at, part in enumerate(("query", "key", "value")):
        rows = (at * size, (at + 1) * size)
        packed = getattr(layer, "in_proj_weight", None)
        if packed is not None:
            slots[f"{part}_kernel"] = slot(packed, _MATRIX, rows=rows)
        else:
            slots[f"{part}_kernel"] = slot(getattr(layer, f"{part[0]}_proj_weight"), _MATRIX)
        slots[f"{part}_bias"] = slot(layer.in_proj_bias, rows=rows)
    slots["output_kernel"] = slot(layer.out_proj.weight, _MATRIX)
    slots["output_bias"] = slot(layer.out_proj.bias)
    cell = _cell(name, "attention", layer, **slots)
    cell.settings["num_heads"] = layer.num_heads
    return cell

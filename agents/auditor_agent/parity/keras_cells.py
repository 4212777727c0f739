"""The layers of a Keras model that hold weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import keras
import numpy as np

from auditor_agent.parity.cells import F64, Cell, Slot, Turn

L = keras.layers
_NORMS: Final = {
    "batchnorm": L.BatchNormalization,
    "layernorm": L.LayerNormalization,
    "groupnorm": L.GroupNormalization,
    "rmsnorm": L.RMSNormalization,
}
#: Layers with a kernel and a bias; the first that fits, as some are made of others.
_PLAIN: Final = {
    "dense": (L.Dense, L.EinsumDense),
    "depthwise": (L.DepthwiseConv1D, L.DepthwiseConv2D),
    "conv_transpose": (L.Conv1DTranspose, L.Conv2DTranspose, L.Conv3DTranspose),
    "conv": (L.Conv1D, L.Conv2D, L.Conv3D),
}
#: Layers whose inner layers are part of them.
WHOLE: Final = (L.LSTM, L.GRU, L.SimpleRNN, L.MultiHeadAttention, L.GroupQueryAttention)


def layers_of(model: Any) -> list[Any]:
    """Every layer of a model, those within others too, but none within a layer that is taken as a whole."""
    everything = list(model._flatten_layers(include_self=True))  # noqa: SLF001 -- no public walk
    inner = {id(sub) for layer in everything if isinstance(layer, WHOLE)
             for sub in layer._flatten_layers(include_self=False)}  # noqa: SLF001  # fmt: skip
    return [layer for layer in everything if id(layer) not in inner]


def find(model: Any) -> list[Cell]:
    """The cells of a built model in the order of its layers. Keys are places in ``model.variables``."""
    places = {id(variable): str(at) for at, variable in enumerate(model.variables)}
    found: list[Cell] = []
    for layer in layers_of(model):
        found += [cell for cell in _cells(layer, places) if cell.slots]
    return found


def _cells(layer: Any, places: dict[int, str]) -> Iterator[Cell]:
    def slot(variable: Any, turn: tuple[Turn, Turn] | None = None) -> tuple[Slot, tuple[int, ...]] | None:
        if variable is None:
            return None
        to, back = turn or (lambda a: a, lambda a: a)
        return Slot(places[id(variable)], to, back), to(np.zeros(variable.shape)).shape

    kind = next((kind for kind, cls in _NORMS.items() if isinstance(layer, cls)), None)
    plain = next((kind for kind, classes in _PLAIN.items() if isinstance(layer, classes)), None)
    if plain is not None and (plain != "dense" or len(layer.kernel.shape) == 2):
        yield _cell(layer, plain, kernel=slot(layer.kernel), bias=slot(layer.bias))
    elif kind is not None:
        moving = {name: slot(getattr(layer, name, None)) for name in ("moving_mean", "moving_variance")}
        gamma = getattr(layer, "gamma", None) if kind != "rmsnorm" else layer.scale
        yield _cell(layer, kind, gamma=slot(gamma), beta=slot(getattr(layer, "beta", None)), **moving)
    elif isinstance(layer, L.Embedding):
        yield _cell(layer, "embedding", embeddings=slot(layer.embeddings))
    elif isinstance(layer, L.LSTM):
        parts = {name: slot(getattr(layer.cell, name)) for name in ("kernel", "recurrent_kernel", "bias")}
        yield _cell(layer, "lstm", **parts)
    elif isinstance(layer, L.GRU):
        yield _gru(layer, slot)
    elif isinstance(layer, L.MultiHeadAttention):
        yield _attention(layer, slot)
    else:
        yield from _others(layer, slot)


def _others(layer: Any, slot: Callable[..., Any]) -> Iterator[Cell]:
    """Weights that a layer of one's own holds by itself."""
    if isinstance(layer, (L.Dropout, keras.random.SeedGenerator)):
        return
    for variable in [*layer._trainable_variables]:  # noqa: SLF001 -- the layer's own, without those within
        cell = _cell(layer, "weight", weight=slot(variable))
        cell.name = str(variable.path)
        yield cell


def _cell(layer: Any, kind: str, **slots: tuple[Slot, tuple[int, ...]] | None) -> Cell:
    kept = {name: both for name, both in slots.items() if both is not None}
    shapes = {name: both[1] for name, both in kept.items()}
    return Cell(path_of(layer), kind, {name: both[0] for name, both in kept.items()}, shapes, settings(layer), layer)


def path_of(layer: Any) -> str:
    """A layer's name with those of the layers that it is in, where Keras knows them."""
    return str(getattr(layer, "path", None) or layer.name)


def settings(layer: Any) -> dict[str, Any]:
    """The plain part of a layer's configuration, with the names of its functions."""
    try:
        with warnings.catch_warnings():  # of a lambda that could not be saved
            warnings.simplefilter("ignore")
            config = dict(layer.get_config())
    except Exception:  # a layer of one's own need not have one
        config = {}
    kept = {name: value for name, value in config.items() if isinstance(value, (bool, int, float, str, tuple, list))}
    kept.pop("name", None)
    activation = getattr(layer, "activation", None)
    if activation is not None:
        kept["activation"] = getattr(activation, "__name__", type(activation).__name__)
    return {"class": type(layer).__name__, **kept}


def _gru(layer: Any, slot: Callable[..., Any]) -> Cell:
    cell = layer.cell
    if cell.bias is None or not cell.reset_after:
        return _cell(layer, "gru", kernel=slot(cell.kernel), recurrent_kernel=slot(cell.recurrent_kernel),
                     bias=slot(cell.bias))  # fmt: skip
    rows = [slot(cell.bias, (_row(at), lambda a: a)) for at in (0, 1)]
    parts = [(Slot(whole.key, _flat, _unflat, rows=(at, at + 1)), shape) for at, (whole, shape) in enumerate(rows)]
    return _cell(layer, "gru", kernel=slot(cell.kernel), recurrent_kernel=slot(cell.recurrent_kernel),
                 bias=parts[0], recurrent_bias=parts[1])  # fmt: skip


def _row(at: int) -> Turn:
    return lambda a: a[at]


def _flat(a: F64) -> F64:
    return a.reshape(-1)


def _unflat(a: F64) -> F64:
    return a.reshape(1, -1)


def _shaped(shape: Sequence[int], flat: Sequence[int]) -> tuple[Turn, Turn]:
    return (lambda a: a.reshape(tuple(flat))), (lambda a: a.reshape(tuple(shape)))


def _attention(layer: Any, slot: Callable[..., Any]) -> Cell:
    slots: dict[str, Any] = {}
    for part in ("query", "key", "value"):
        dense = getattr(layer, f"_{part}_dense")
        rows = int(dense.kernel.shape[0])
        slots[f"{part}_kernel"] = slot(dense.kernel, _shaped(dense.kernel.shape, (rows, -1)))
        slots[f"{part}_bias"] = None if dense.bias is None else slot(dense.bias, _shaped(dense.bias.shape, (-1,)))
    dense = layer._output_dense  # noqa: SLF001 -- no public name
    columns = int(dense.kernel.shape[-1])
    slots["output_kernel"] = slot(dense.kernel, _shaped(dense.kernel.shape, (-1, columns)))
    slots["output_bias"] = slot(dense.bias)
    cell = _cell(layer, "attention", **slots)
    cell.settings["num_heads"] = layer.num_heads
    return cell

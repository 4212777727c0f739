"""Messages between two processes of a lockstep: plain values and arrays, length first. Nothing is unpickled.

A message is eight bytes with the length of its head, the head in JSON, and the arrays' bytes one after
the other; in the head an array is its type, its shape and nothing else, a tuple is told from a list.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import IO, Any, Final

import numpy as np

_LENGTH: Final = struct.Struct("<Q")
_SIMPLE: Final = (str, int, float, bool, type(None))


class ClosedError(Exception):
    """The other end is gone."""


def send(stream: IO[bytes], value: Any) -> None:
    """Writes one message.

    Args:
        stream: where to.
        value: numbers, texts, arrays, lists, tuples, mappings by text, dataclasses (as mappings of their fields).

    Raises:
        TypeError: if something else is in it, or an array of Python objects.
        ClosedError: if the other end is gone.
    """
    arrays: list[Any] = []
    head = json.dumps(_flat(value, arrays)).encode()
    try:
        stream.write(_LENGTH.pack(len(head)) + head)
        for array in arrays:
            stream.write(array.data if array.size else b"")
        stream.flush()
    except (BrokenPipeError, ValueError) as error:  # ValueError: the stream was closed on this side
        raise ClosedError from error


def receive(stream: IO[bytes]) -> Any:
    """Reads one message.

    Raises:
        ClosedError: if the other end is gone.
    """
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    return _whole(json.loads(_exactly(stream, length)), stream)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise ClosedError
    return found


def _flat(value: Any, arrays: list[Any]) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _SIMPLE):
        return value
    if isinstance(value, (tuple, list)):
        items = [_flat(item, arrays) for item in value]
        return {"tuple": items} if isinstance(value, tuple) else items
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {"map": {str(name): _flat(item, arrays) for name, item in value.items()}}
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        arrays.append(np.array(value, order="C"))
        return {"array": value.dtype.str, "shape": value.shape}
    raise TypeError(f"{type(value).__qualname__} cannot be sent to another process, nor can arrays of objects")


def _whole(value: Any, stream: IO[bytes]) -> Any:
    if isinstance(value, list):
        return [_whole(item, stream) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        kind, shape = np.dtype(value["array"]), tuple(value["shape"])
        data = _exactly(stream, kind.itemsize * int(np.prod(shape, dtype=np.int64)))
        return np.frombuffer(bytearray(data), kind).reshape(shape)
    if "tuple" in value:
        return tuple(_whole(item, stream) for item in value["tuple"])
    return {name: _whole(item, stream) for name, item in value["map"].items()}

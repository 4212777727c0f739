"""Where an implementation comes from: a function of this process, or a file run in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from auditor_agent.parity import given as giving
from auditor_agent.parity.given import Implementation, NotComparableError
from auditor_agent.parity.seen import Side
from auditor_agent.parity.twin import Twin

Make = Callable[[], Any]
Batch = tuple[Any, Any]


class Program(Protocol):
    """One implementation before it is put beside the other.

    Attributes:
        layout: where its images have their channels, ``first`` or ``last``.
    """

    layout: str

    def batches(self, steps: int) -> list[Batch]:
        """So many of its batches; empty if it brings none."""

    def twin(self, batch: Batch) -> Twin:
        """It and its oracle in float64, started with a first batch."""


class Here:
    """A ``make`` of this process."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._given = giving.read(make())
        self.layout = _layout(self._given)

    def batches(self, steps: int) -> list[Batch]:
        """See ``Program``."""
        return self._given.first_batches(steps)

    def twin(self, batch: Batch) -> Twin:
        """See ``Program``."""
        side = _side(self._given, batch, double=False)
        twin = Twin(side, side.dropouts())
        side.silence()
        try:
            with _double(self._given.framework):
                oracle = _side(giving.read(self._make()), batch, double=True)
            oracle.silence()
            oracle.load(side.weights())
            oracle.forward(batch[0], training=False)
            twin.oracle = oracle
        except Exception as error:  # the program cannot be run in float64: the other side's oracle must do
            twin.lacking = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:200]
        return twin


def load(target: str) -> Make:
    """The function that ``FILE.py:FUNCTION`` names.

    Raises:
        NotComparableError: if there is no such file or function.
    """
    name, _, function = target.rpartition(":")
    path = Path(name)
    if not name or not path.is_file():
        raise NotComparableError(f"no program {target!r}: write FILE.py:FUNCTION, for example model.py:make")
    spec = importlib.util.spec_from_file_location(f"parity_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise NotComparableError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    found: Make | None = getattr(module, function, None)
    if not callable(found):
        raise NotComparableError(f"{path} has no function {function!r}")
    return found


def _layout(given: Implementation) -> str:
    if given.framework != "keras":
        return "first"
    import keras

    layers = given.model._flatten_layers()  # noqa: SLF001 -- no public walk
    told = next((layer.data_format for layer in layers if getattr(layer, "data_format", None)), None)
    return str(told or keras.config.image_data_format()).removeprefix("channels_")


@contextlib.contextmanager
def _double(framework: str) -> Iterator[None]:
    if framework == "keras":
        from auditor_agent.parity.keras_side import floats

        with floats("float64"):
            yield
    else:
        yield


def _side(given: Implementation, batch: Batch, *, double: bool) -> Side:
    side: Side
    if given.framework == "torch":
        from auditor_agent.parity.torch_side import TorchSide

        side = TorchSide(given, double=double)
    elif given.framework == "keras":
        from auditor_agent.parity.keras_side import KerasSide

        side = KerasSide(given, batch[0], double=double)
    else:
        from auditor_agent.parity.sklearn_side import SklearnSide

        side = SklearnSide(given, batch, double=double)
    return side

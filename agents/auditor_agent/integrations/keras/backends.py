"""What the probe needs of the framework under Keras: a module per backend, ``on_tensorflow`` and ``on_torch``."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, cast

import keras

from auditor_agent.integrations.keras.layers import Layers
from auditor_agent.integrations.keras.listener import Tape, Taps
from auditor_agent.integrations.keras.rows import Store

if TYPE_CHECKING:  # it imports this module
    from auditor_agent.integrations.keras.probe import Probe


class Backend(Protocol):
    """Static functions that every backend's module has."""

    @staticmethod
    def dense(gradient: Any) -> Any:
        """A gradient as a dense tensor; an empty one for None."""

    @staticmethod
    def scalar(value: Any) -> Any:
        """A value of the running step as a floating scalar; NaN for None and what is out of reach."""

    @staticmethod
    def total(parts: Sequence[Any]) -> Any:
        """The sum of scalars."""

    @staticmethod
    def reciprocal(value: Any) -> Any:
        """1 / value as a scalar."""

    @staticmethod
    def mean(gradient: Any, unscale: Any, held: Any, count: int) -> Any:
        """(gradient * unscale + held) / count."""

    @staticmethod
    def store(tensors: int, rows: int, *, jit: bool) -> Store:
        """A store for rows of so many tensors."""

    @staticmethod
    def tape(probe: Probe) -> Tape:
        """The flight recorder's part in the step."""

    @staticmethod
    def taps(layers: Layers, *, accumulate: int, jit: bool) -> Taps | None:
        """What looks at layers' outputs and the batch within the step; None where nothing can."""

    @staticmethod
    def target(variables: Sequence[Any]) -> Any:
        """What the step's gradients by ``variables`` are of, where that can be heard; once."""

    @staticmethod
    def expanded(loss: Any, given: Sequence[Any] = ()) -> Any:
        """Output, target and facts of a hand-written loss where these are certain; None elsewhere."""

    @staticmethod
    def parts(loss: Any, output: Any) -> list[dict[str, Any]]:
        """The operations that a loss is made of, down to ``output``; none where they cannot be told."""

    @staticmethod
    def host(variable: Any) -> Any:
        """The values of a variable as NumPy's array; waits for a device."""

    @staticmethod
    def outside() -> AbstractContextManager[Any]:
        """A context out of whatever is being traced, where values can be read."""

    @staticmethod
    def untraced(function: Callable[..., None]) -> Callable[..., None]:
        """``function`` as it may be called within a step that is compiled."""


@functools.cache
def backend() -> Backend:
    """The module for the backend that Keras uses in this process."""
    return cast("Backend", importlib.import_module(f"auditor_agent.integrations.keras.on_{keras.backend.backend()}"))

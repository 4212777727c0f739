"""A finder that runs a function once a framework has been imported. Standard library only."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from auditor_agent.guard import guarded

#: What is installed after which import: module and its ``install`` function.
INTEGRATIONS: Final = {
    "torch": "auditor_agent.integrations.torch.audit",
    "keras": "auditor_agent.integrations.keras.audit",
    "sklearn.neural_network": "auditor_agent.integrations.sklearn.audit",
    "tensorflow": "auditor_agent.integrations.tensorflow.audit",
    "lightning.pytorch.trainer.trainer": "auditor_agent.integrations.lightning",
    "pytorch_lightning.trainer.trainer": "auditor_agent.integrations.lightning",
    "transformers.trainer": "auditor_agent.integrations.transformers",
}


class AfterImport:
    """Stands first in ``sys.meta_path``; finds nothing itself, but sees what the others find.

    The loader that they found keeps its type and place; its ``exec_module`` is covered, for this one
    module and once, by a function that calls it and then ``then(name)``. A module is waited for until
    it runs: somebody may ask only whether it is there, as TensorFlow asks for Keras.
    """

    def __init__(self, names: Sequence[str], then: Callable[[str], None]) -> None:
        self._waiting = set(names)
        self._then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders give for ``name``; None for a module not waited for."""
        if name not in self._waiting:
            return None
        spec = _others(self, name, path, target)
        if spec is not None and spec.loader is not None:
            self._cover(name, spec.loader)
        return spec

    def _cover(self, name: str, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            self._waiting.discard(name)
            execute(module)
            self._then(name)

        loader.exec_module = exec_module


def _others(self: AfterImport, name: str, path: Any, target: ModuleType | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        if finder is not self and find is not None and (spec := find(name, path, target)) is not None:
            return spec  # type: ignore[no-any-return]
    return None


@guarded(None)
def install(integrations: Mapping[str, str] = INTEGRATIONS) -> None:
    """Wait for the frameworks; those that are imported already are watched at once."""
    sys.meta_path.insert(0, AfterImport([name for name in integrations if name not in sys.modules], imported))
    for name in integrations:
        if name in sys.modules:
            imported(name)


@guarded(None)
def imported(name: str) -> None:
    """The framework ``name`` is there: install its integration."""
    importlib.import_module(INTEGRATIONS[name]).install()

"""The catalogue's one-line fixes call what the installed frameworks have, with arguments that it takes."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import sklearn.metrics
import sklearn.model_selection
import sklearn.neural_network
import tensorflow as tf
import torch
import torch.utils.data

from auditor.compare import catalogue
from auditor.compare.catalogue.docs import is_code

LINES = [
    (name, framework, line.partition("  #")[0])
    for name, entry in catalogue.entries().items()
    for framework, line in entry.fix.items()
    if is_code(line.partition("  #")[0])
]
ROOTS = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "keras": keras, "tf": tf, "np": np}
#: Where a name without a module is looked for, by framework.
BARE: dict[str, tuple[Any, ...]] = {
    "torch": (torch.utils.data, torch.optim.lr_scheduler, torch.nn),
    "keras": (keras.layers, keras.initializers, keras.losses, keras.callbacks, keras.optimizers),
    "tensorflow": (keras.layers, keras.losses),
    "sklearn": (sklearn.neural_network, sklearn.metrics, sklearn.model_selection),
}


def calls(line: str) -> Iterator[tuple[ast.Call, list[str]]]:
    """Every call of a line with its dotted name; calls of what a call returned are left out."""
    for node in ast.walk(ast.parse(line)):
        parts: list[str] = []
        at = node.func if isinstance(node, ast.Call) else None
        while isinstance(at, ast.Attribute):
            parts.insert(0, at.attr)
            at = at.value
        if isinstance(at, ast.Name) and isinstance(node, ast.Call):
            yield node, [at.id, *parts]


def found(framework: str, parts: list[str]) -> Any:
    """What a dotted name of a framework means; None for a name of the reader's own program."""
    if parts[0] in ROOTS:
        at = ROOTS[parts[0]]
        for part in parts[1:]:
            at = getattr(at, part)
        return at
    if len(parts) > 1 or not parts[0][0].isupper():
        return None
    return next(getattr(module, parts[0]) for module in BARE[framework] if hasattr(module, parts[0]))


@pytest.mark.parametrize(
    ("name", "framework", "line"), LINES, ids=[f"{name} {framework}" for name, framework, _ in LINES]
)
def test_a_line_of_code_calls_what_there_is(name: str, framework: str, line: str) -> None:
    """Names exist, and arguments fit the signature where there is one."""
    for call, parts in calls(line):
        meant = found(framework, parts)
        if meant is None:
            continue
        assert callable(meant)
        try:
            signature = inspect.signature(meant)
        except ValueError:  # a builtin of C
            continue
        named = [keyword.arg for keyword in call.keywords if keyword.arg is not None]
        taken = signature.parameters.values()
        names = {one.name for one in taken}
        # **kwargs beside named parameters would take a wrong name as well.
        assert set(named) <= names or names == {"args", "kwargs"}
        if not any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in taken):
            places = [one for one in taken if one.kind is not inspect.Parameter.KEYWORD_ONLY]
            assert len(call.args) <= len(places)


def test_most_fixes_are_lines_of_code() -> None:
    """And a wrong name or argument would be found."""
    assert len(LINES) >= 150
    with pytest.raises(AttributeError):
        found("torch", ["torch", "optim", "AdamX"])
    with pytest.raises(StopIteration):
        found("keras", ["NoSuchLayer"])

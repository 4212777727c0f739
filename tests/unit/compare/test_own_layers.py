"""Initial weights of layers that a program has written itself, beside those that everybody knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import init
from auditor.ingest.records import Recorded, StepRecording


def side(framework: str, weights: dict[str, np.ndarray], layers: list[dict[str, Any]]) -> Profile:
    """A run that begins with these weights."""
    arrays = {
        ("weight", name): Recorded("weight", name, "float32", values.shape, values.size, values.ravel())
        for name, values in weights.items()
    }
    return profile("r", framework, [StepRecording(0, 0, 1, arrays)], Beside({"model": {"layers": layers}}))


def torch_side(table: float, head: float) -> Profile:
    """An embedding and a linear layer, with these spreads."""
    rng = np.random.default_rng(0)
    weights = {"emb.weight": rng.normal(0, table, (60, 16)), "fc.weight": rng.normal(0, head, (5, 16))}
    return side("torch", weights, [{"name": "emb", "class": "Embedding"}, {"name": "fc", "class": "Linear"}])


def keras_side(table: float, head: float, own: str = "TokenTable") -> Profile:
    """A table in a layer of the program's own, looked up by a product, and a dense layer."""
    rng = np.random.default_rng(1)
    weights = {"net/words/values": rng.normal(0, table, (60, 16)), "net/out/kernel": rng.normal(0, head, (16, 5))}
    layers = [{"class": own, "path": "net/words"}, {"class": "Dense", "path": "net/out"}]
    return side("keras", weights, layers)


@pytest.mark.parametrize(
    ("a", "b", "parameters"),
    [
        ((0.1, 0.3), (0.1, 0.3), []),
        ((1.0, 0.3), (0.05, 0.3), ["init.embedding.kernel"]),
        ((0.1, 0.3), (0.1, 0.9), ["init.dense.kernel"]),
    ],
)
def test_a_table_of_ones_own_is_held_against_the_only_one_of_its_shape(
    a: tuple[float, float], b: tuple[float, float], parameters: list[str]
) -> None:
    """It is no dense kernel, though it has as many axes: a lookup by a product of one-hot rows is drawn as a table."""
    sides = torch_side(*a), keras_side(*b)
    for left, right in (sides, sides[::-1]):
        assert [one.parameter for one in init.causes(left, right)] == parameters


def test_weights_that_nobody_names_are_taken_for_what_their_axes_are() -> None:
    """A network of plain matrices against one of dense layers: the kernels are compared all the same."""
    rng = np.random.default_rng(2)
    plain = side("tensorflow", {"w1": rng.normal(0, 1.0, (16, 40)), "w2": rng.normal(0, 1.0, (40, 5))}, [])
    weights = {"0.weight": rng.normal(0, 0.2, (40, 16)), "2.weight": rng.normal(0, 0.2, (5, 40))}
    layers = [{"name": name, "class": "Linear"} for name in ("0", "2")]
    assert [one.parameter for one in init.causes(plain, side("torch", weights, layers))] == ["init.dense.kernel"]

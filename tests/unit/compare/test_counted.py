"""A mask that one side's dropout may be: where the other side drops as often it is that, else it is arithmetic."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.compare.structure import Structure, counted, differences, of_one_stock, structure

DENSE = [{"name": name, "class": "Linear", "out_features": width} for name, width in (("a", 8), ("b", 4), ("c", 1))]
DROP = {"op": "dropout", "rate": 0.3}


def network(*nodes: Any) -> Structure:
    """Layers and what runs between them."""
    graph = [{"layer": node} if isinstance(node, str) else node for node in nodes]
    return structure("torch", {"model": {"layers": DENSE}}, [{"operations": graph}])


def mask(rate: float, count: int = 2048) -> dict[str, Any]:
    """Zeros and ones that nothing makes up for."""
    return {"op": "dropout", "rate": rate, "inverted": False, "counted": count}


@pytest.mark.parametrize(
    ("rate", "count", "setting"), [(0.31, 2048, "inverted"), (0.28, 2048, "inverted"), (0.4, 50, "inverted")]
)
def test_a_mask_as_often_as_the_others_dropout_is_one_that_does_not_scale(
    rate: float, count: int, setting: str
) -> None:
    """Standard deviations of the part: 0.010 of 2,048 numbers, 0.065 of 50."""
    hand, library = network("a", mask(rate, count), "b", "c"), network("a", DROP, "b", "c")
    assert [one.setting for one in differences(hand, library)] == [setting]
    assert [one.setting for one in differences(library, hand)] == [setting]


def test_a_mask_of_another_rate_is_arithmetic_of_its_own() -> None:
    """It may be the dropout, written in a way that is not known; nothing else is told of it."""
    assert differences(network("a", mask(0.4), "b", "c"), network("a", DROP, "b", "c")) == []
    assert differences(network("a", mask(0.4), "b", "c"), network("a", "b", "c")) == []
    assert [one.setting for one in differences(network("a", "b", mask(0.4), "c"), network("a", DROP, "b", "c"))] == [""]


def test_the_places_of_what_a_side_computes_itself_stay_where_they_are() -> None:
    """Before and behind a mask that is taken out."""
    own = {"op": "arithmetic"}
    found = counted.beside(network(own, "a", mask(0.4), "b", own, "c"), network("a", "b", "c"))
    assert [one.name for one in found.operations] == ["a", "b", "c"]
    assert found.own == {0, 1, 2}


def test_what_is_a_mask_on_both_sides_is_one_stock() -> None:
    """Of the same layers, with the same masks of data."""
    both = network("a", mask(0.4), "b", "c")
    assert of_one_stock(both, both)
    assert differences(both, network("a", mask(0.41), "b", "c")) == []


def test_a_dropout_of_shares_stands_where_a_program_writes_it() -> None:
    """Before the product that attention ends with."""
    dense = [{"name": name, "class": "Linear", "in_features": 8, "out_features": 8} for name in "qkvo"]
    drop = {"op": "dropout", "rate": 0.1}
    by_hand = [{"layer": "q"}, {"layer": "k"}, {"layer": "v"}, {"op": "softmax"}, drop, {"layer": "o"}]
    tensors = {f"{name}.bias": {} for name in "qkvo"}
    hand = structure("torch", {"model": {"layers": dense, "tensors": tensors}}, [{"operations": by_hand}])
    for rate, expected in ((0.1, []), (0.2, ["rate"]), (0.0, [""])):
        layer = {"name": "mha", "class": "MultiHeadAttention", "use_bias": True, "dropout": rate}
        layer |= {"weights": [{"name": "query", "shape": [8, 1, 8]}]}
        found = structure("keras", {"model": {"layers": [layer]}}, [{"operations": [{"layer": "mha"}]}])
        assert [one.setting for one in differences(found, hand)] == expected

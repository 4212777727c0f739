"""Own answers for right ones, states that go on, tables that are scaled: told by what ran, with any weights."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.stream.recording import Recording
from support.recordings import assembled

CELL = {"name": "cell", "class": "GRUCell", "hidden_size": 4}
OUT = {"name": "out", "class": "Linear", "in_features": 4, "out_features": 1}


def run(framework: str, facts: list[dict[str, Any]], layers: list[dict[str, Any]]) -> Profile:
    """A run of so many recorded steps with nothing but facts."""
    steps = [Recording(at + 1, [], {}, {"phase": "train", **one}) for at, one in enumerate(facts)]
    model = {"class": "Net", "layers": layers}
    return profile("a", framework, assembled(steps), Beside({"framework": framework, "model": model}))


def decoder(fed: list[bool]) -> Profile:
    """A PyTorch decoder of five calls, fed its own answers in some steps."""
    graph = [{"layer": "cell"}, {"layer": "out"}] * 5
    facts = [
        {"layers": [{"name": "cell", "calls": 5, **({"fed_by": "out"} if own else {})}, {"name": "out", "calls": 5}]}
        for own in fed
    ]
    facts[0]["operations"] = graph
    return run("torch", facts, [CELL, OUT])


def keras(fed: bool) -> Profile:
    """The same traced."""
    cell = {"layer": "cell", "calls": 5, **({"fed_by": "out"} if fed else {})}
    layers = [{"name": "cell", "class": "GRUCell", "config": {"units": 4}}, {"name": "out", "class": "Dense"}]
    graph = [cell, {"layer": "out"}, {"layer": "cell"}, {"layer": "out"}]
    return run("tensorflow", [{"operations": graph, "operations_whole": True}], layers)


def told(a: Profile, b: Profile) -> list[str]:
    """The parameters of what the layers differ in."""
    return [one.parameter for one in diagnose(a, b).causes]


@pytest.mark.parametrize("other", [decoder([False] * 8), keras(False)])
def test_own_answers_on_one_side_are_told(other: Profile) -> None:
    """Whichever framework; the same on both sides is silent."""
    assert "forward.fed_back" in told(decoder([True] * 8), other)
    assert "forward.fed_back" not in told(decoder([False] * 8), other)
    assert "forward.fed_back" not in told(decoder([True] * 8), keras(True))


def test_a_coin_for_each_batch_is_no_difference_to_another_coin() -> None:
    """Scheduled sampling: a few steps tell nothing, and halves are halves."""
    assert "forward.fed_back" not in told(decoder([True] * 3), decoder([False] * 3))
    assert "forward.fed_back" not in told(decoder([True, False] * 4), decoder([False, False, True, True] * 2))


def lstm(state: str | None) -> Profile:
    """An LSTM of PyTorch."""
    graph = [{"layer": "rnn", **({"state": state} if state else {})}, {"layer": "out"}]
    layers = [{"name": "rnn", "class": "LSTM", "input_size": 2, "hidden_size": 4, "batch_first": True}, OUT]
    return run("torch", [{"operations": graph}], layers)


def keras_lstm(**config: Any) -> Profile:
    """One of Keras."""
    layers = [
        {"name": "rnn", "class": "LSTM", "config": {"units": 4, "activation": "tanh", **config}},
        {"name": "out", "class": "Dense", "config": {"units": 1}},
    ]
    graph = [{"layer": "rnn"}, {"layer": "out"}]
    return run("keras", [{"operations": graph, "operations_whole": True}], layers)


@pytest.mark.parametrize(
    ("a", "b", "differs"),
    [
        (lstm("carried"), lstm("zero"), True),
        (lstm("carried"), keras_lstm(), True),
        (lstm("zero"), keras_lstm(stateful=True), True),
        (keras_lstm(stateful=True), keras_lstm(stateful=False), True),
        (lstm("carried"), keras_lstm(stateful=True), False),
        (lstm("carried"), keras_lstm(return_state=True), False),
        (lstm(None), keras_lstm(), False),
        (lstm("zero"), keras_lstm(), False),
    ],
)
def test_a_state_that_goes_on_is_told_where_the_other_begins_anew(a: Profile, b: Profile, differs: bool) -> None:
    """A decoder's state, made by other layers, is neither; one that a layer gives out may be given back by hand."""
    assert ("lstm.state" in told(a, b)) is differs


def table(factor: float | None, framework: str = "torch") -> Profile:
    """An embedding before a layer."""
    scale = [] if factor is None else [{"op": "scale", "of": "emb", "factor": factor}]
    graph = [{"layer": "emb"}, *scale, {"layer": "out"}]
    layers = [{"name": "emb", "class": "Embedding", "num_embeddings": 9, "embedding_dim": 4, "output_dim": 4}]
    facts = [{"operations": graph, "operations_whole": True}]
    return run(framework, facts, [*layers, {**OUT, "config": {"units": 1}}])


def test_a_table_that_one_side_scales_is_told() -> None:
    """By the root of its width, say; by the same number on both sides it is silent, as without a graph."""
    assert "embedding.scale" in told(table(2.0), table(None, "keras"))
    assert "embedding.scale" in told(table(2.0), table(0.5))
    assert "embedding.scale" not in told(table(2.0), table(2.0, "keras"))
    assert "embedding.scale" not in told(table(2.0), run("torch", [{}], [OUT]))

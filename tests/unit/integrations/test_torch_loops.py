"""Layers that a forward pass calls again and again: what they begin with, and what they are given."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.integrations.torch import operations
from auditor_agent.integrations.torch.loops import Loops


class Decoder(nn.Module):
    """A cell, and what makes a number of its state: given right numbers or its own."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.cell, self.out = way, nn.GRUCell(1, 4), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Five numbers a row, each after the one before."""
        given, state, found = x[:, 0], torch.zeros(len(x), 4), []
        for at in range(x.shape[1]):
            state = self.cell(given, state)
            answer = self.out(state)
            found.append(answer)
            given = {"right": x[:, at], "own": answer, "cut": answer.detach()}[self.way]
        return torch.stack(found, 1)


class Words(nn.Module):
    """A cell over words, of which the next is the right one or the one of the highest score."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.emb, self.cell, self.out = way, nn.Embedding(9, 3), nn.LSTMCell(3, 4), nn.Linear(4, 9)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of words."""
        word, state, found = x[:, 0], None, []
        for at in range(x.shape[1]):
            state = self.cell(self.emb(word), state)
            scores = self.out(state[0])
            found.append(scores)
            word = x[:, at] if self.way == "right" else scores.argmax(1)
        return torch.stack(found, 1)


def heard(model: nn.Module, *given: Any) -> Loops:
    """What one pass shows, through hooks as the probe puts them on."""
    loops, nodes, within = Loops(), dict[Any, str](), dict[Any, Any]()

    def hook(name: str) -> Any:
        def after(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            args = (*args, *kwargs.values())
            loops.called(name, module, args, [first])
            loops.told.setdefault(name, {"name": name})
            nodes[first.grad_fn], within[first.grad_fn] = name, operations.given(args)

        return after

    for name, module in model.named_children():
        module.register_forward_hook(hook(name), with_kwargs=True)
    output = model(*given)
    loops.tell(nodes, within, [output[0] if isinstance(output, tuple) else output])
    return loops


@pytest.mark.parametrize(("way", "fed"), [("right", None), ("own", "out"), ("cut", "out")])
def test_a_layer_that_is_given_its_own_answers_is_told(way: str, fed: str | None) -> None:
    """Also where the gradient is cut off; the state that a cell hands itself is no answer."""
    torch.manual_seed(0)
    told = heard(Decoder(way), torch.rand(6, 5, 1)).told["cell"]
    assert (told["calls"], told.get("fed_by")) == (5, fed)


@pytest.mark.parametrize(("way", "fed"), [("right", None), ("own", "out")])
def test_words_of_the_highest_score_are_own_answers(way: str, fed: str | None) -> None:
    """No gradient leads there: the numbers themselves say so."""
    torch.manual_seed(0)
    told = heard(Words(way), torch.randint(0, 9, (16, 5))).told["emb"]
    assert told.get("fed_by") == fed


class Net(nn.Module):
    """A recurrent layer with or without a state."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.rnn = nn.Linear(3, 4), nn.GRU(3, 4, batch_first=True)

    def forward(self, x: Tensor, state: str) -> Tensor:
        """The layer's outputs."""
        zeros = torch.zeros(1, len(x), 4)
        given = {"none": None, "zero": zeros, "old": zeros + 0.3, "made": self.first(x[:, 0])[None]}[state]
        found: Tensor = self.rnn(x, hx=given)[0] if state == "old" else self.rnn(x, given)[0]
        return found


@pytest.mark.parametrize(("state", "told"), [("none", "zero"), ("zero", "zero"), ("old", "carried"), ("made", None)])
def test_what_a_recurrent_layer_begins_with_is_told(state: str, told: str | None) -> None:
    """Nothing, zeros, a state of old; of one that other layers made nothing is."""
    torch.manual_seed(0)
    besides = heard(Net(), torch.rand(2, 5, 3), state).besides["rnn"]
    assert besides.get("state") == told
    assert besides["input_shape"] == [2, 5, 3]


def test_sequences_that_were_packed_are_told_as_such() -> None:
    """They have no shape that would show along which axis they run."""
    net = nn.GRU(3, 4, batch_first=True)
    told = Loops()
    parts = nn.utils.rnn.pack_padded_sequence(torch.rand(2, 5, 3), torch.tensor([5, 2]), batch_first=True)
    told.called("rnn", net, [parts], [])
    assert told.besides["rnn"]["packed"] is True
    assert "input_shape" not in told.besides["rnn"]


def test_a_table_that_is_scaled_is_told_and_a_half_of_a_written_gelu_is_not() -> None:
    """By which number, of which layer."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 4))
    nodes: dict[Any, str] = {}
    rows = net[0](torch.arange(6))
    nodes[rows.grad_fn] = "emb"
    z = net[1](rows * 4**0.5)
    nodes[z.grad_fn] = "lin"
    found = operations.operations([0.5 * z * (1 + torch.erf(z / 2**0.5))], nodes, {})
    assert [one for one in found if one.get("op") == "scale"] == [{"op": "scale", "of": "emb", "factor": 2.0}]

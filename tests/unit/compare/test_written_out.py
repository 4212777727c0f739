"""Honest ports whose networks are cut otherwise: a cell written out, experts in one tensor, pools of one row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import forward, init
from auditor.compare.structure import differences, structure
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

OWN, ADD = {"op": "arithmetic"}, {"op": "add"}
GATES = [{"op": "dense", "units": 16}, {"op": "dense", "units": 16}, ADD, {"op": "sigmoid"}, OWN, {"op": "tanh"}]


def run(framework: str, layers: list[dict[str, Any]], nodes: list[Any], **weights: tuple[int, ...]) -> Profile:
    """A run with these layers, what ran, and weights of these shapes."""
    graph = [{"layer": node} if isinstance(node, str) else node for node in nodes]
    arrays = [array("weight", name, np.ones(shape, np.float32)) for name, shape in weights.items()]
    step = Recording(1, arrays, {"loss": 1.0}, {"operations": graph})
    return profile("run", framework, assembled([step]), Beside({"model": {"layers": layers}}))


LSTM = {"name": "rnn", "class": "LSTM", "config": {"units": 4}}
HEAD = {"name": "out", "class": "Dense", "config": {"units": 1, "use_bias": True}}
OUT = {"name": "out", "class": "Linear", "in_features": 4, "out_features": 1}
CELL = {"kernel": (2, 16), "recurrent": (4, 16), "bias": (16,), "head": (4, 1), "offset": (1,)}


def causes(left: Profile, right: Profile) -> list[str]:
    """What is told, whichever side comes first."""
    there, back = ([one.parameter for one in forward.causes(*pair)] for pair in ((left, right), (right, left)))
    assert sorted(there) == sorted(back)
    return there


def test_gates_that_a_program_writes_out_are_within_the_others_layer() -> None:
    """Neither its activations nor its sums are the program's own."""
    layer = run("keras", [LSTM, HEAD], ["rnn", "out"], **CELL)
    written = run("torch", [OUT], [*GATES, *GATES, "out"], **CELL)
    assert causes(layer, written) == []


def test_an_activation_beside_a_layer_that_both_have_is_told() -> None:
    """A cell that nobody writes out hides nothing."""
    rnn = {"name": "rnn", "class": "LSTM", "input_size": 2, "hidden_size": 4, "batch_first": True}
    plain = run("torch", [rnn, OUT], ["rnn", "out"], **CELL)
    assert causes(plain, run("torch", [rnn, OUT], ["rnn", {"op": "relu"}, "out"], **CELL)) == ["forward.activation"]


EXPERTS = [{"name": f"expert{at}", "class": "Dense", "config": {"units": 5, "use_bias": False}} for at in range(3)]
APART = {f"expert{at}/kernel": (4, 5) for at in range(3)}


@pytest.mark.parametrize(("shape", "told"), [((3, 4, 5), False), ((12, 5), True)])
def test_layers_whose_kernels_are_one_tensor_are_not_missing(shape: tuple[int, ...], told: bool) -> None:
    """Three experts in one product; not of a kernel that is as large by chance."""
    keras = run("keras", EXPERTS, [f"expert{at}" for at in range(3)], **APART)
    torch = run("torch", [], [{"op": "dense", "units": 5}, OWN], whole=shape)
    assert bool(causes(keras, torch)) == told


def test_a_pool_of_a_sequence_is_the_same_as_an_image_of_one_row() -> None:
    """``F.max_pool1d`` is told as PyTorch computes it; not one along the other axis."""
    module = {"name": "pool", "class": "torch.nn.modules.pooling.MaxPool1d", "kernel_size": 2, "stride": 2}
    module |= {"padding": 0, "dilation": 1, "ceil_mode": False}
    node = {"op": "max_pool", "stride": [1, 2], "padding": [0, 0], "dilation": [1, 1], "ceil_mode": False}

    def called(kernel: list[int], extents: list[int]) -> Any:
        graph = [{**node, "kernel_size": kernel, "stride": kernel, "from": extents}, {"layer": "out"}]
        return structure("torch", {"model": {"layers": [OUT]}}, [{"operations": graph}])

    declared = structure("torch", {"model": {"layers": [module, OUT]}},
                         [{"operations": [{"layer": "pool"}, {"layer": "out"}]}])  # fmt: skip
    assert differences(declared, called([1, 2], [1, 32])) == differences(called([1, 2], [1, 32]), declared) == []
    assert differences(declared, called([2, 1], [32, 1]))


@pytest.mark.parametrize("copied", [True, False])
def test_copied_numbers_are_drawn_alike_whichever_layers_have_them(copied: bool) -> None:
    """A table of words as the kernel of a product with one-hot rows, beside a head that is a bare parameter."""
    rng = np.random.default_rng(3)
    table, head = rng.uniform(-0.1, 0.1, (40, 16)), rng.uniform(-0.56, 0.56, (16, 3))

    def begun(framework: str, layers: list[dict[str, Any]], **weights: Any) -> Profile:
        arrays = [array("weight", name, one.astype(np.float32)) for name, one in weights.items()]
        step = Recording(1, arrays, {"loss": 1.0}, {})
        return profile("run", framework, assembled([step]), Beside({"model": {"layers": layers}}))

    dense = [{"name": name, "class": "Dense"} for name in ("words", "out")]
    keras = begun("keras", dense, **{"words/kernel": table, "out/kernel": head})
    rows = {"name": "table", "class": "Embedding"}
    other = head if copied else rng.uniform(-5.6, 5.6, (16, 3))
    torch = begun("torch", [rows], **{"table.weight": table, "kernel": other})
    assert bool(list(init.causes(keras, torch))) is not copied

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


STEP = [{"op": "dense", "units": 4}, {"op": "dense", "units": 4}, {"op": "tanh"}]
PLAIN = {"kernel": (2, 4), "recurrent": (4, 4), "bias": (4,), "head": (4, 1), "offset": (1,)}
SIMPLE = {"name": "rnn", "class": "SimpleRNN", "config": {"units": 4}}


@pytest.mark.parametrize(("steps", "told"), [(4, False), (2, True)])
def test_steps_of_products_and_functions_alone_are_a_cell_where_they_are_many(steps: int, told: bool) -> None:
    """A loop over a sequence in a tape's function; two layers are two layers."""
    layer = run("keras", [SIMPLE, HEAD], ["rnn", "out"], **PLAIN)
    assert bool(causes(layer, run("torch", [OUT], [*STEP * steps, "out"], **PLAIN))) is told


def test_two_layers_that_read_one_way_each_are_one_that_reads_both() -> None:
    """One of them from the end; of other widths they are others."""
    inner = {"class": "LSTM", "config": {"units": 4}}
    both = {
        "name": "both",
        "class": "Bidirectional",
        "config": {"layer": inner, "merge_mode": "concat"},
        "layer": inner,
    }
    apart = [{**LSTM, "name": name} for name in ("there", "back")]
    apart[1] = {**apart[1], "config": {**apart[1]["config"], "go_backwards": True}}
    weights = {f"{way}_{name}": shape for way in ("there", "back") for name, shape in CELL.items()}
    one = run("keras", [both, HEAD], ["both", "out"], **weights)
    two = run("keras", [*apart, HEAD], ["there", "back", "out"], **weights)
    assert [each.kind for each in one.structure.operations] == ["lstm", "dense"]
    assert causes(one, two) == []
    wide = [{**each, "config": {**each["config"], "units": 6}} for each in apart]
    assert causes(one, run("keras", [*wide, HEAD], ["there", "back", "out"], **weights)) != []


def test_the_second_bias_of_pytorchs_layers_is_no_weight_that_a_cell_lacks() -> None:
    """A cell of Keras's that a program writes has one."""
    own = {"name": "cell", "class": "Own"}
    layer = {"name": "rnn", "class": "RNN", "input_size": 2, "hidden_size": 4, "batch_first": True}
    torch_own = {"rnn.weight_ih_l0": (4, 2), "rnn.weight_hh_l0": (4, 4), "rnn.bias_ih_l0": (4,), "rnn.bias_hh_l0": (4,)}
    torch = run("torch", [layer, OUT], ["rnn", "out"], **torch_own, head=(4, 1), offset=(1,))
    assert causes(torch, run("keras", [own, HEAD], [OWN, "out"], **PLAIN)) == []

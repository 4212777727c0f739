"""Weights that are drawn otherwise though the largest of their kind are not."""

from __future__ import annotations

from typing import Any

import numpy as np

from auditor.compare.causes import diagnose
from auditor.compare.profile import Profile
from support.tiny import drawn

WIDE = 64


def uniform(rows: int, columns: int, seed: int, gain: float = 1.0) -> np.ndarray:
    """As Glorot's."""
    bound = gain * (6 / (rows + columns)) ** 0.5
    return np.random.default_rng(seed).uniform(-bound, bound, (rows, columns)).astype(np.float32)


def normal(std: float, seed: int) -> np.ndarray:
    """A table of positions."""
    return np.random.default_rng(seed).normal(0, std, (32, 32)).astype(np.float32)


def network(framework: str, seed: int, **own: np.ndarray) -> Profile:
    """Two large layers that are drawn alike on both sides, and what else there is."""
    kind = "Linear" if framework == "torch" else "Dense"
    layers: dict[str, Any] = {f"l{at}": (kind, {"weight": uniform(WIDE, WIDE, seed + at)}) for at in range(2)}
    return drawn(framework, layers | {name: ("Own", {"weight": value}) for name, value in own.items()})


def told(a: Profile, b: Profile) -> list[tuple[str, str]]:
    """What is said of initial weights."""
    return [(one.id, one.parameter) for one in diagnose(a, b).causes if one.parameter.startswith("init.")]


def test_a_table_of_another_width_is_told_beside_larger_layers() -> None:
    """Both of a fixed scale: a function's default on one side."""
    mine = network("torch", 0, position=normal(1.0, 5))
    assert told(mine, network("keras", 20, position=normal(0.02, 6))) == [("INIT-14", "init.dense.kernel")]
    assert told(mine, network("keras", 20, position=normal(1.0, 6))) == []


def test_a_layer_that_begins_at_zero_is_told() -> None:
    """The last one of a block, say."""
    zero, one = np.zeros((32, 32), np.float32), uniform(32, 32, 9)
    assert told(network("torch", 0, last=zero), network("keras", 20, last=one)) == [("INIT-01", "init.dense.kernel")]
    assert told(network("torch", 0, last=zero), network("keras", 20, last=zero)) == []


def test_what_each_is_called_and_in_which_order_they_come_does_not_count() -> None:
    """Two of one size, the other way round."""
    small, large = uniform(32, 32, 7, 0.2), uniform(32, 32, 8)
    assert told(network("torch", 0, a=small, b=large), network("keras", 20, c=large[::-1], d=small[::-1])) == []


def test_of_networks_that_are_cut_into_other_tensors_nothing_is_said() -> None:
    """Their sizes say nothing of which is which."""
    mine = network("torch", 0, position=normal(1.0, 5))
    halves = np.split(normal(0.02, 6), 2)
    assert told(mine, network("keras", 20, a=halves[0], b=halves[1])) == []


def test_projections_that_are_drawn_as_one_matrix_are_told() -> None:
    """PyTorch packs queries, keys and values, and draws by the fans of all three (INIT-11)."""
    packed = drawn("torch", {"attn": ("MultiheadAttention", {"in_proj_weight": uniform(3 * WIDE, WIDE, 0)}),
                             "l": ("Linear", {"weight": uniform(WIDE, WIDE, 1)})})  # fmt: skip
    own = {
        name: ("Linear", {"weight": uniform(WIDE, WIDE, at)}) for at, name in enumerate(("attn.q", "attn.k", "attn.v"))
    }
    apart = drawn("torch", {"attn": ("SelfAttention", {}), **own, "l": ("Linear", {"weight": uniform(WIDE, WIDE, 9)})})
    assert [entry for entry, _ in told(packed, apart)] == ["INIT-11"]


def test_a_table_of_one_column_is_no_bias() -> None:
    """``nn.Embedding(n, 1)`` here, a vector of n numbers there that rows are taken of: drawn as the table is."""
    bias = np.random.default_rng(3).uniform(-0.125, 0.125, WIDE).astype(np.float32)
    values = np.random.default_rng(4).normal(0, 0.01, (400, 1)).astype(np.float32)
    both = [
        drawn(
            "torch", {"l": ("Linear", {"weight": uniform(WIDE, WIDE, seed), "bias": bias}), "t": (kind, {"w": table})}
        )
        for seed, kind, table in ((0, "Embedding", values), (5, "Own", values[::-1, 0].copy()))
    ]
    assert told(*both) == []


def test_a_bias_of_ones_scales_nothing_where_the_other_sides_is_a_bias() -> None:
    """A forget gate's, in a loop of one's own that names no tensor; whichever of two comes first."""
    ones, zeros = np.ones(WIDE, np.float32), np.zeros(WIDE, np.float32)
    layers = {f"l{at}": ("Linear", {"weight": uniform(WIDE, WIDE, at), "bias": (ones, zeros)[at]}) for at in range(2)}
    own = {f"Variable#{at}": uniform(WIDE, WIDE, at + 5) for at in range(2)} | {"V#2": zeros, "V#3": ones}
    bare = {name: ("Own", {"v": value}) for name, value in own.items()}
    assert told(drawn("torch", layers), drawn("tensorflow", bare)) == []


def test_a_cell_that_is_built_of_layers_has_the_kernels_of_one() -> None:
    """Of all layers the one of its state is the largest, and orthogonal; the other side's are an LSTM's."""

    def square(seed: int, rows: int) -> np.ndarray:
        made = np.linalg.qr(np.random.default_rng(seed).normal(size=(rows, rows)))[0]
        return made[:, : rows // 4].astype(np.float32)

    def own(seed: int, gain: float = 1.0) -> Profile:
        made = {"x": uniform(8, WIDE, seed), "h": square(seed, WIDE).T, "o": uniform(16, 4, seed + 1, gain)}
        return drawn("keras", {name: ("Dense", {"kernel": one}) for name, one in made.items()})

    def layer(seed: int) -> Profile:
        kernels = {"kernel": uniform(8, WIDE, seed), "recurrent_kernel": square(seed, WIDE).T}
        return drawn("keras", {"l": ("LSTM", kernels), "o": ("Dense", {"kernel": uniform(16, 4, seed + 1)})})

    assert told(layer(0), own(5)) == []
    assert told(layer(0), own(5, gain=8.0)) != []

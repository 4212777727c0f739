"""Runs whose weights are mostly tables: Keras squares the parts of a sparse gradient, which is a rule of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import torch

from auditor.compare.causes import diagnose
from auditor.compare.natural import natural
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

ROWS, WIDTH, STEPS, TAKEN = 25, 4, 12, 20


def tables(framework: str, make: Callable[[], Any], *, sparse: bool) -> Profile:
    """Two tables, of which each step takes some rows, some of them twice, and a vector that every step moves."""
    rng = np.random.default_rng(3)
    shapes = {"users/embeddings": (ROWS, WIDTH), "items/embeddings": (ROWS, WIDTH), "head/bias": (WIDTH,)}
    variables = {name: keras.Variable(rng.normal(0, 0.3, shape).astype(np.float32)) for name, shape in shapes.items()}
    optimizer = make()
    optimizer.build(list(variables.values()))
    found = []
    for at in range(STEPS):
        given, dense = [], {}
        for name, shape in shapes.items():
            if len(shape) == 1:
                dense[name] = rng.normal(0, 0.5, shape).astype(np.float32)
                given.append(tf.constant(dense[name]))
                continue
            rows, parts = rng.integers(0, ROWS, TAKEN), rng.normal(0, 0.5, (TAKEN, WIDTH)).astype(np.float32)
            dense[name] = np.zeros(shape, np.float32)
            np.add.at(dense[name], rows, parts)
            slices = tf.IndexedSlices(tf.constant(parts), tf.constant(rows), tf.constant(shape))
            given.append(slices if sparse else tf.constant(dense[name]))
        before = {name: variable.numpy().copy() for name, variable in variables.items()}
        optimizer.apply(given, list(variables.values()))
        arrays = [array("weight", name, values) for name, values in before.items()]
        arrays += [array("gradient", name, values) for name, values in dense.items()]
        arrays += [array("updated", name, variable.numpy()) for name, variable in variables.items()]
        found.append(Recording(at + 1, arrays, {"lr": float(optimizer.learning_rate), "loss": 1.0}, {}))
    return profile(framework, framework, assembled(found))


def adagrad(start: float) -> Callable[[], Any]:
    """Keras's Adagrad from an accumulator."""
    return lambda: keras.optimizers.Adagrad(0.1, initial_accumulator_value=start)


def test_a_rule_is_read_off_the_weights_that_are_no_tables() -> None:
    """One vector among two tables: what moves it is the rule, and the tables are told apart."""
    found = tables("keras", adagrad(1.0), sparse=True)
    assert found.value("update.rule") == "adagrad"
    assert found.value("update.initial_accumulator") == 1.0
    assert found.value("update.unexplained") == ["users/embeddings", "items/embeddings"]


def test_what_differs_beside_the_tables_comes_before_what_every_sparse_gradient_does() -> None:
    """The accumulator that somebody set, not how Keras adds up squares."""
    a = tables("torch", adagrad(1e-12), sparse=False)
    found = diagnose(a, tables("keras", adagrad(0.1), sparse=True))
    assert [cause.id for cause in found.causes[:1]] == ["OPT-15"]
    assert "OPT-29" in [cause.id for cause in found.harmless], "how Keras works explains nothing beside it"


def test_tables_with_whole_gradients_are_weights_like_others() -> None:
    """Nothing is set aside that the rule explains."""
    found = tables("keras", adagrad(0.1), sparse=False)
    assert found.value("update.rule") == "adagrad"
    assert found.value("update.unexplained") is None


def test_units_that_rest_at_some_steps_are_no_rows_of_a_table() -> None:
    """What is declared moves all of it: a decay that one bias would have beside it is none."""
    rule = {"rule": "adam", "learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0,
            "epsilon_placement": "added to the root before bias correction", "amsgrad": False}  # fmt: skip
    manifest = {"canonical": {"update": [rule]}}
    rng = np.random.default_rng(3)
    variables = [keras.Variable(rng.normal(0, 0.3, shape).astype(np.float32)) for shape in ((6, 8), (8, 1), (1,))]
    names, optimizer, found = ("hidden/kernel", "out/kernel", "out/bias"), keras.optimizers.Adam(1e-3, epsilon=1e-8), []
    optimizer.build(variables)
    for at in range(STEPS):
        awake = rng.random(8) < 0.3
        given = [rng.normal(0, 1, (6, 8)) * awake, rng.normal(0, 1, (8, 1)) * awake[:, None], rng.normal(-4, 0.3, (1,))]
        before = [variable.numpy().copy() for variable in variables]
        optimizer.apply([tf.constant(one, tf.float32) for one in given], variables)
        roles = {"weight": before, "gradient": given, "updated": [variable.numpy() for variable in variables]}
        arrays = [array(role, name, np.asarray(one, np.float32)) for role, every in roles.items()
                  for name, one in zip(names, every, strict=True)]  # fmt: skip
        found.append(Recording(at + 1, arrays, {"lr": 1e-3, "loss": 1.0}, {}))
    told = profile("keras", "keras", assembled(found), Beside(manifest=manifest))
    assert told.value("update.weight_decay") == 0.0
    assert told.value("update.unexplained") is None


def table(
    make: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer], *, sparse: bool, beside: bool = False
) -> Profile:
    """A table of PyTorch, of which each step takes some rows; ``beside``: and a layer that Adam trains by itself."""
    rng = np.random.default_rng(9)
    weight = torch.nn.Parameter(torch.tensor(rng.normal(0, 0.3, (ROWS, WIDTH)).astype(np.float32)))
    optimizer, found = make([weight]), []
    layer = torch.nn.Parameter(torch.tensor(rng.normal(0, 0.3, (WIDTH, WIDTH)).astype(np.float32)))
    other = torch.optim.Adam([layer], 0.01)
    for at in range(STEPS):
        rows, parts = rng.integers(0, ROWS, 8), rng.normal(0, 0.5, (8, WIDTH)).astype(np.float32)
        given = torch.sparse_coo_tensor(
            torch.tensor(rows[None]), torch.tensor(parts), (ROWS, WIDTH), check_invariants=True
        )
        given = given.coalesce()
        weight.grad = given if sparse else given.to_dense()
        before = weight.detach().numpy().copy()
        optimizer.step()
        arrays = [array("weight", "embed.weight", before), array("gradient", "embed.weight", given.to_dense().numpy())]
        arrays += [array("updated", "embed.weight", weight.detach().numpy().copy())]
        if beside:
            layer.grad = torch.tensor(rng.normal(0, 0.5, (WIDTH, WIDTH)).astype(np.float32))
            arrays += [array("weight", "layer.weight", layer.detach().numpy().copy())]
            arrays += [array("gradient", "layer.weight", layer.grad.numpy())]
            other.step()
            arrays += [array("updated", "layer.weight", layer.detach().numpy().copy())]
        facts = {"optimizers": {"1": ["embed.weight"]}} if beside and sparse else {}
        found.append(Recording(at + 1, arrays, {"lr": 0.01, "loss": 1.0}, facts))
    told = {"optimizer": {"class": f"torch.optim.{type(other if beside else optimizer).__name__}"}}
    return profile("torch", "torch", assembled(found), Beside(told))


def test_sparse_adam_leaves_absent_rows_where_they_are() -> None:
    """Adam moves them on by their momentum: known by what the program declares, for no other rule explains its steps.

    Somebody chose it: it is a mismatch, of two frameworks too. Two of a kind are none.
    """
    lazy = table(lambda p: torch.optim.SparseAdam(p, 0.01), sparse=True)
    usual = table(lambda p: torch.optim.Adam(p, 0.01), sparse=False)
    for pair, values in (((usual, lazy), ("adam", "SparseAdam")), ((lazy, usual), ("SparseAdam", "adam"))):
        first = diagnose(*pair).causes[0]
        assert (first.id, first.parameter, first.values) == ("OPT-29", "update.rule", values)
    assert not [one for one in diagnose(lazy, lazy).causes if one.id == "OPT-29"]
    assert not natural(diagnose(usual, lazy).causes[0], ("keras", "torch"))


def test_a_sparse_adam_beside_another_optimizer_shows_in_the_rows_that_it_leaves() -> None:
    """As PyTorch's documentation has it: one for the tables, Adam for the rest, whose rule alone is fitted."""
    lazy = table(lambda p: torch.optim.SparseAdam(p, 0.01), sparse=True, beside=True)
    usual = table(lambda p: torch.optim.Adam(p, 0.01), sparse=False, beside=True)
    for pair, values in (((usual, lazy), ("adam", "SparseAdam")), ((lazy, usual), ("SparseAdam", "adam"))):
        (told,) = diagnose(*pair).causes
        assert (told.id, told.parameter, told.values, told.how) == ("OPT-29", "update.rule", values, "measured")
    for one in (lazy, usual):
        assert not diagnose(one, one).causes

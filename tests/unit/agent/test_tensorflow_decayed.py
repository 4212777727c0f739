"""Loops that make weights smaller by hand before their optimizer acts: that is no step of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.tensorflow import flow  # noqa: E402 -- after the framework it is for
from support.record_run import MemoryRun  # noqa: E402
from support.recordings import assembled  # noqa: E402
from support.tensorflow_loops import PER_EPOCH, Y, epochs, listening, model  # noqa: E402

KEPT = 0.9


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """What the loops of this process record into, unasked."""
    with listening(monkeypatch) as told:
        yield told


@pytest.mark.parametrize("sub", [True, False])
@pytest.mark.parametrize("jit", [True, False])
def test_a_decay_before_the_optimizer_acts_is_no_step(run: MemoryRun, *, jit: bool, sub: bool) -> None:
    """The optimizer's steps are recorded, with what it found: weights that were made smaller."""
    net, optimizer = model(), keras.optimizers.SGD(0.01)
    optimizer.build(net.trainable_variables)

    @tf.function(jit_compile=jit)
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(net(x, training=True) - y))
        gradients = tape.gradient(loss, net.trainable_variables)
        for variable in net.trainable_variables:
            if sub:
                variable.assign_sub((1 - KEPT) * variable)
            else:
                variable.assign(KEPT * variable)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
        return loss

    drawn = [one.numpy() for one in net.trainable_variables]
    epochs(step, Y[:, None], 1)
    run.finish()
    found = assembled(run.recordings)
    assert [one.step for one in found] == [*range(1, PER_EPOCH + 1)]
    first = found[0]
    for name, before in zip(first.of("weight"), drawn, strict=True):
        left = first.of("weight")[name].whole() if jit else first.of("weight")[name].whole() / KEPT
        np.testing.assert_allclose(left, before, rtol=1e-5, atol=1e-7)


def test_what_is_made_of_a_gradient_or_another_variable_is_a_step() -> None:
    """Nor is what is made of the data; in a loop that runs op by op nobody can say."""
    weight, other = tf.Variable([1.0, 2.0]), tf.Variable([3.0, 4.0])
    told: dict[str, bool] = {}

    @tf.function
    def traced(x: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(weight * x)
        given = {
            "decay": 0.9 * weight,
            "clip": tf.clip_by_value(weight, -1.0, 1.0),
            "gradient": weight - 0.1 * tape.gradient(loss, weight),
            "other": weight - other,
            "data": weight - x,
            "constant": tf.zeros(2),
        }
        told.update({name: flow.of_itself(weight, [value]) for name, value in given.items()})

    traced(tf.constant([1.0, 1.0]))
    assert {name for name, own in told.items() if own} == {"decay", "clip"}
    assert not flow.of_itself(weight, [tf.constant([1.0, 1.0])])
    assert not flow.of_itself(weight, [])

"""Loops of several optimizers: what each has a part in is recorded with the step, or at least told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor.ingest.records import StepRecording  # noqa: E402 -- after the framework it is for
from auditor_agent import guard  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402
from support.recordings import assembled  # noqa: E402
from support.tensorflow_loops import JIT, SIZE, WRAPS, X, Y, listening  # noqa: E402

STEPS = 5
RATES = (0.05, 0.02)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """What the loops of this process record into, unasked; no exception is swallowed meanwhile."""
    failed: list[BaseException] = []
    monkeypatch.setattr(guard, "failure", lambda _, error: failed.append(error))
    with listening(monkeypatch) as told:
        yield told
    assert not failed


def net(name: str = "net") -> Any:
    """A body of one layer, and a head."""
    keras.utils.set_random_seed(7)
    layers = [keras.layers.Dense(8, "tanh", name="body"), keras.layers.Dense(1, name="head")]
    return keras.Sequential([keras.Input((6,)), *layers], name=name)


def two_parts(model: Any, wrap: Any) -> Callable[[Any, Any], Any]:
    """One tape, whose gradients two optimizers are given."""
    optimizers = [keras.optimizers.SGD(rate) for rate in RATES]
    body, head = (model.get_layer(name).trainable_variables for name in ("body", "head"))

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
        gradients = tape.gradient(loss, body + head)
        optimizers[0].apply_gradients(zip(gradients[:2], body, strict=True))
        optimizers[1].apply_gradients(zip(gradients[2:], head, strict=True))
        return loss

    return wrap(step)  # type: ignore[no-any-return]


def train(step: Callable[[Any, Any], Any], count: int = STEPS) -> None:
    """So many batches."""
    for at in range(count):
        rows = slice(at * SIZE % len(X), at * SIZE % len(X) + SIZE)
        step(tf.constant(X[rows]), tf.constant(Y[rows, None]))


def ended(run: MemoryRun) -> list[StepRecording]:
    """What was recorded, once the run has ended."""
    run.finish()
    return assembled(run.recordings)


def values(one: StepRecording, role: str) -> dict[str, np.ndarray]:
    """The arrays of a role by the ends of their names."""
    return {"/".join(name.split("/")[-2:]): array.whole() for name, array in one.of(role).items()}


BODY, HEAD = ["body/bias", "body/kernel"], ["head/bias", "head/kernel"]


@pytest.mark.parametrize(("wrap", "since"), [(WRAPS[0].values[0], 3), (WRAPS[1].values[0], 1)])
def test_both_parts_of_a_network_are_recorded(run: MemoryRun, wrap: Any, since: int) -> None:
    """Traced from the first step on; op by op as soon as it is plain that the two act by turns."""
    model = net()
    train(two_parts(model, wrap))
    steps = ended(run)
    assert [one.step for one in steps] == list(range(1, STEPS + 1))
    for one in steps:
        rates = dict.fromkeys(BODY, RATES[0]) | (dict.fromkeys(HEAD, RATES[1]) if one.step >= since else {})
        weights, gradients, updated = (values(one, role) for role in ("weight", "gradient", "updated"))
        assert sorted(weights) == sorted(gradients) == sorted(updated) == sorted(rates)
        for name, rate in rates.items():
            np.testing.assert_allclose(weights[name] - rate * gradients[name], updated[name], atol=1e-7)
        if one.step >= since:
            assert sorted(one.facts["optimizers"]["1"]) == [f"net/{name}" for name in HEAD]
            assert one.scalars["lr/1"] == pytest.approx(RATES[1])
    np.testing.assert_array_equal(values(steps[-1], "updated")["head/kernel"], model.get_layer("head").kernel.numpy())


@pytest.mark.parametrize("wrap", [*WRAPS, JIT])
def test_the_result_is_what_it_is_without(wrap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit by bit."""
    alone, heard = net(), net()
    train(two_parts(alone, wrap))
    with listening(monkeypatch):
        train(two_parts(heard, wrap))
    for mine, theirs in zip(alone.get_weights(), heard.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def halves(first: Any, second: Any, wrap: Any) -> list[Any]:
    """A step of each of two models, with an optimizer of its own."""
    acts = []
    for model, rate in zip((first, second), RATES, strict=True):
        optimizer = keras.optimizers.SGD(rate)

        def step(x: Any, y: Any, model: Any = model, optimizer: Any = optimizer) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
            weights = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            return loss

        acts.append(wrap(step))
    return acts


def by_turns(first: Any, second: Any, wrap: Any, every: int = 1) -> Callable[[Any, Any], None]:
    """Two models of which the second acts at every so many steps."""
    acts, count = halves(first, second, wrap), iter(range(1, 1000))

    def both(x: Any, y: Any) -> None:
        acts[0](x, y)
        if next(count) % every == 0:
            acts[1](x, y)

    return both


@pytest.mark.parametrize("wrap", [WRAPS[1], JIT])
def test_of_a_function_of_its_own_the_names_are_told(run: MemoryRun, wrap: Any) -> None:
    """It may as well follow the first one: what it does is no part of the steps."""
    train(by_turns(net("one"), net("two"), wrap))
    steps = ended(run)
    names = {f"two/{name}" for name in BODY + HEAD}
    assert [one.facts.get("optimizers") is None for one in steps] == [True] + [False] * (STEPS - 1)
    assert set(steps[-1].facts["optimizers"]["1"]) == names
    assert not names & {name for one in steps for name in one.of("weight")}


@pytest.mark.parametrize("branch", [False, True])
def test_in_a_function_within_or_in_a_branch_the_names_are_told(run: MemoryRun, branch: bool) -> None:
    """What stands for the step is not to be had there; the step itself is recorded as ever."""
    first, second = halves(net("one"), net("two"), tf.function)

    @tf.function
    def step(x: Any, y: Any) -> None:
        first(x, y)
        if branch:
            tf.cond(tf.reduce_sum(x) < 1e9, lambda: second.python_function(x, y), lambda: 0.0)
        else:
            second(x, y)

    train(step)
    steps = ended(run)
    assert [one.step for one in steps] == list(range(1, STEPS + 1))
    for one in steps:
        assert len(one.facts["optimizers"]["1"]) == 4
        assert {name.partition("/")[0] for name in one.of("updated")} == {"one"}


def test_a_step_is_whole_though_the_other_does_not_act_in_it(run: MemoryRun) -> None:
    """Three of a critic for each of a generator: every step is told, once; with the other's part from its third on."""
    train(by_turns(net("one"), net("two"), lambda f: f, every=3), 14)
    steps = ended(run)
    assert [one.step for one in steps] == list(range(1, 15))
    theirs = [one.step for one in steps if any(name.startswith("two/") for name in one.of("updated"))]
    assert theirs == [9, 12]


def test_one_optimizer_has_no_others(run: MemoryRun) -> None:
    """Nor are those told that hold the first one's weights as well."""
    model = net()
    train(by_turns(model, model, tf.function))
    assert not [one for one in ended(run) if "optimizers" in one.facts]

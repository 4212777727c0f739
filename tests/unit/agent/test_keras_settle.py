"""Rows of a Keras fit become records in the sender's thread, while the training goes on."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from auditor_agent.integrations.keras import native as keras_native
from auditor_agent.integrations.keras.audit import _WATCHES, _at_exit
from auditor_agent.integrations.keras.watch import Watch
from auditor_agent.keras import Audit
from support.keras_models import MemoryRun, data, mlp, poisoned
from support.locks import returns_while_held

pytestmark = pytest.mark.skipif(keras_native.operation() is None, reason="the C library was not built")


class Settled(MemoryRun):
    """A run whose sender asks for the steps all the time."""

    def __init__(self) -> None:
        super().__init__("settled")
        self.settling: list[Callable[[], None]] = []
        self.threads: set[str] = set()

    def on_settle(self, callback: Callable[[], None]) -> None:
        """As ``Run.on_settle``."""
        self.settling.append(callback)

    def record(self, step: int, *args: object, **kwargs: object) -> None:
        """Keep the step, and who told it."""
        super().record(step, *args, **kwargs)  # type: ignore[arg-type]  # as it was given
        self.threads.add(threading.current_thread().name)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """A thread that settles without rest."""
        over = threading.Event()

        def send() -> None:
            while not over.wait(1e-4):
                for callback in tuple(self.settling):
                    callback()

        thread = threading.Thread(target=send, name="sender")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(("steps_per_execution", "jit"), [(1, False), (8, False), (1, True)])
def test_rows_are_recorded_beside_the_training_none_lost_and_in_order(steps_per_execution: int, jit: bool) -> None:
    """400 steps while the sender asks all the time: each once, with its time, weights where they are due."""
    x, y = data(1600)
    model, run = mlp(), Settled()
    model.compile("adam", "mse", jit_compile=jit, steps_per_execution=steps_per_execution)
    with run.sending():
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Audit(run=run)])
    assert run.steps == list(range(1, 401))
    times = [record["time"] for record in run.records]
    assert times == sorted(times)
    assert "sender" in run.threads
    weighed = [r["step"] for r in run.records if any(kind == "weight" for kind, _ in r["table"])]
    due = {50, 100, 150, 200, 250, 300, 350, 400}
    assert due <= set(weighed) if steps_per_execution == 1 else len(weighed) >= len(due)
    assert [event["step"] for event in run.events if event["type"] == "weights"][1:] == [
        step for step in weighed if step // 50 > max([w for w in weighed if w < step], default=0) // 50
    ]


def test_something_not_finite_is_told_at_once_with_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A NaN at step 70, far from any step that is looked at: the weights that it left are recorded with it."""
    monkeypatch.setenv("AUDITOR_RECORD_STEPS", "0")
    x, y = data(640)
    model, run = poisoned(70), Settled()
    model.compile("sgd", "mse")
    with run.sending():
        model.fit(x, y, batch_size=8, epochs=1, verbose=0, callbacks=[Audit(run=run)])
    assert run.steps == list(range(1, 81))
    sick = run.records[69]
    assert sick["urgent"]
    assert any(kind == "weight" for kind, _ in sick["table"])


def test_g11_a_forked_child_ends_without_what_its_parent_holds() -> None:
    """The lock may be held by a thread that the child does not have, and the steps are the parent's."""
    model, run = mlp(), MemoryRun("forked")
    model.compile("sgd", "mse")
    model.fit(*data(64), batch_size=16, epochs=1, verbose=0, callbacks=[Audit(run=run)])
    watch = _WATCHES[run.id]
    assert isinstance(watch, Watch)
    assert not returns_while_held(watch._lock, lambda: _at_exit(lambda: watch), patience=0.2)
    run.finished = True  # as the child finds it
    assert returns_while_held(watch._lock, lambda: _at_exit(lambda: watch))

"""A job that becomes NaN at a known step and says when its verdict came back; run by benchmarks.nan_latency.

    python -m benchmarks.training.nan_jobs torch|keras|sklearn EVENTS STEP

Each event is a run of its own. Printed is one JSON object per event: the run, when the step that went
wrong had been taken (Unix seconds), and when the agent heard of the verdict, which the daemon sends
after it has stored the alert. The job goes on training meanwhile, as a real one would.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

#: Seconds after which an event counts as missed.
_PATIENCE: Final = 20.0


class Watcher:
    """Looks at a run's verdict every half millisecond, beside the training."""

    def __init__(self, run: Any) -> None:
        self.run, self.heard = run, float("nan")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether the verdict came, or will not."""
        return not self._thread.is_alive()

    def tell(self, taken: float) -> None:
        """Wait for the verdict, and print the event."""
        self._thread.join(_PATIENCE)
        print(json.dumps({"run": self.run.id, "taken": taken, "heard": self.heard}), flush=True)

    def _look(self) -> None:
        until = time.monotonic() + _PATIENCE
        while self.run.verdict != "diverged" and time.monotonic() < until:
            time.sleep(0.0005)
        if self.run.verdict == "diverged":
            self.heard = time.time()


def torch_event(step: int) -> None:
    """A perceptron whose loss is multiplied by NaN."""
    import torch
    from torch import nn

    import auditor_agent

    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    run = auditor_agent.watch(model, optimizer)
    watcher, taken, number = Watcher(run), float("nan"), 0
    x, y = torch.randn(64, 64), torch.randint(0, 10, (64,))
    while not watcher.over:
        number += 1
        loss = nn.functional.cross_entropy(model(x), y) * (float("nan") if number == step else 1.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        taken = time.time() if number == step else taken
    watcher.tell(taken)
    run.finish()


def keras_event(step: int) -> None:
    """A model that is given NaN in one batch, under ``fit``."""
    import keras

    from auditor_agent.keras import Audit

    audit = Audit()
    seen: dict[str, Any] = {}

    class Noted(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            del logs
            if batch == 0:
                seen["watcher"] = Watcher(audit.run)
            if batch == step - 1:
                seen["taken"] = time.time()
            self.model.stop_training = self.model.stop_training or seen["watcher"].over

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # likewise
        def __len__(self) -> int:
            return 20_000

        def __getitem__(self, place: int) -> tuple[Any, Any]:
            if "watcher" in seen and seen["watcher"].over:
                raise StopIteration
            x = np.random.default_rng(place).normal(size=(64, 64)).astype(np.float32)
            return (np.full_like(x, np.nan) if place == step - 1 else x), np.arange(64) % 10

    layers = [
        keras.Input((64,)),
        keras.layers.Dense(64, "relu"),
        keras.layers.Dense(64, "relu"),
        keras.layers.Dense(10),
    ]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=False)
    with contextlib.suppress(StopIteration):
        model.fit(Batches(), epochs=1, verbose=0, shuffle=False, callbacks=[audit, Noted()])
    seen["watcher"].tell(seen["taken"])
    audit.run.finish()


def sklearn_event(step: int) -> None:
    """An estimator one of whose weights becomes NaN between two calls of ``partial_fit``."""
    from sklearn.neural_network import MLPClassifier

    import auditor_agent
    from auditor_agent.run import live_run

    x, y = np.random.default_rng(0).normal(size=(64, 64)), np.arange(64) % 10
    estimator = MLPClassifier((64, 64), batch_size=64)
    with auditor_agent.sklearn.audit(estimator) as mlp:
        watcher, taken = None, float("nan")
        for number in range(1, step + 1):
            if number == step:
                mlp.coefs_[1][0, 0] = np.nan
            with contextlib.suppress(ValueError):  # weights that are not finite
                mlp.partial_fit(x, y, classes=np.arange(10))
            taken = time.time()
            watcher = watcher or Watcher(live_run())
        if watcher is not None:
            watcher.tell(taken)


JOBS: Final[dict[str, Callable[[int], None]]] = {"torch": torch_event, "keras": keras_event, "sklearn": sklearn_event}

if __name__ == "__main__":
    for _ in range(int(sys.argv[2])):
        JOBS[sys.argv[1]](int(sys.argv[3]))

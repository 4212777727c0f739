"""scikit-learn's MLPRegressor and MLPClassifier: ``audit`` one estimator, or ``install`` for a script.

One run holds the steps of one estimator, whatever the number of its ``fit`` and ``partial_fit`` calls.

- ``audit(mlp)``: the block is the run; it opens at the first ``fit`` and ends with the block.
- ``install()`` (``auditor run``): the first MLP that is fitted in the process has the run; fits of
  others are counted in its events and not recorded. Folds of a search that refits its best candidate
  are left out: the refit has the run. Worker processes of joblib's pools record nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import weakref
from types import FrameType, TracebackType
from typing import Any, Final, Generic, TypeVar

from sklearn.neural_network._multilayer_perceptron import BaseMultilayerPerceptron
from sklearn.pipeline import Pipeline

from auditor_agent import guard
from auditor_agent.integrations.sklearn.taps import Taps, Watcher
from auditor_agent.integrations.sklearn.watch import Watch
from auditor_agent.run import Run, live_run, open_run

E = TypeVar("E")


class audit(Generic[E]):  # noqa: N801 -- used as a function is: `with audit(mlp) as mlp`
    """Audits the training of one estimator: ``with audit(MLPRegressor(...)) as mlp: mlp.fit(X, y)``.

    Records at every mini-batch the loss, its data and L2 parts, the learning rate and twelve
    statistics of every gradient; samples weights, updates, activations and batches; logs each epoch.
    The estimator is the one given, untouched: the same numbers, the same random state, and it may be
    cloned, copied and pickled in the block as ever. Clones are other estimators: not audited.

    Args:
        estimator: an MLP, or a Pipeline whose last step is one.
        name: the run's name; default from ``AUDITOR_NAME`` or the script.
        project: default from ``AUDITOR_PROJECT``.
        histograms: 1: histograms of the magnitudes of every gradient at every step; N: at every N-th;
            0: none; default ``AUDITOR_HISTOGRAMS``.
    """

    def __init__(
        self, estimator: E, *, name: str | None = None, project: str | None = None, histograms: int | None = None
    ) -> None:
        self.estimator = estimator
        self.run: Run | None = None
        """The run, from the first ``fit`` on."""
        self._names = {"name": name, "project": project}
        self._histograms = histograms
        self._watch: Watch | None = None
        self._owned = self._entered = False

    def __enter__(self) -> E:
        self._enter()
        return self.estimator

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit(kind, error)

    @guard.guarded(None)
    def _enter(self) -> None:
        target = _mlp(self.estimator)
        if target is None:
            guard.note(f"{type(self.estimator).__name__} is no MLPRegressor or MLPClassifier: not audited")
            return
        _SCENE.add(target, self)
        self._entered = True
        _TAPS.hold()

    @guard.guarded(None)
    def _exit(self, kind: type[BaseException] | None, error: BaseException | None) -> None:
        if not self._entered:
            return
        self._entered = False
        _TAPS.release()
        _SCENE.remove(self)
        if self.run is not None and self._owned:
            if kind is None:
                self.run.finish()
            else:
                self.run.finish("failed", f"{kind.__name__}: {error}"[:500])

    def watch(self) -> Watch | None:
        """The watch of the block; opens its run. None where there can be none."""
        if self._watch is None:
            live = live_run()
            if live is not None and _SCENE.busy(live):
                guard.note("another estimator is being audited in this process: not audited")
                return None
            self._owned = live is None
            self.run = open_run("sklearn", **self._names)
            if self.run.finished:  # AUDITOR_MODE=off
                return None
            self._watch = Watch(self.run, histograms=self._histograms)
            _SCENE.claim(self.run)
        return self.known

    @property
    def known(self) -> Watch | None:
        """The watch of the block, if its run goes on."""
        return None if self._watch is None or self._watch.run.finished else self._watch


class _Automatic:
    """The estimator that has the run of a process in which no line was changed."""

    def __init__(self) -> None:
        self._chosen: weakref.ref[Any] | None = None
        self._watch: Watch | None = None
        self._others = 0

    def watch(self, estimator: Any) -> Watch | None:
        """The watch of ``estimator``, if it is the one or becomes it."""
        if self._chosen is None:
            if _pooled() or _will_refit() or live_run() is not None:
                return None
            run = open_run("sklearn")
            if run.finished:
                return None
            self._chosen, self._watch = weakref.ref(estimator), Watch(run)
            _SCENE.claim(run)
        if self._watch is None or self._watch.run.finished:
            return None
        if self._chosen() is estimator:
            return self._watch
        self._others += 1
        if self._others & (self._others - 1) == 0:  # at 1, 2, 4, 8, ...: a search may fit thousands
            told = {"estimator": type(estimator).__name__, "fits": self._others}
            self._watch.run.event(self._watch.step, "fit_not_audited", reason="the run is another estimator's", **told)
        return None

    def known(self, estimator: Any) -> Watch | None:
        """The watch of ``estimator``, if it has the run."""
        mine = self._chosen is not None and self._chosen() is estimator
        return self._watch if mine and self._watch is not None and not self._watch.run.finished else None

    def yield_run(self) -> None:
        """End the run, for an estimator that is audited by name."""
        if self._watch is not None and not self._watch.run.finished:
            self._watch.run.finish()


class _Scene:
    """Who is audited in this process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._blocks: list[tuple[weakref.ref[Any], audit[Any]]] = []
        self._runs: weakref.WeakSet[Run] = weakref.WeakSet()
        self.automatic: _Automatic | None = None

    def after_fork(self) -> None:
        """In the child: the runs are the parent's, and so may be a lock that is held."""
        self._lock = threading.RLock()
        self.automatic = None if self.automatic is None else _Automatic()

    def add(self, estimator: Any, block: audit[Any]) -> None:
        """``block`` audits ``estimator`` from now on."""
        with self._lock:
            if self.automatic is not None:
                self.automatic.yield_run()
            self._blocks.append((weakref.ref(estimator), block))

    def remove(self, block: audit[Any]) -> None:
        """``block`` is over."""
        with self._lock:
            self._blocks = [pair for pair in self._blocks if pair[1] is not block]

    def claim(self, run: Run) -> None:
        """``run`` holds an estimator's steps."""
        self._runs.add(run)

    def busy(self, run: Run) -> bool:
        """Whether ``run`` holds an estimator's steps."""
        return run in self._runs

    def choose(self, estimator: Any) -> Watcher | None:
        """The watch of an estimator whose ``fit`` begins."""
        try:
            with self._lock:
                for reference, block in reversed(self._blocks):
                    if reference() is estimator:
                        watch: Watch | None = block.watch()
                        return watch
                return None if self.automatic is None or self._blocks else self.automatic.watch(estimator)
        except Exception as error:
            guard.failure("sklearn.choose", error)
            return None

    def known(self, estimator: Any) -> Watcher | None:
        """The watch of an estimator that was fitted; opens no run."""
        try:
            with self._lock:
                for reference, block in self._blocks:
                    if reference() is estimator:
                        return block.known
                return None if self.automatic is None else self.automatic.known(estimator)
        except Exception as error:
            guard.failure("sklearn.known", error)
            return None


_SCENE: Final = _Scene()
_TAPS: Final = Taps(_SCENE.choose, _SCENE.known)
os.register_at_fork(after_in_child=_SCENE.after_fork)
os.register_at_fork(after_in_child=_TAPS.after_fork)


def install() -> None:
    """Audit the first MLP that is fitted in this process, as ``auditor run`` asks. Idempotent."""
    if _SCENE.automatic is None:
        _SCENE.automatic = _Automatic()
        _TAPS.hold()


def _mlp(estimator: Any) -> Any | None:
    if isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator if isinstance(estimator, BaseMultilayerPerceptron) else None


def _pooled() -> bool:
    """Whether this process works for a pool of joblib's or multiprocessing's."""
    name = multiprocessing.current_process().name
    return name.startswith("LokyProcess") or "PoolWorker" in name


def _will_refit() -> bool:
    """Whether this ``fit`` is a fold of a search that fits its best candidate once more in the end."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 -- inspect.currentframe is the same under another name
    fold = False
    while frame is not None:
        module = frame.f_globals.get("__name__")
        fold = fold or (module == "sklearn.model_selection._validation" and frame.f_code.co_name == "_fit_and_score")
        if fold and module == "sklearn.model_selection._search" and frame.f_code.co_name == "fit":
            return bool(getattr(frame.f_locals.get("self"), "refit", False))
        frame = frame.f_back
    return False

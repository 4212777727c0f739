"""Which batches a loop was given, and when its epochs ended.

A loop that runs eagerly shows its batches as it calls the model; one within a ``tf.function`` when
the function is called with them. An epoch ends where the loop begins another pass over a
``tf.data`` data set, where the first batch of the epoch comes again, or where in arrays shuffled by
hand the samples do (``capture.batches.Passes``).
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import tensorflow as tf

from auditor_agent.capture.batches import Epoch, Passes, batch_digest
from auditor_agent.capture.repeated import Repeated
from auditor_agent.guard import guarded
from auditor_agent.integrations.tensorflow import evaluation, flow, stepless
from auditor_agent.integrations.tensorflow.seen import Seen
from auditor_agent.integrations.tensorflow.tape import sinks
from auditor_agent.integrations.tensorflow.wraps import wrap

#: Batches told but not recorded yet.
_MOST_WAITING: Final = 4096
#: Single steps in a row, each with a data set begun anew, after which that is said.
_RESTARTS: Final = 8
#: Calls of a function after which its steps are counted anew.
_CHECK: Final = 64


class _Scene(threading.local):
    """The functions that this thread is within."""

    def __init__(self) -> None:
        self.depth = 0
        self.stepping: tuple[Seen, Any] | None = None


_scene: Final = _Scene()


@dataclass(frozen=True, slots=True)
class _Function:
    """A function in which steps were traced."""

    places: Sequence[int]
    """Of its arguments that are the batch."""
    steps: int
    """To a call; 0: not each call takes one."""

    def given(self, args: Any) -> list[Any]:
        """The batch of a call; none where it takes several steps."""
        return [] if self.steps > 1 else [one for at, one in enumerate(_leaves(args)) if at in self.places]


class Epochs:
    """Puts digests to steps and ends epochs, for one run."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self._waiting: dict[int, tuple[int, int]] = {}
        self._ends: set[int] = set()
        self._epoch = Epoch()
        self._passes: Passes | None = Passes()
        self._repeated = Repeated()
        self._first: int | None = None
        self._varied = False
        """Whether there was another batch since the first: of one for ever there is no telling what a pass is."""
        self._length = 0
        self._number = 0
        self._logged = False
        """Whether a ``fit`` of Keras logs its epochs, within which the steps are taken."""
        self._counter: Any = None
        self._functions: weakref.WeakKeyDictionary[Any, _Function] = weakref.WeakKeyDictionary()
        self._next: int | None = None
        self._calls = 0
        self._begun: weakref.ref[Any] | None = None
        self._since = self._restarts = 0
        self._done = -1
        """The last update that was recorded."""
        self.before: Callable[[int], None] = _nothing
        """Called before so many steps are taken by code that was traced."""
        self.after: Callable[[int], None] = _nothing
        """Called after."""
        self.entering: Callable[[], None] = _pass
        """Called before a function in which no step was traced."""
        self.left: Callable[[], None] = _pass
        """Called after."""
        self.tracing = False
        """Whether a function is under way that was not known to take steps."""

    # -- what the loop does ---------------------------------------------------------------------------

    def stepping(self, seen: Seen, counter: Any) -> None:
        """A step is about to be taken, now or whenever what is being traced runs; ``counter`` counts updates."""
        self._counter = counter
        fit = sys.modules.get("auditor_agent.integrations.keras.audit")
        self._logged = fit is not None and fit.fitting(self._run)
        if tf.executing_eagerly():
            self.before(1)
            given = [] if seen.heard is None else [one for call in seen.heard.calls for one in call.inputs]
            self._put(int(counter), given, beside=seen.before.samples)
        elif _scene.depth and not self.tracing:
            with tf.init_scope():
                self._next = int(counter)
            self.tracing, _scene.stepping = True, (seen, tf.compat.v1.get_default_graph())

    @guarded(None)
    def calling(self, function: Any, args: Any) -> None:
        """A function is about to be called; from nowhere within another."""
        known = self._functions.get(function)
        if known is None or self._counter is None:
            self.entering()
            return
        evaluation.ending()
        self.before(max(1, known.steps))
        if self._next is None or self._calls % _CHECK == 0 or not known.steps:
            self._next = int(self._counter)
        self._calls += 1
        self._put(self._next, known.given(args), more=not known.steps)
        self._next += known.steps

    @guarded(None)
    def traced(self, function: Any, args: Any) -> None:
        """A function has returned; if a step was traced in it, it takes one at each call."""
        try:
            self._traced(function, args)
        finally:
            self.tracing = False  # last: its row is not read before its batch is known

    def _traced(self, function: Any, args: Any) -> None:
        stepping, _scene.stepping = _scene.stepping, None
        if stepping is None or self._counter is None:
            self.after(1)
            return
        seen, graph = stepping
        first, self._next = self._next or 0, int(self._counter)
        places = _places(seen, graph) or [at for at, one in enumerate(_leaves(args)) if np.ndim(one) > 0][:1]
        known = self._functions[function] = _Function(places, self._next - first)
        self._calls = 1
        self.after(max(1, known.steps))
        self._put(first, known.given(args))

    def returned(self, function: Any) -> None:
        """A function that takes steps has returned."""
        if function in self._functions:
            self.after(max(1, self._functions[function].steps))
        else:
            self.left()

    @guarded(None)
    def passing(self, data: Any) -> None:
        """Another pass over the data set ``data`` begins."""
        self._passes = None
        self._passed()
        begun = self._begun() if self._begun is not None else None
        if self._since:
            self._restarted(data if begun is data else None)
            self._since = 0
        self._begun = weakref.ref(data)

    def _restarted(self, data: Any) -> None:
        """Some steps were taken of a pass over ``data``, if it is the same that is begun again."""
        self._restarts = self._restarts + 1 if data is not None and self._since == 1 else 0
        if self._restarts == _RESTARTS and (batches := _batches(data)) > 1:
            from auditor_agent.integrations import numbering

            last = numbering.last(self._run)
            self._run.event(last, "loader_restarted", steps=self._restarts, batches=batches)

    def renew(self) -> None:
        """Another optimizer's steps follow, whose count has a beginning of its own; all before is recorded."""
        self._waiting.clear()
        self._ends.clear()
        self._functions.clear()
        self._counter = self._next = None
        self._calls, self._done = 0, -1

    def _passed(self) -> None:
        last = max(self._waiting, default=None)
        if last is None and self._counter is not None:  # batches that the steps tell themselves, once they are read
            last = int(self._counter) - 1
        if last is not None:
            self._ends.add(last)
        if (last is None or last <= self._done) and self._epoch.steps > 1:
            self._ends.discard(self._done)
            self._end(None)

    def _put(self, update: int, given: Sequence[Any], *, more: bool = False, beside: int = 0) -> None:
        self._since += 1
        pairs = [(one, array) for one in given if (array := _array(one)) is not None and array.ndim]
        arrays = [array for _, array in pairs]
        if pairs:
            self._repeats(*pairs[0])
        if arrays and len(self._waiting) < _MOST_WAITING:
            if self._passes is not None and self._passes.begins(arrays[0]):
                self._passed()
            before = self._waiting[update][1] if more and update in self._waiting else 0
            self._waiting[update] = batch_digest(arrays), len(arrays[0]) + before + beside

    def _repeats(self, given: Any, array: Any) -> None:
        told = self._repeated.take(given, array)
        if told is not None:
            from auditor_agent.integrations import numbering

            self._run.event(max(numbering.last(self._run), 1), "batch_repeated", **told)

    # -- what is recorded -----------------------------------------------------------------------------

    def step(self, step: int, update: int, within: tuple[int, int] | None = None, every: int = 1) -> dict[str, float]:
        """The scalars of a step that is about to be recorded.

        ``within``: its batch as the step itself told it; ``every``: updates of which it is the last.
        """
        for part in range(update - every + 1, update):
            self._waiting.pop(part, None)
        told = self._waiting.pop(update, None) or within
        if told is None:
            return {}
        digest, samples = told[0], told[1] * every
        if digest == self._first and self._varied:
            self._end(step - 1)
        self._varied = bool(self._epoch.steps) and (self._varied or digest != self._first)
        if not self._epoch.steps:
            self._first = digest
        self._epoch.add(digest, samples)
        return {"samples": float(samples), "batch_digest": float(digest)}

    def recorded(self, step: int, update: int) -> None:
        """A step has been recorded."""
        self._done = update
        ended = [end for end in self._ends if end <= update]
        if ended:
            self._ends.difference_update(ended)
            if self._epoch.steps > 1:
                self._end(step)

    def close(self) -> None:
        """The run ends: so does its last epoch, if it is as long as the one before."""
        if self._epoch.steps and self._epoch.steps == self._length:
            self._end(None)

    def _end(self, step: int | None) -> None:
        self._length, self._number, self._first = self._epoch.steps, self._number + 1, None
        from auditor_agent.integrations import numbering

        if not self._logged:
            self._run.log(epoch=float(self._number))
        self._run.event(numbering.last(self._run) if step is None else step, "epoch", **self._epoch.end(self._number))


def _nothing(count: int) -> None:
    del count


def _pass() -> None:
    pass


def _batches(data: Any) -> int:
    """Batches in one pass over ``data``, or over what it repeats for ever; below 1: unknown.

    Only along data sets with a single input: of several that are mixed, which gives the first batch is not known.
    """
    count = int(data.cardinality())
    while count == tf.data.INFINITE_CARDINALITY:
        inputs = data._inputs()  # noqa: SLF001 -- no public way to what a data set is made of
        if len(inputs) != 1:
            break
        data = inputs[0]
        count = int(data.cardinality())
    return count


def observe() -> None:
    """Have the calls of functions and the passes over data sets of this process told. Idempotent."""
    from tensorflow.python.eager.polymorphic_function.polymorphic_function import Function  # no public name

    wrap(Function, "__call__", _call)
    wrap(tf.data.Dataset, "__iter__", _iterate)


def _call(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _scene.depth or not tf.executing_eagerly():
            return original(self, *args, **kwargs)
        for known in _told():
            known.calling(self, (args, kwargs))
        _scene.depth += 1
        try:
            return original(self, *args, **kwargs)
        finally:
            _scene.depth -= 1
            stepless.called(self)
            for known in _told():
                if known.tracing:
                    known.traced(self, (args, kwargs))
                else:
                    known.returned(self)

    return call


def _iterate(original: Callable[..., Any]) -> Callable[..., Any]:
    def iterate(self: Any) -> Any:
        if tf.executing_eagerly() and not _scene.depth:
            for known in _told():
                known.passing(self)
        return original(self)

    return iterate


def _told() -> list[Epochs]:
    """Those who take what is seen of the data."""
    return [found for sink in sinks() if (found := sink.batches()) is not None]


def _places(seen: Seen, graph: Any) -> list[int]:
    """Which arguments of the function that is being traced go into the model."""
    if seen.heard is None:
        return []
    found = {
        place for call in seen.heard.calls for one in call.inputs for place in flow.sources(one, flow.arguments(graph))
    }
    return sorted(found)


def _leaves(args: Any) -> list[Any]:
    return [leaf for leaf in tf.nest.flatten(args) if tf.is_tensor(leaf) or isinstance(leaf, np.ndarray)]


def _array(given: Any) -> Any:
    """The elements in place, if they lie in host memory."""
    if isinstance(given, np.ndarray):
        return given
    try:
        return np.asarray(memoryview(given)) if "CPU" in given.device else None
    except (TypeError, ValueError, BufferError):  # bfloat16 and what else Python's buffers do not know
        return None

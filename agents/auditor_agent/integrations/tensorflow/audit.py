"""TensorFlow loops of one's own: ``audit`` for those who say so, ``install`` for those who do not.

**Step numbers**: ``run.step`` counts its calls; under ``install`` the count of the optimizer that
acts first numbers the steps, and what other optimizers do is not recorded. A ``fit`` before or after
goes on from the last number.
"""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from auditor_agent.guard import guarded, note
from auditor_agent.integrations import numbering
from auditor_agent.integrations.tensorflow import epochs as tensorflow_epochs
from auditor_agent.integrations.tensorflow import evaluation, forward, tape
from auditor_agent.integrations.tensorflow.epochs import Epochs
from auditor_agent.integrations.tensorflow.tape import Seen
from auditor_agent.run import Run, open_run

if TYPE_CHECKING:  # loaded with the first step: they bring Keras along
    from auditor_agent.integrations.tensorflow.watch import LoopWatch


class Loop:
    """A run with ``step``: everything else is the run's (``log``, ``should_stop``, ``verdict``, ...)."""

    def __init__(self, run: Run, model: Any = None, *, optimizer: Any = None, loss: Any = None) -> None:
        self.run = run
        self._model, self._optimizer, self._loss = model, optimizer, loss
        self._names: dict[int, str] = {}
        self._watch: LoopWatch | None = None
        self.ear: Reported | None = None
        """Sees what the loop does besides reporting its steps; None: nobody does."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.run, name)

    @guarded(None)
    def step(self, loss: Any, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        """Record one step; call it before or after the optimizer acts, also within a ``tf.function``.

        Args:
            loss: scalar; a tensor of more elements counts with its mean.
            gradients: as the tape gave them; None for a variable without.
            variables: in the same order.
        """
        import tensorflow as tf

        # Within a tf.function AutoGraph would rewrite what is called here.
        see = tf.autograph.experimental.do_not_convert(self.see if self.ear is None else self.ear.step)
        see(Seen(loss, list(gradients), list(variables), rate=self.rate), None)

    @property
    def rate(self) -> Any:
        """The learning rate, where the optimizer is known."""
        return getattr(self._optimizer or getattr(self._model, "optimizer", None), "learning_rate", None)

    def see(self, seen: Seen, known: tape.Known | None, *, foreseen: bool = False) -> None:
        """Record a step; at the first one say what the run is. ``foreseen``: :meth:`foresee` was told of it."""
        watch = self._watching(seen, known)
        if watch is not None:
            watch.see(seen, foreseen=foreseen)

    def foresee(self, seen: Seen, known: tape.Known) -> None:
        """A step is about to be taken that the loop reports afterwards."""
        watch = self._watching(seen, known)
        if watch is not None:
            watch.foresee(seen)

    def _watching(self, seen: Seen, known: tape.Known | None) -> LoopWatch | None:
        if self.run.finished or not any(gradient is not None for gradient in seen.gradients) or _distributed():
            return None
        if self._watch is None:
            from auditor_agent.integrations.tensorflow.watch import LoopWatch

            self._watch = LoopWatch(self.run, self._name)
            self._declare(self._watch, seen, known)
        return self._watch

    @guarded(None)
    def acts(self, optimizer: Any) -> None:
        """``optimizer`` acts, of a loop that reports its steps itself."""
        self._optimizer = self._optimizer or optimizer
        if self._watch is not None and self._watch.tape is not None and optimizer is not None:
            self._watch.tape.optimizer(optimizer)

    @guarded(None)
    def _declare(self, watch: LoopWatch, seen: Seen, known: tape.Known | None) -> None:
        import tensorflow as tf

        from auditor_agent.integrations.tensorflow.manifest import find_model, manifest
        from auditor_agent.integrations.tensorflow.record import facts, iterations, loop_tape

        self.run.on_finish(self.close)
        # Registered after the run's own, hence called before it: what a crash left unread is read.
        atexit.register(self.close)
        model = self._model if self._model is not None else find_model(seen.variables)
        _remember(self._names, seen.variables, model)
        optimizer = seen.optimizer or self._optimizer or getattr(model, "optimizer", None)
        body = manifest(
            model,
            seen.variables,
            self._name,
            optimizer=optimizer,
            loss=self._loss if known is None else known.loss,
            batch=None if known is None else known.batch,
            initial=watch.initial(seen.variables),
        )
        if seen.heard is not None:
            every = iterations(seen.optimizer)  # a loop that reports its steps itself counts them itself
            watch.tape = loop_tape(model, optimizer, watch.counter(seen), self._name, watch.taps(seen), every)
            body["loss"] = {**facts(seen).get("loss", {}), **body["loss"]}
        if watch.tape is not None:
            watch.epochs.before, watch.epochs.after = watch.begins, watch.ended
            with tf.init_scope():
                self.run.observe(canonical=watch.tape.declared())
        self.run.manifest(body)

    @guarded(None)
    def done(self) -> None:
        """The optimizer has acted."""
        if self._watch is not None:
            self._watch.done()

    def read(self) -> None:
        """Record what the loop has left so far."""
        if self._watch is not None:
            self._watch.read()

    @property
    def listening(self) -> bool:
        """Whether the next steps are recorded element by element."""
        return self._watch is None or self._watch.tape is None or self._watch.tape.listening

    @property
    def looking(self) -> bool:
        """Whether outputs of layers are wanted of the next step."""
        return self._watch is None or self._watch.looking

    @property
    def epochs(self) -> Epochs | None:
        """Takes what is seen of the data."""
        return None if self._watch is None else self._watch.epochs

    def _name(self, variable: Any) -> str:
        if id(variable) not in self._names:
            _remember(self._names, [variable], None)
        return self._names[id(variable)]

    @guarded(None)
    def close(self) -> None:
        """Record what is left. Idempotent."""
        atexit.unregister(self.close)
        if self._watch is not None:
            self._watch.close()


@contextlib.contextmanager
def audit(
    model: Any = None, *, optimizer: Any = None, loss: Any = None, name: str | None = None, project: str | None = None
) -> Iterator[Loop]:
    """Audit a loop around ``tf.GradientTape``; the run ends with the block.

    ``with audit(model) as run: ... run.step(loss, grads, model.trainable_variables)``. An exception
    passes, and the run has failed then.

    Args:
        model: names the variables and fills the manifest; None: the Keras model that holds them.
        optimizer: told in the manifest, its learning rate at each step; default: the model's, if compiled.
        loss: the loss object or function, told in the manifest.
        name: the run's name; default ``AUDITOR_NAME``.
        project: default ``AUDITOR_PROJECT``.
    """
    loop = Loop(open_run("tensorflow", name=name, project=project), model, optimizer=optimizer, loss=loss)
    loop.ear = Reported(loop)
    with loop.ear.listening_in():
        try:
            yield loop
        except BaseException as error:
            loop.run.finish("failed", f"{type(error).__name__}: {error}"[:500])
            raise
        loop.run.finish("stopped" if loop.run.should_stop else "finished")


class _Ear(tape.Sink):
    """Puts what is seen besides the steps to the loop that it belongs to: modes, evaluations, data."""

    def __init__(self) -> None:
        self._loop: Loop | None = None
        self._modes: dict[str, Mapping[str, Any]] = {}
        self._waiting: list[Mapping[str, Any]] = []
        self._evaluation = evaluation.Evaluation(self._evaluated, self._last)

    def attend(self) -> None:
        """Evaluations are told here from now on."""
        evaluation.tell(self._evaluation)

    def _tell_waiting(self) -> None:
        while self._waiting:
            self._tell(self._waiting.pop(0))

    def _last(self) -> int:
        """The last step there was, its row read."""
        if self._loop is None or self._loop.run.finished:
            return 0
        self._loop.read()
        return numbering.last(self._loop.run)

    def _evaluated(self, fields: Mapping[str, int], scalars: Mapping[str, float]) -> None:
        if self._loop is not None and not self._loop.run.finished:
            if fields:
                self._loop.run.event(numbering.last(self._loop.run), "evaluation", **fields)
            self._loop.run.log(**scalars)

    def mode(self, fields: Mapping[str, Any]) -> None:
        """A model was called in this mode; told when it is another one than before in this phase."""
        if self._modes.get(fields["phase"]) != fields:
            self._modes[fields["phase"]] = fields
            if self._loop is None:
                self._waiting = [*self._waiting[-1:], fields]
            else:
                if fields["phase"] == "eval":
                    self._loop.read()
                self._tell(fields)

    def _tell(self, fields: Mapping[str, Any]) -> None:
        if self._loop is not None and not self._loop.run.finished:
            step = numbering.last(self._loop.run)
            self._loop.run.event(step + (fields["phase"] == "train"), "mode", **fields)

    def listening(self) -> bool:
        """Whether the next steps are recorded element by element."""
        return self._loop is None or self._loop.listening

    def looking(self) -> bool:
        """Whether outputs of layers are wanted of the next step."""
        return self._loop is None or self._loop.looking

    def batches(self) -> Epochs | None:
        """Takes what is seen of the data."""
        return None if self._loop is None else self._loop.epochs


class _Unasked(_Ear):
    """The loop that ``install`` found: of the first optimizer that acts, or of raw variables."""

    def __init__(self) -> None:
        super().__init__()
        self._owner: int | None = None
        self._acting = False
        self.attend()

    def see(self, seen: Seen, known: tape.Known) -> None:
        """A step of some optimizer; only the first one's count."""
        if self._loop is None or self._loop.run.finished:
            self._loop, self._owner = Loop(open_run("tensorflow")), id(seen.optimizer)
            self._loop.run.on_finish(self._evaluation.end)
        self._acting = id(seen.optimizer) == self._owner
        if self._acting:
            self._loop.see(seen, known)
        self._tell_waiting()

    def done(self) -> None:
        """The step seen last was taken."""
        acting, self._acting = self._acting, False
        if acting and self._loop is not None:
            self._loop.done()


class Reported(_Ear):
    """A loop that reports its steps itself, before its optimizer acts or after.

    The steps are those that it reports. What a recording needs is taken at whichever comes first, for
    weights as they were show before the optimizer acts. A step of which one half was traced and the
    other is not is told by the half that came first.
    """

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop: Loop = loop
        self._first: Seen | None = None
        self._told = False
        self._traced: set[str] = set()

    @contextlib.contextmanager
    def listening_in(self) -> Iterator[None]:
        """Tape, optimizers and data are observed within."""
        with tape.reported(self):
            tensorflow_epochs.observe()
            self.attend()
            self._loop.run.on_finish(self._evaluation.end)
            try:
                yield
            finally:
                _UNASKED.attend()

    def see(self, seen: Seen, known: tape.Known) -> None:
        """An optimizer is about to act, or the loop to assign by hand."""
        import tensorflow as tf

        self._loop.acts(seen.optimizer)
        told, self._told = self._told, False
        if told or (tf.executing_eagerly() and "step" in self._traced):
            return
        self._note("act")
        self._first = replace(seen, optimizer=None, rate=self._loop.rate)
        self._loop.foresee(self._first, known)
        self._tell_waiting()

    def step(self, seen: Seen, _: object) -> None:
        """The loop reports a step."""
        import tensorflow as tf

        first, self._first = self._first, None
        if first is not None:
            self._loop.see(replace(seen, heard=first.heard, made=first.made, rate=first.rate), None, foreseen=True)
        elif tf.executing_eagerly() and "act" in self._traced:
            self._loop.see(seen, None, foreseen=True)
        else:
            self._note("step")
            self._told = True
            seen, known = tape.reporting(seen)
            for call in seen.heard.calls if seen.heard is not None else ():
                self.mode(forward.mode(call, learning=True))
            self._loop.see(seen, known)
        self._tell_waiting()

    def _note(self, what: str) -> None:
        import tensorflow as tf

        if not tf.executing_eagerly():
            self._traced.add(what)

    def done(self) -> None:
        """The optimizer has acted."""
        self._loop.done()


_UNASKED: Final = _Unasked()


@guarded(None)
def install() -> None:
    """Have the loops of this process audited, as ``auditor run`` asks. Idempotent.

    Tape, optimizers and the assignments of variables are observed; the first step opens the run.
    """
    tape.observe(_UNASKED)
    tensorflow_epochs.observe()


def _remember(names: dict[int, str], variables: Sequence[Any], model: Any) -> None:
    """Names for variables by ``id``, made unique: a model's paths, else what TensorFlow calls them."""
    taken = set(names.values())
    for variable in [*(model.weights if model is not None else ()), *variables]:
        if id(variable) in names:
            continue
        plain = str(getattr(variable, "path", None) or variable.name).split(":")[0]
        name, count = plain, 1
        while name in taken:
            count += 1
            name = f"{plain}#{count}"
        names[id(variable)] = name
        taken.add(name)


def _distributed() -> bool:
    import tensorflow as tf

    if tf.distribute.has_strategy():
        note("gradients are not captured under a tf.distribute strategy")
        return True
    return False

"""TensorFlow loops of one's own: ``audit`` for those who say so, ``install`` for those who do not.

**Step numbers**: ``run.step`` counts its calls; under ``install`` the count of the optimizer that
acts first numbers the steps, and what other optimizers do is not recorded. A ``fit`` before or after
goes on from the last number.
"""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from auditor_agent.guard import guarded, note
from auditor_agent.integrations import numbering, tensorflow_epochs
from auditor_agent.integrations import tensorflow_evaluation as evaluation
from auditor_agent.integrations import tensorflow_tape as tape
from auditor_agent.integrations.tensorflow_epochs import Epochs
from auditor_agent.integrations.tensorflow_tape import Seen
from auditor_agent.run import Run, open_run

if TYPE_CHECKING:  # loaded with the first step: they bring Keras along
    from auditor_agent.integrations.tensorflow_watch import LoopWatch


class Loop:
    """A run with ``step``: everything else is the run's (``log``, ``should_stop``, ``verdict``, ...)."""

    def __init__(self, run: Run, model: Any = None, *, optimizer: Any = None, loss: Any = None) -> None:
        self.run = run
        self._model, self._optimizer, self._loss = model, optimizer, loss
        self._names: dict[int, str] = {}
        self._watch: LoopWatch | None = None

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

        optimizer = self._optimizer or getattr(self._model, "optimizer", None)
        rate = getattr(optimizer, "learning_rate", None)
        # Within a tf.function AutoGraph would rewrite what is called here.
        see = tf.autograph.experimental.do_not_convert(self.see)
        see(Seen(loss, list(gradients), list(variables), rate=rate), None)

    def see(self, seen: Seen, known: tape.Known | None) -> None:
        """Record a step; at the first one say what the run is."""
        if self.run.finished or not any(gradient is not None for gradient in seen.gradients):
            return
        if _distributed():
            return
        if self._watch is None:
            from auditor_agent.integrations.tensorflow_watch import LoopWatch

            self._watch = LoopWatch(self.run, self._name)
            self._declare(self._watch, seen, known)
        self._watch.see(seen)

    @guarded(None)
    def _declare(self, watch: LoopWatch, seen: Seen, known: tape.Known | None) -> None:
        import tensorflow as tf

        from auditor_agent.integrations.tensorflow_manifest import find_model, manifest
        from auditor_agent.integrations.tensorflow_record import facts, loop_tape

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
            watch.tape = loop_tape(model, seen.optimizer, watch.counter(seen), self._name, watch.taps(seen))
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
    with tape.left_alone():
        try:
            yield loop
        except BaseException as error:
            loop.run.finish("failed", f"{type(error).__name__}: {error}"[:500])
            raise
    loop.run.finish("stopped" if loop.run.should_stop else "finished")


class _Unasked(tape.Sink):
    """The loop that ``install`` found: of the first optimizer that acts, or of raw variables."""

    def __init__(self) -> None:
        self._loop: Loop | None = None
        self._owner: int | None = None
        self._acting = False
        self._modes: dict[str, Mapping[str, Any]] = {}
        self._waiting: list[Mapping[str, Any]] = []
        self._evaluation = evaluation.Evaluation(self._evaluated, self._last)
        evaluation.tell(self._evaluation)

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

    def see(self, seen: Seen, known: tape.Known) -> None:
        """A step of some optimizer; only the first one's count."""
        if self._loop is None or self._loop.run.finished:
            self._loop, self._owner = Loop(open_run("tensorflow")), id(seen.optimizer)
            self._loop.run.on_finish(self._evaluation.end)
        self._acting = id(seen.optimizer) == self._owner
        if self._acting:
            self._loop.see(seen, known)
        while self._waiting:
            self._tell(self._waiting.pop(0))

    def done(self) -> None:
        """The step seen last was taken."""
        acting, self._acting = self._acting, False
        if acting and self._loop is not None:
            self._loop.done()

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

"""One loop around ``tf.GradientTape`` and the run that it is recorded into."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from auditor_agent.guard import guarded, note
from auditor_agent.integrations import numbering
from auditor_agent.integrations.tensorflow.epochs import Epochs
from auditor_agent.integrations.tensorflow.seen import Known, Seen
from auditor_agent.run import Run

if TYPE_CHECKING:  # loaded with the first step: they bring Keras along
    from auditor_agent.integrations.tensorflow.audit import Reported
    from auditor_agent.integrations.tensorflow.evaluated import Evaluated
    from auditor_agent.integrations.tensorflow.watch import LoopWatch

#: Times that the model of a step is looked for: later ones, each with an optimizer of its own, have none.
_SEARCHES: Final = 8


class Loop:
    """A run with ``step``: everything else is the run's (``log``, ``should_stop``, ``verdict``, ...)."""

    def __init__(self, run: Run, model: Any = None, *, optimizer: Any = None, loss: Any = None) -> None:
        self.run = run
        self._model, self._optimizer, self._loss = model, optimizer, loss
        self._names: dict[int, str] = {}
        self._watch: LoopWatch | None = None
        self._epochs: Epochs | None = None
        self._found: weakref.ref[Any] | None = None
        self._searches = 0
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

    def see(self, seen: Seen, known: Known | None, *, foreseen: bool = False) -> None:
        """Record a step; at the first one say what the run is. ``foreseen``: :meth:`foresee` was told of it."""
        watch = self._watching(seen, known)
        if watch is not None:
            watch.see(seen, foreseen=foreseen)

    def foresee(self, seen: Seen, known: Known) -> None:
        """A step is about to be taken that the loop reports afterwards."""
        watch = self._watching(seen, known)
        if watch is not None:
            watch.foresee(seen)

    def _watching(self, seen: Seen, known: Known | None) -> LoopWatch | None:
        if self.run.finished or not any(gradient is not None for gradient in seen.gradients) or _distributed():
            return None
        if self._watch is None:
            from auditor_agent.integrations.tensorflow.watch import LoopWatch

            self._watch = LoopWatch(self.run, self._name, self._epochs)
            self._declare(self._watch, seen, known)
        return self._watch

    def beside(self, seen: Seen, *, certain: bool) -> None:
        """An optimizer is about to act that is not the one whose steps these are; ``certain``: nor follows it."""
        if self._watch is not None and not self.run.finished:
            self._watch.beside(seen, certain=certain)

    def beside_done(self) -> None:
        """It has acted."""
        if self._watch is not None:
            self._watch.beside_done()

    @guarded(None)
    def acts(self, optimizer: Any) -> None:
        """``optimizer`` acts, of a loop that reports its steps itself."""
        self._optimizer = self._optimizer or optimizer
        if self._watch is not None and self._watch.tape is not None and optimizer is not None:
            self._watch.tape.optimizer(optimizer)

    @guarded(None)
    def succeed(self, seen: Seen) -> None:
        """The optimizer of ``seen`` takes over: what was watched is let go of, and the run goes on."""
        watch, self._watch = self._watch, None
        if watch is None:
            return
        another = not watch.holds(seen.variables)
        self._epochs = watch.retire()
        kept = [] if another else [variable for variable in seen.variables if id(variable) in self._names]
        self._names = {id(variable): self._names[id(variable)] for variable in kept}
        model = self._trained(seen)
        named = str(getattr(model, "name", "model"))
        self.run.event(numbering.last(self.run), "optimizer_changed", model=named, another_model=another)

    def _trained(self, seen: Seen) -> Any:
        """The model that holds the variables of a step; it is looked for among all there is, hence not often."""
        from auditor_agent.integrations.tensorflow.manifest import find_model, holds

        known = self._model if self._model is not None else None if self._found is None else self._found()
        if self._model is None and (known is None or not holds(known, seen.variables)):
            known = find_model(seen.variables) if self._searches < _SEARCHES else None
            self._searches += 1
            self._found = None if known is None else weakref.ref(known)
        return known

    @guarded(None)
    def _declare(self, watch: LoopWatch, seen: Seen, known: Known | None) -> None:
        """Say what the run is, if nobody has; have the flight recorder follow the steps to come."""
        import tensorflow as tf

        from auditor_agent.integrations.keras import unready
        from auditor_agent.integrations.tensorflow.evaluated import Evaluated
        from auditor_agent.integrations.tensorflow.manifest import alone, around, beside, manifest
        from auditor_agent.integrations.tensorflow.record import facts, iterations, loop_tape

        inner = self._trained(seen)
        calls = [] if seen.heard is None or self._model is not None else [call.model for call in seen.heard.calls]
        model = around(inner, seen.variables, calls)
        _remember(self._names, seen.variables, model)
        optimizer = seen.optimizer or self._optimizer or getattr(model, "optimizer", None)
        if seen.heard is not None:
            every = iterations(seen.optimizer)  # a loop that reports its steps itself counts them itself
            watch.tape = loop_tape(model, optimizer, watch.counter(seen), self._name, watch.taps(seen), every)
            watch.evaluated = Evaluated(watch.tape)
            watch.epochs.before, watch.epochs.after = watch.begins, watch.ended
            watch.epochs.entering, watch.epochs.left = watch.evaluated.begins, watch.evaluated.ended
        for called in (model, *calls):
            unready.tell(called, self.run, numbering.last(self.run))
        if self._epochs is not None:  # another optimizer follows: the run was declared
            return
        self.run.on_finish(self.close)
        # Registered after the run's own, hence called before it: what a crash left unread is read.
        atexit.register(self.close)
        body = manifest(
            model,
            seen.variables,
            self._name,
            optimizer=optimizer,
            loss=self._loss if known is None else known.loss,
            batch=None if known is None else known.batch,
            initial=watch.initial(seen.variables),
        )
        if inner is not None and model is not inner:
            beside(body["model"], inner.weights, self._name)
        if model is None and seen.heard is not None:
            body["model"]["layers"] = alone(seen.heard.order.layers.values())
        if watch.tape is not None:
            body["loss"] = {**facts(seen).get("loss", {}), **body["loss"]}
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
        if self._watch is not None and not self.run.finished:  # in a forked child the lock may be held for ever
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
    def evaluated(self) -> Evaluated | None:
        """Records evaluations."""
        return None if self._watch is None else self._watch.evaluated

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
        if self._watch is not None and not self.run.finished:
            self._watch.close()


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

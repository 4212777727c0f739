"""TensorFlow loops of one's own: ``audit`` for those who say so, ``install`` for those who do not.

**Step numbers**: ``run.step`` counts its calls; under ``install`` the count of the optimizer that
acts first numbers the steps. Another that follows it (``succession``) goes on from the last number, as
does a ``fit``; what others do that act by turns with it is recorded as a part of its steps (``beside``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from auditor_agent.guard import guarded
from auditor_agent.integrations import numbering
from auditor_agent.integrations.tensorflow import epochs as tensorflow_epochs
from auditor_agent.integrations.tensorflow import evaluation, forward, tape
from auditor_agent.integrations.tensorflow.epochs import Epochs
from auditor_agent.integrations.tensorflow.loop import Loop
from auditor_agent.integrations.tensorflow.seen import Known, Seen, Sink
from auditor_agent.run import open_run

if TYPE_CHECKING:  # loaded with the first step: they bring Keras along
    from auditor_agent.integrations.tensorflow.succession import Succession


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


class _Ear(Sink):
    """Puts what is seen besides the steps to the loop that it belongs to: modes, evaluations, data."""

    def __init__(self) -> None:
        self._loop: Loop | None = None
        self._modes: dict[str, Mapping[str, Any]] = {}
        self._waiting: list[Mapping[str, Any]] = []
        self._evaluation = evaluation.Evaluation(self._evaluated, self._last, self._recorded)

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

    def _recorded(self) -> Any:
        """Who records evaluations."""
        return None if self._loop is None else self._loop.evaluated

    def evaluating(self) -> bool:
        """Whether the next evaluation is recorded."""
        return self._loop is not None and self._loop.evaluated is not None and self._loop.evaluated.wanted

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
    """The loop that ``install`` found: of an optimizer and those that follow it, or of raw variables."""

    def __init__(self) -> None:
        super().__init__()
        self._succession: Succession | None = None
        self._begun = 0
        self._acting = False
        self.attend()

    def see(self, seen: Seen, known: Known) -> None:
        """A step of some optimizer; only those count that have the run."""
        if self._loop is None or self._loop.run.finished:
            self._loop = Loop(open_run("tensorflow"))
            self._loop.run.on_finish(self._evaluation.end)
            self._succession = None
        self._acting = self._counts(self._loop, seen)
        if self._acting:
            self._loop.see(seen, known)
        elif self._succession is not None:
            self._loop.beside(seen, certain=self._succession.beside(seen.optimizer))
        self._tell_waiting()

    def _counts(self, loop: Loop, seen: Seen) -> bool:
        from auditor_agent.integrations.tensorflow.succession import Succession

        if self._succession is None:
            self._succession, self._begun = Succession(), self._last()
            self._succession.begin(seen.optimizer)
        if not self._succession.owns(seen.optimizer):
            if not self._succession.follows(seen.optimizer, self._last() - self._begun):
                return False
            loop.succeed(seen)
            self._begun = numbering.last(loop.run)
        self._succession.acting()
        return True

    def done(self) -> None:
        """The step seen last was taken."""
        acting, self._acting = self._acting, False
        if self._loop is None:
            return
        if acting:
            self._loop.done()
        else:
            self._loop.beside_done()


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

    def see(self, seen: Seen, known: Known) -> None:
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

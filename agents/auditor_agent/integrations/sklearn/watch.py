"""From the batches of one MLP to the steps of one run.

A step is one update of the weights, counted from 1 through every ``fit`` and ``partial_fit`` of the
watched estimator; with ``lbfgs``, which has no batches, one accepted point, the start being step 1.
Gradients are those the optimizer gets: of the data loss and of the penalty. Weights and activations
are those the gradient was computed at; an update is what the step then did to a weight.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor_agent import guard
from auditor_agent.capture.batches import Epoch, batch_digest
from auditor_agent.capture.host import HostStatistics
from auditor_agent.capture.repeated import Repeated
from auditor_agent.capture.weights import WeightDigests
from auditor_agent.config import Config
from auditor_agent.histogram import HISTOGRAM_BYTES
from auditor_agent.integrations.sklearn import evaluation, looks
from auditor_agent.integrations.sklearn import manifest as declared
from auditor_agent.integrations.sklearn.given import Given
from auditor_agent.integrations.sklearn.manifest import by_layer as _ordered
from auditor_agent.integrations.sklearn.record import Tape
from auditor_agent.run import Run

#: Weights, updates, activations and the batch are read at each of the first steps, then every so many.
SAMPLES_FIRST: Final = 5
SAMPLES_EVERY: Final = 50
#: Steps, from the first with something non-finite on, at which they are read as well.
SAMPLES_IN_TROUBLE: Final = 4
#: Share of the loss down to which the penalty is the difference of two float64 losses, without a pass over the weights.
_SUBTRACT: Final = 1e-8

Named = Sequence[tuple[str, str, Any]]  # kind, name, array


@dataclass(slots=True)
class _Evaluation:
    """Loss and gradients of one batch, as backpropagation left them."""

    estimator: Any
    loss: float
    data: float
    samples: int
    grads: list[Any]
    arguments: Mapping[str, Any]
    scalars: dict[str, float] = field(default_factory=dict)

    @property
    def coefs(self) -> list[Any]:
        return list(self.estimator.coefs_)

    @property
    def weights(self) -> list[Any]:
        return [*self.estimator.coefs_, *self.estimator.intercepts_]

    def penalty(self) -> float:
        """The L2 part of the loss: alpha / (2 n) times the squared weights, biases left out."""
        alpha, rest = float(self.estimator.alpha), self.loss - self.data
        if alpha == 0.0:
            return 0.0
        if self.grads[0].dtype == np.float64 and _SUBTRACT * abs(self.loss) < rest < math.inf:
            return rest
        with np.errstate(all="ignore"):
            squares = math.fsum(float(np.vdot(coef, coef)) for coef in self.coefs)
            sample_weight = self.arguments.get("sample_weight")
            return alpha / 2 * squares / (self.samples if sample_weight is None else float(sample_weight.sum()))


class Watch:
    """Records what one estimator does; knows nothing of where the calls come from.

    Args:
        run: where to.
        stops: whether a run that ought to stop may end the training, as ``KeyboardInterrupt`` does:
            scikit-learn keeps the weights reached.
        histograms: steps between two with histograms of the gradients, 0 for none; None: as
            AUDITOR_HISTOGRAMS has it.
    """

    def __init__(self, run: Run, *, stops: bool = True, histograms: int | None = None) -> None:
        self.run = run
        self.step = 0
        """Number of the last step begun."""
        self._stops = stops
        self._statistics = HostStatistics()
        self._histograms = Config.from_env().histograms if histograms is None else max(0, histograms)
        self._layouts: dict[tuple[Any, ...], int] = {}
        self._fits = self._epochs = self._evaluations = self._trouble = 0
        self._in_trouble = self._started = False
        self._parameters: dict[str, Any] = {}
        self._fit: dict[str, Any] = {}
        self._shapes: tuple[Any, Any] = (None, None)
        self._data = math.nan
        self._now: _Evaluation | None = None
        self._rate: float | None = None
        self._before: float | None = None
        self._tape, self._optimizer = Tape(run), None
        self._under_way, self._digests = Epoch(), WeightDigests()
        self._given, self._chunks, self._fitting = Given(), Repeated(), False
        self._curve: list[tuple[float, int]] = []
        self._passed = 0
        self._sampled: list[Any] | None = None

    # -- a fit ---------------------------------------------------------------------------------------

    @guard.guarded(None)
    def begin(self, estimator: Any, arguments: Mapping[str, Any]) -> None:
        """A ``fit`` or ``partial_fit`` starts."""
        self._fits += 1
        self._fit = declared.fit(estimator, arguments)
        parameters = estimator.get_params(deep=False)
        if self._fits > 1 and self._fit["call"] == "fit":
            changed = {name: value for name, value in parameters.items() if value is not self._parameters.get(name)}
            told = {"number": self._fits, "reinitialised": self._fit["fresh"], "changed": changed}
            self.run.event(self.step, "fit", **told)
        self._parameters = parameters
        self._evaluations, self._started, self._before, self._now = 0, False, None, None
        self._epochs = 0 if self._fit["fresh"] else len(getattr(estimator, "loss_curve_", ()))
        self._fitting = True
        self._give(arguments)

    @guard.guarded(None)
    def _give(self, arguments: Mapping[str, Any]) -> None:
        """Look at the data of a call; the chunks of ``partial_fit`` make epochs, several calls each."""
        data = arguments.get("X")
        if self._fit["call"] != "partial_fit":
            self._given.fit(data)
            return
        if self._given.chunk(data):
            self._end_pass()
        told = self._chunks.take(data)
        if told is not None:
            self.run.event(self.step, "batch_repeated", **told)

    @guard.guarded(None)
    def end(self) -> None:
        """The ``fit`` is over, or failed."""
        now, self._now, self._sampled = self._now, None, None
        self._fitting = False
        if now is None:
            return
        self._epoch(now.estimator)
        if self._fit["solver"] != "lbfgs":
            return
        if self._evaluations and not math.isfinite(now.loss):  # the search met it, and ended there
            self._accept(now)
        self.run.event(self.step, "lbfgs_ended", iterations=getattr(now.estimator, "n_iter_", None))

    # -- a batch -------------------------------------------------------------------------------------

    @guard.guarded(None)
    def data_loss(self, value: Any, target: Any, output: Any) -> None:
        """The loss of the data alone, of the batch under way."""
        self._data, self._shapes = float(value), (target.shape, output.shape)

    @guard.guarded(None)
    def evaluated(self, estimator: Any, loss: Any, arguments: Mapping[str, Any]) -> None:
        """Loss and gradients of a batch are known."""
        if self.run.finished:
            return
        self._epoch(estimator)
        grads = [*arguments["coef_grads"], *arguments["intercept_grads"]]
        samples = int(arguments["X"].shape[0])
        now = self._now = _Evaluation(estimator, float(loss), self._data, samples, grads, arguments)
        if self.step == 0:
            self._start(now)
        self._evaluations += 1
        if self._fit["solver"] == "lbfgs" and not self._started:
            self._started = True  # the first evaluation is the start; the others wait to be accepted
            self._accept(now)

    def _start(self, now: _Evaluation) -> None:
        """Before the first step: what the run is."""
        self.run.manifest(self._manifest(now))
        self.run.observe(canonical=declared.canonical(now.estimator, now.samples))
        self._tape.size(_ordered(now.weights))
        self.run.on_finish(self._finish)

    @guard.guarded(None)
    def updating(self, optimizer: Any, grads: Sequence[Any]) -> None:
        """The optimizer is about to act on ``grads``."""
        now, self._sampled = self._now, None
        if now is None or self.run.finished:
            return
        now.grads = list(grads)
        # Adam's own `learning_rate` has the bias correction in it; the rate is what was asked for.
        self._rate = optimizer.learning_rate if hasattr(optimizer, "velocities") else optimizer.learning_rate_init
        self.step, self._optimizer = self.step + 1, optimizer
        now.scalars = self._scalars(now)
        self._tape.before(self.step, now, _ordered(now.weights), _ordered(now.grads))
        if self._due() or not self._light(now):
            self._sampled = [weight.copy() for weight in now.weights]

    def updated(self) -> None:
        """The optimizer has acted. Ends the training if the run ought to stop.

        Raises:
            KeyboardInterrupt: on a stop asked for; scikit-learn's loop catches it and keeps the weights.
        """
        self._finish_step()
        if self._stops and self.run.should_stop and not self.run.finished:
            self.run.event(self.step, "stopped", reason=f"verdict {self.run.verdict}")
            self.run.finish("stopped", f"verdict {self.run.verdict} at step {self.step}")
            raise KeyboardInterrupt

    @guard.guarded(None)
    def accepted(self) -> None:
        """L-BFGS goes on from the point evaluated last."""
        now = self._now
        if now is not None and self._evaluations and not self.run.finished:
            self._accept(now)

    # -- steps ---------------------------------------------------------------------------------------

    @guard.guarded(None)
    def _finish_step(self) -> None:
        now, before, self._sampled = self._now, self._sampled, None
        if now is None:
            return
        self._tape.after(_ordered(now.weights), self._optimizer)
        if before is None:
            return
        with np.errstate(all="ignore"):
            moved = [after - weight for after, weight in zip(now.weights, before, strict=True)]
        self._full(now, before, moved)

    def _accept(self, now: _Evaluation) -> None:
        """Record one accepted point of L-BFGS."""
        self.step += 1
        now.scalars = self._scalars(now)
        self._tape.before(self.step, now, _ordered(now.weights), _ordered(now.grads))
        self._tape.after((), None)
        if self._due() or not self._light(now):
            self._full(now, now.weights, [])

    def _light(self, now: _Evaluation) -> bool:
        """Record a step with its gradients alone; False, and nothing, if it is the first that went wrong."""
        words = self._statistics.words(_ordered(now.grads), count=self._counted())
        if not self._in_trouble and looks.bad(now, words):
            return False
        self._record(now, words, ())
        return True

    def _full(self, now: _Evaluation, weights: Sequence[Any], moved: Sequence[Any]) -> None:
        """Record a step with everything that is sampled."""
        names = declared.names(len(now.coefs))
        now.scalars |= looks.layers(now)
        extra: list[tuple[str, str, Any]] = [
            ("weight", name, array) for name, array in zip(names, _ordered(weights), strict=True)
        ]
        extra += [("update", name, array) for name, array in zip(names, _ordered(moved), strict=False)]
        extra += looks.flow(now)
        arrays = [*_ordered(now.grads), *(array for _, _, array in extra)]
        words = self._statistics.words(arrays, count=self._counted())
        first = not self._in_trouble and looks.bad(now, words)
        if first:
            self._in_trouble, self._trouble = True, SAMPLES_IN_TROUBLE - 1
        # Once is enough: the sender comes by itself soon, and waking it at every step costs.
        self._record(now, words, extra, urgent=first)
        if self.step == 1 or self.step % SAMPLES_EVERY == 0:
            told = dict(zip(names, _ordered(weights), strict=True))
            self.run.event(self.step, "weights", **self._digests.fields(told))

    def _due(self) -> bool:
        in_trouble = self._trouble > 0
        self._trouble -= in_trouble
        return self.step <= SAMPLES_FIRST or self.step % SAMPLES_EVERY == 0 or in_trouble

    def _counted(self) -> bool:
        """Whether this step has histograms."""
        every = self._histograms
        return every > 0 and (self.step == 1 or self.step % every == 0)

    def _record(self, now: _Evaluation, words: bytes | memoryview, extra: Named, *, urgent: bool = False) -> None:
        self.run.record(self.step, now.scalars, self._layout(now, extra), words, urgent=urgent)
        counters = self._statistics.histograms
        if counters:
            self.run.histograms(self.step, self._layout(now, ()), counters[: HISTOGRAM_BYTES * len(now.grads)])
        self._evaluations = 0

    def _scalars(self, now: _Evaluation) -> dict[str, float]:
        # Before the weights move: the penalty may need them.
        clock = time.perf_counter()
        digest = batch_digest(looks.inputs(now))
        self._under_way.add(digest, now.samples)
        scalars = {"loss": now.loss, "loss/data": now.data, "loss/penalty": now.penalty()}
        scalars |= {"samples": float(now.samples), "batch_digest": float(digest)}
        if self._fit["solver"] == "lbfgs":  # it has no rate: a line search finds the length of each step
            scalars["evaluations"] = float(self._evaluations)
        else:
            scalars["lr"] = float(self._rate or 0.0)
        if self._before is not None:
            scalars["step_time"] = clock - self._before
        self._before = clock
        return scalars

    def _layout(self, now: _Evaluation, extra: Named) -> int:
        # A refit may have other shapes: then the weights are others too, and so are their tensors.
        key: tuple[Any, ...] = (len(now.grads), *[kind + name for kind, name, _ in extra])
        if key not in self._layouts:
            names = declared.names(len(now.coefs))
            rows = [("gradient", name, array) for name, array in zip(names, _ordered(now.grads), strict=True)]
            ids = [self.run.tensor(kind, name, array.shape, array.dtype.name) for kind, name, array in [*rows, *extra]]
            self._layouts[key] = self.run.layout(ids)
        return self._layouts[key]

    def _epoch(self, estimator: Any) -> None:
        """Log an epoch that has ended: scikit-learn appends to its curve, and may have scored."""
        curve: Any = getattr(estimator, "loss_curve_", ())
        if len(curve) > self._epochs and self._fit["call"] == "partial_fit":
            self._curve.append((float(curve[-1]), self._under_way.samples - sum(count for _, count in self._curve)))
        elif len(curve) > self._epochs:
            values = {"epoch": float(len(curve)), "epoch_loss": float(curve[-1])}
            scores = getattr(estimator, "validation_scores_", None)
            self.run.log(**values, **({"val_score": float(scores[-1])} if scores else {}))
            self.run.event(self.step, "epoch", **self._under_way.end())
        self._epochs = len(curve)

    @guard.guarded(None)
    def _end_pass(self) -> None:
        """A pass over the data has ended that took one ``partial_fit`` or several."""
        curve, self._curve = self._curve, []
        samples = sum(count for _, count in curve)
        if samples and self._under_way.steps:
            told = self._under_way.end()
            self._passed = told["steps"]
            self.run.log(epoch=float(told["epoch"]), epoch_loss=sum(loss * part for loss, part in curve) / samples)
            self.run.event(self.step, "epoch", **told)

    def _finish(self) -> None:
        """The run ends: so does its last pass, if it is as long as the one before."""
        if self._curve and self._under_way.steps == self._passed:
            self._end_pass()
        self._tape.close()

    # -- evaluations ---------------------------------------------------------------------------------

    def predicted(self, estimator: Any, given: Any, outputs: Any, result: Any) -> evaluation.Prediction | None:
        """Something was predicted; of data that was held out it is kept, to be compared with targets."""
        kept: evaluation.Prediction | None = self._predicted(estimator, given, outputs, result)
        return kept

    @guard.guarded(None)
    def _predicted(self, estimator: Any, given: Any, outputs: Any, result: Any) -> Any:
        if not self.step or not evaluation.held_out(self._given, given, fitting=self._fitting):
            return None
        return evaluation.predicted(estimator, given, outputs, result, batch=self._tape.evaluates)

    @guard.guarded(True)
    def compared(self, prediction: evaluation.Prediction, target: Any, result: Any) -> bool:
        """An evaluation, if ``result`` is what was predicted; whether it is."""
        scored = evaluation.compared(prediction, target, result)
        if scored is None or self.run.finished:
            return self.run.finished
        told = {} if math.isnan(scored.loss) and "unknown" in scored.classes else {"val_loss": scored.loss}
        if scored.accuracy is not None and not self._fitting:  # early stopping tells its own score
            told["val_accuracy"] = scored.accuracy
        self.run.log(**told)
        self.run.event(self.step, "evaluation", batches=1, samples=scored.samples, losses=1, **scored.classes)
        estimator = prediction.estimator()
        if estimator is not None:
            self._tape.evaluated(estimator, scored)
        return True

    def _manifest(self, now: _Evaluation) -> dict[str, Any]:
        words = bytes(self._statistics.words(_ordered(now.weights)))
        seen = {"dtype": now.grads[0].dtype.name, "first_batch": now.samples, "shapes": self._shapes}
        return declared.manifest(now.estimator, self._fit, words=words, **seen)

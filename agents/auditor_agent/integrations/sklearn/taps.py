"""Where scikit-learn's MLPs are looked at: a few functions, covered while something is audited.

The estimator itself is left alone: no attribute of it changes, so ``clone``, ``copy`` and ``pickle``
see what they always saw, also in the middle of an audit. Each cover asks whether the ``fit`` that
runs in this thread is watched, and otherwise only passes on:

- ``BaseMultilayerPerceptron._fit``: a ``fit`` or ``partial_fit`` begins and ends;
- ``LOSS_FUNCTIONS``: the loss of the data alone, before the penalty is added to it;
- ``BaseMultilayerPerceptron._backprop``: activations, loss and gradients of one batch;
- ``BaseOptimizer.update_params``: the gradients are about to act, and have acted;
- ``scipy.optimize.minimize``: L-BFGS has accepted a point (through its ``callback``);
- ``_forward_pass_fast``, ``_predict`` and ``predict_proba``: something was predicted; the checks of
  ``sklearn.metrics``, which every metric and ``score`` go through: it is compared with targets.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import scipy.optimize
from sklearn.metrics import _classification, _regression
from sklearn.neural_network import _multilayer_perceptron as perceptron
from sklearn.neural_network._stochastic_optimizers import BaseOptimizer


class Watcher(Protocol):
    """What the covers tell. No method raises, but ``updated`` to end the training on request."""

    def begin(self, estimator: Any, arguments: Mapping[str, Any]) -> None:
        """A ``fit`` starts; ``arguments`` are those of ``_fit`` by name."""

    def data_loss(self, value: Any, target: Any, output: Any) -> None:
        """The data loss of the batch under way."""

    def evaluated(self, estimator: Any, loss: Any, arguments: Mapping[str, Any]) -> None:
        """Loss and gradients of one batch are known; ``arguments`` are those of ``_backprop`` by name."""

    def updating(self, optimizer: Any, grads: Any) -> None:
        """The optimizer is about to act."""

    def updated(self) -> None:
        """The optimizer has acted."""

    def accepted(self) -> None:
        """L-BFGS goes on from the point evaluated last."""

    def end(self) -> None:
        """The ``fit`` is over, however it went."""

    def predicted(self, estimator: Any, given: Any, outputs: Any, result: Any) -> Any:
        """A prediction of ``estimator`` for the data ``given``; gives what :meth:`compared` wants to know of it."""

    def compared(self, prediction: Any, target: Any, result: Any) -> bool:
        """``result`` is compared with ``target``; whether it is that prediction, which is done with then."""


Chooser = Callable[[Any], Watcher | None]
#: Functions of ``sklearn.metrics`` that see targets and predictions first, in that order.
_CHECKS: Final = (
    (_classification, "_check_targets"),
    (_classification, "_validate_multiclass_probabilistic_prediction"),  # of log_loss
    (_regression, "_check_reg_targets"),
)
_LOCAL: Final = threading.local()


def current() -> Watcher | None:
    """The watcher of the ``fit`` that runs in this thread."""
    return getattr(_LOCAL, "watcher", None)


class Taps:
    """The covers; on between the first :meth:`hold` and the last :meth:`release`.

    Args:
        choose: the watcher of an estimator whose ``fit`` begins, or None. Must not raise.
        known: the watcher that an estimator has had, or None. Must not raise.
    """

    def __init__(self, choose: Chooser, known: Chooser) -> None:
        self._choose, self._known = choose, known
        self._lock = threading.Lock()
        self._holders = 0
        self._covered: list[tuple[Any, str, Any, Any]] = []

    def hold(self) -> None:
        """Cover the functions, unless they are."""
        with self._lock:
            self._holders += 1
            if self._holders == 1:
                self._cover()

    def release(self) -> None:
        """Uncover them if nobody else holds. What someone else covered since stays as it is."""
        with self._lock:
            self._holders -= 1
            if self._holders == 0:
                for owner, name, before, ours in self._covered:
                    if _get(owner, name) is ours:
                        _set(owner, name, before)
                self._covered.clear()

    def after_fork(self) -> None:
        """In the child: another thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def _cover(self) -> None:
        network = perceptron.BaseMultilayerPerceptron
        self._put(network, "_fit", functools.partial(_fit, self._choose))
        self._put(network, "_backprop", _backprop)
        self._put(BaseOptimizer, "update_params", _update_params)
        for name in list(perceptron.LOSS_FUNCTIONS):
            self._put(perceptron.LOSS_FUNCTIONS, name, _loss)
        self._put(scipy.optimize, "minimize", _minimize)
        self._put(network, "_forward_pass_fast", _forward)
        for kind in (perceptron.MLPClassifier, perceptron.MLPRegressor):
            self._put(kind, "_predict", functools.partial(_predict, self._known))
        self._put(perceptron.MLPClassifier, "predict_proba", functools.partial(_predict, self._known))
        for module, name in _CHECKS:
            if hasattr(module, name):
                self._put(module, name, _check)

    def _put(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        before = _get(owner, name)
        ours = functools.wraps(before)(make(before))
        _set(owner, name, ours)
        self._covered.append((owner, name, before, ours))


def _get(owner: Any, name: str) -> Any:
    return owner[name] if isinstance(owner, dict) else getattr(owner, name)


def _set(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, dict):
        owner[name] = value
    else:
        setattr(owner, name, value)


def _fit(choose: Chooser, original: Callable[..., Any]) -> Callable[..., Any]:
    names = list(inspect.signature(original).parameters)

    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        before, watcher = current(), choose(self)
        if watcher is not None:
            watcher.begin(self, {**dict(zip(names[1:], args, strict=False)), **kwargs})
        _LOCAL.watcher = watcher
        try:
            return original(self, *args, **kwargs)
        finally:
            _LOCAL.watcher = before
            if watcher is not None:
                watcher.end()

    return fit


def _backprop(original: Callable[..., Any]) -> Callable[..., Any]:
    names = list(inspect.signature(original).parameters)

    def backprop(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        watcher = current()
        if watcher is not None:
            given = {**dict(zip(names[1:], args, strict=False)), **kwargs}
            given["coef_grads"], given["intercept_grads"] = result[1], result[2]
            watcher.evaluated(self, result[0], given)
        return result

    return backprop


def _loss(original: Callable[..., Any]) -> Callable[..., Any]:
    def loss(*args: Any, **kwargs: Any) -> Any:
        value = original(*args, **kwargs)
        watcher = current()
        if watcher is not None and len(args) > 1:
            watcher.data_loss(value, args[0], args[1])
        return value

    return loss


def _update_params(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_params(self: Any, params: Any, grads: Any) -> Any:
        watcher = current()
        if watcher is None:
            return original(self, params, grads)
        watcher.updating(self, grads)
        result = original(self, params, grads)
        watcher.updated()
        return result

    return update_params


def _minimize(original: Callable[..., Any]) -> Callable[..., Any]:
    def minimize(*args: Any, **kwargs: Any) -> Any:
        watcher = current()
        if watcher is None or "callback" in kwargs:
            return original(*args, **kwargs)

        def accepted(point: Any) -> None:
            del point
            watcher.accepted()

        return original(*args, **kwargs, callback=accepted)

    return minimize


def _forward(original: Callable[..., Any]) -> Callable[..., Any]:
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        outputs = original(self, *args, **kwargs)
        if getattr(_LOCAL, "predicting", None) is self:
            _LOCAL.outputs = outputs
        return outputs

    return forward


def _predict(known: Chooser, original: Callable[..., Any]) -> Callable[..., Any]:
    def predict(self: Any, *args: Any, **kwargs: Any) -> Any:
        watcher = known(self)
        if watcher is None:
            return original(self, *args, **kwargs)
        _LOCAL.predicting, _LOCAL.outputs, _LOCAL.prediction = self, None, None
        try:
            result = original(self, *args, **kwargs)
        finally:
            _LOCAL.predicting = None
        given, outputs, _LOCAL.outputs = args[0] if args else kwargs.get("X"), _LOCAL.outputs, None
        _LOCAL.prediction = (watcher, watcher.predicted(self, given, outputs, result))
        return result

    return predict


def _check(original: Callable[..., Any]) -> Callable[..., Any]:
    def check(*args: Any, **kwargs: Any) -> Any:
        watcher, prediction = getattr(_LOCAL, "prediction", None) or (None, None)
        if watcher is not None and prediction is not None and len(args) > 1:  # noqa: SIM102 -- asked, then told
            if watcher.compared(prediction, args[0], args[1]):
                _LOCAL.prediction = None
        return original(*args, **kwargs)

    return check

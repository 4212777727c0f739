"""What a program hands in: the object that its ``make`` returns, in one shape."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

Framework = Literal["torch", "keras", "sklearn"]


class NotComparableError(ValueError):
    """Two implementations, or what one of them handed in, cannot be put side by side; the text says why."""


@dataclass(slots=True)
class Implementation:
    """One implementation of a training.

    Attributes:
        model: a ``torch.nn.Module``, a Keras model, or an ``MLPRegressor``/``MLPClassifier``.
        optimizer: of the model's framework; None for scikit-learn, whose estimator has its own.
        loss: ``loss(output, target)`` in PyTorch; in Keras a loss, its name, or ``loss(target, output)``.
        batches: of (input, target), arrays; the input may be a tuple of inputs. One side's are enough.
            A longer check goes round them again.
        penalty: ``penalty(model)``, added to the loss; Keras's own regularizers need none.
        before_step: ``before_step(model)`` after the backward pass and before the step, to clip gradients
            in PyTorch. Keras clips in its optimizer.
        scheduler: its ``step()`` is called after every step; a Keras schedule stands in the optimizer.
        training: whether the model is called in training mode. None: as the model says (PyTorch), yes (Keras).
        accumulate: batches to a step (PyTorch; Keras has an option of the optimizer for it).
        average: whether accumulated gradients are divided by ``accumulate``.
        autocast: a type, such as ``torch.bfloat16``, to run PyTorch's forward pass under autocast in.
    """

    model: Any
    optimizer: Any = None
    loss: Any = None
    batches: Iterable[Any] | Callable[[], Iterable[Any]] | None = None
    penalty: Callable[[Any], Any] | None = None
    before_step: Callable[[Any], Any] | None = None
    scheduler: Any = None
    training: bool | None = None
    accumulate: int = 1
    average: bool = True
    autocast: Any = None

    def first_batches(self, count: int) -> list[tuple[Any, Any]]:
        """So many of its batches, from the first again where there are fewer; empty if it brings none."""
        source = self.batches() if callable(self.batches) else self.batches
        kept = [(pair[0], pair[1]) for pair in itertools.islice(source or (), count)]
        return list(itertools.islice(itertools.cycle(kept), count)) if kept else []

    @property
    def framework(self) -> Framework:
        """Which framework the model is of.

        Raises:
            NotComparableError: if it is of none that is known.
        """
        bases = [base.__module__.partition(".")[0] + "." + base.__name__ for base in type(self.model).__mro__]
        if "torch.Module" in bases:
            return "torch"
        if any(base.startswith(("keras.", "tensorflow.")) for base in bases):
            return "keras"
        if any(base.startswith("sklearn.") for base in bases):
            return "sklearn"
        raise NotComparableError(f"a model of PyTorch, Keras or scikit-learn is needed, not {type(self.model)}")


_NAMES: Final = tuple(field.name for field in fields(Implementation))


def read(made: Any) -> Implementation:
    """What ``make`` returned, as an :class:`Implementation`.

    Args:
        made: a tuple ``(model, optimizer, loss[, batches])``, a mapping or an object with those names,
            or a model alone (scikit-learn).

    Raises:
        NotComparableError: if there is no model in it.
    """
    if isinstance(made, Implementation):
        return made
    if isinstance(made, tuple):
        return Implementation(*made)
    if isinstance(made, Mapping):
        unknown = set(made) - set(_NAMES)
        if unknown:
            raise NotComparableError(f"make returned unknown parts: {', '.join(sorted(unknown))}")
        return Implementation(**made)
    if hasattr(made, "model"):
        return Implementation(**{name: getattr(made, name) for name in _NAMES if hasattr(made, name)})
    return Implementation(made)

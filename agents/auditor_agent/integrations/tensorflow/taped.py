"""What tapes gave since the last step: a loss and gradients, or several where a loop accumulates them by hand.

The loss of a step is the one whose gradient the optimizer is given. Of several tapes over the same
variables that is the sum of their losses where it is given the sum of their gradients, their mean
where it is given the mean, and else the last one's: which of them it is shows in the smallest
gradient there is, held against what the optimizer was given for the same variable.

A tape in a function that was traced gives nothing that the code outside could read. So such a
function adds loss and smallest gradient up in a variable, which the step that follows outside of it
reads and sets back.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import tensorflow as tf

from auditor_agent.integrations.keras import on_tensorflow as on

#: Tapes that are kept: more micro-batches than that tell the loss of the last of them.
_MOST: Final = 64
#: Elements of a gradient that is kept to tell a sum from a mean.
_MOST_KEPT: Final = 4096
#: How far, relatively, a sum of gradients may be off that was made in another order or precision.
_NEAR: Final = 1e-3


def _gone() -> None:
    """Nothing is there."""


class Before(NamedTuple):
    """What a step takes together. ``tapes``: that gave its gradients; 0 where there may be more than were seen.

    ``samples``: that those before the last were given, in a loop that runs eagerly; of one batch they are told once.
    """

    tapes: int = 0
    samples: int = 0


NONE_BEFORE: Final = Before()


@dataclass(slots=True)
class Taped:
    """What one tape gave, until something is done with it."""

    loss: Any
    sources: list[Any]
    held: list[Callable[[], Any]]
    """The gradients, not kept alive: a loop whose updates are not seen must not need twice the memory."""
    keys: frozenset[int] = frozenset()
    small: Any = None
    """The gradient of the variable with the fewest elements, where it is kept."""
    small_keys: frozenset[int] = frozenset()
    """Identities of that variable."""
    begun: int = 0
    """Which of the tapes it was that have begun so far; those within another count as that one."""
    rows: int = 0
    """Samples that its model was given, where they are known."""
    given: Callable[[], Any] = _gone
    """These samples, not kept alive."""

    @property
    def gradients(self) -> list[Any]:
        """The gradients; None for one that is gone."""
        return [gradient() for gradient in self.held]


class Tapes:
    """Those since the last step of each optimizer, of one thread."""

    def __init__(self) -> None:
        self._kept: list[Taped] = []
        self._known: dict[tuple[int, ...], tuple[frozenset[int], int]] = {}
        self._left: list[_Left] = []
        self.begun = 0
        """Tapes so far, without those within another."""

    def __bool__(self) -> bool:
        return bool(self._kept)

    def clear(self) -> None:
        """They belong to no step that is seen."""
        self._kept = []

    def add(self, loss: Any, sources: list[Any], gradients: Sequence[Any], given: Any = None) -> None:
        """A tape gave these gradients of variables; ``given``: what its model was given, if it runs eagerly."""
        one = Taped(loss, sources, [_held(gradient) for gradient in gradients], begun=self.begun)
        if given is not None:
            one.rows, one.given = int(given.shape[0]), _held(given)
        one.keys, at = self._know(sources, gradients)
        if at >= 0 and tf.is_tensor(gradients[at]) and not isinstance(gradients[at], tf.IndexedSlices):
            one.small, one.small_keys = gradients[at], keys([sources[at]])
        self._kept = [*self._kept[1 - _MOST :], one]
        if not tf.executing_eagerly() and one.small is not None and _there(loss):
            self._leave(one)

    def _know(self, sources: Sequence[Any], gradients: Sequence[Any]) -> tuple[frozenset[int], int]:
        """Identities of ``sources``, and the place of the smallest gradient, -1 for none; looked for once."""
        place = tuple([id(source) for source in sources])
        if place not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[place] = keys(sources), _smallest(gradients)
        return self._known[place]

    def _leave(self, one: Taped) -> None:
        """Have the function that is being traced leave what the tape gave."""
        from auditor_agent.integrations.tensorflow.record import in_xla

        if in_xla() or tf.distribute.has_strategy():
            return
        left = next((left for left in self._left if left.keys == one.keys), None)
        if left is None:
            with tf.init_scope():
                left = _Left(
                    one.keys, one.small_keys, tf.Variable(tf.zeros([2 + one.small.shape.num_elements()], tf.float64))
                )
            self._left = [*self._left[1 - _MOST :], left]
        small = tf.reshape(tf.cast(one.small, tf.float64), [-1])
        head = tf.stack([tf.constant(1.0, tf.float64), tf.cast(on.scalar(one.loss), tf.float64)])
        left.sums.assign_add(tf.concat([head, small], 0))

    def of(self, variable: Any) -> Taped | None:
        """The last tape that gave a gradient of ``variable``; it and those like it are forgotten."""
        found = next((one for one in reversed(self._kept) if id(variable) in one.keys), None)
        if found is not None:
            self._kept = [one for one in self._kept if not one.keys & found.keys]
        return found

    def gave(self, variables: Sequence[Any]) -> list[Callable[[], Any]]:
        """The gradients of the last tape over these variables, not kept alive; none without one, or of several."""
        wanted = keys(variables)
        mine = [one for one in self._kept if one.keys & wanted]
        return mine[0].held if len(mine) == 1 else []

    def before(self, variables: Sequence[Any]) -> Before:
        """The tapes that gave gradients of these variables, as far as the code that runs or is traced can read them."""
        if not self._kept or self._kept[0] is self._kept[-1] or len(self._kept) >= _MOST:
            return NONE_BEFORE
        wanted = keys(variables)
        mine = [one for one in self._kept if one.keys & wanted and (one.loss is None or _there(one.loss))]
        last = {one.begun: one for one in mine}
        others, seen = list(last.values())[:-1], [one.given() for one in mine[-1:]]
        samples = 0
        for one in others:
            given = one.given()
            if given is None or not any(given is each for each in seen):
                samples, seen = samples + one.rows, [*seen, given]
        return Before(len(last), samples)

    def loss(self, gradients: Sequence[Any], variables: Sequence[Any]) -> Any:
        """The loss of a step with these gradients; None where no tape gave any of them. Its tapes are forgotten."""
        wanted = keys(variables)
        mine = [one for one in self._kept if one.keys & wanted]
        self._kept = [one for one in self._kept if not one.keys & wanted]
        if not mine or not _there(mine[-1].loss):
            left = next((left for left in reversed(self._left) if left.keys & wanted), None)
            return left.loss(gradients, variables) if left is not None else mine[-1].loss if mine else None
        return mine[0].loss if len(mine) == 1 else _together(mine, gradients, variables)


@dataclass(slots=True)
class _Left:
    """What functions that were traced leave of their tapes over the same variables."""

    keys: frozenset[int]
    small_keys: frozenset[int]
    sums: Any
    """How many tapes, the sum of their losses, then the sum of their smallest gradients."""

    def loss(self, gradients: Sequence[Any], variables: Sequence[Any]) -> Any:
        """The loss of a step outside; NaN where no function left one since the last. Set back."""
        given = _given(self.small_keys, gradients, variables)
        sums = tf.identity(self.sums)
        self.sums.assign(tf.zeros_like(sums))
        number, total = sums[0], sums[1]
        if given is None:
            return total / number
        return tf.where(_near(tf.reshape(given, [-1]), sums[2:]), total, total / number)


def keys(variables: Iterable[Any]) -> frozenset[int]:
    """Identities of variables; Keras' variables are also known by the one of TensorFlow's within."""
    return frozenset(key for variable in variables for key in (id(variable), id(getattr(variable, "_value", variable))))


def _together(tapes: Sequence[Taped], gradients: Sequence[Any], variables: Sequence[Any]) -> Any:
    last = tapes[-1]
    losses = [one.loss for one in tapes if _there(one.loss)]
    kept = [one.small for one in tapes if _there(one.small)]
    given = _given(last.small_keys, gradients, variables)
    if len(losses) < len(tapes) or len(kept) < len(tapes) or given is None:
        return last.loss
    number, summed = len(tapes), tf.add_n([tf.cast(each, tf.float64) for each in kept])
    total = tf.add_n([on.scalar(loss) for loss in losses])
    other = tf.where(_near(given, summed / number), total / number, on.scalar(last.loss))
    return tf.where(_near(given, summed), total, other)


def _near(given: Any, expected: Any) -> Any:
    return tf.norm(tf.cast(given, tf.float64) - expected) <= _NEAR * tf.norm(expected)


def _there(tensor: Any) -> bool:
    """Whether the code that runs or is traced can read ``tensor``."""
    return bool(tf.is_tensor(tensor) and on.reachable(tensor))


def _given(wanted: frozenset[int], gradients: Sequence[Any], variables: Sequence[Any]) -> Any:
    for gradient, variable in zip(gradients, variables, strict=False):
        if keys([variable]) & wanted and gradient is not None and not isinstance(gradient, tf.IndexedSlices):
            return tf.convert_to_tensor(gradient)
    return None


def is_variable(source: Any) -> bool:
    """Whether gradients of it make a step."""
    return isinstance(source, tf.Variable) or hasattr(source, "trainable_variables") or hasattr(source, "assign")


def _smallest(gradients: Sequence[Any]) -> int:
    sizes = [
        (gradient.shape.num_elements() or _MOST_KEPT + 1, at)
        for at, gradient in enumerate(gradients)
        if tf.is_tensor(gradient) and not isinstance(gradient, tf.IndexedSlices)
    ]
    size, at = min(sizes, default=(_MOST_KEPT + 1, -1))
    return at if size <= _MOST_KEPT else -1


def _held(gradient: Any) -> Callable[[], Any]:
    if tf.executing_eagerly() and gradient is not None:
        with contextlib.suppress(TypeError):
            return weakref.ref(gradient)
    return lambda: gradient  # of a graph: no values behind it

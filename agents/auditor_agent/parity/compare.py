"""One step of two sides, part by part, in the order in which a step runs.

Where a tensor's gradient is rounding and nothing else (a bias before BatchNorm, the key's bias in
attention), nothing that becomes of it reaches the loss: its gradient, state and update are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor_agent.parity.align import Alignment, canonicalize, transplant
from auditor_agent.parity.cells import F64, STATISTICS, Cell
from auditor_agent.parity.judge import Divergence, Judge, Measured
from auditor_agent.parity.likeness import ADAM_FLOOR, FACTOR, U, best_layout, distance
from auditor_agent.parity.pairing import PointPair, pair_points
from auditor_agent.parity.seen import Point, Seen, array, as_input
from auditor_agent.parity.twin import Both, Twin

#: Rules with a bias correction that Keras takes in float32.
_ADAMS: Final = frozenset({"adam", "adamw", "nadam", "adamax", "lion"})
#: Relative difference up to which two learning rates are one: Keras holds it, and computes schedules, in float32.
_SAME_RATE: Final = 2e-5
#: A convention that changes a number by less is told, and is no divergence (``auditor.compare``'s bound of a cause).
HARMLESS: Final = 1e-3
#: Unit roundoff by type.
_ROUNDING: Final = {"float64": 2.0**-53, "float32": U, "float16": 2.0**-11, "bfloat16": 2.0**-8}
_LOW: Final = {"float16", "bfloat16"}


class Comparison:
    """Compares steps; ``judge`` keeps count of what was compared."""

    def __init__(self, a: Twin, b: Twin, alignment: Alignment) -> None:
        self._a, self._b = a, b
        self._pairs = alignment.pairs
        self._lacking = alignment.lacking
        self._points: list[PointPair] | None = None
        self.judge = Judge()
        self.conventions: list[Divergence] = []
        self.unseen: set[str] = set()

    # -- before a step -------------------------------------------------------------------------

    def level(self) -> None:
        """The same weights, statistics and optimizer state on both sides and in both oracles."""
        canonicalize(self._a.side)
        transplant(self._b.side, self._pairs, self._a.side.weights())
        if self.judge.number > 1:  # what the state begins with is compared, not given
            self._level_state()
        self._a.follow()
        self._b.follow()

    def _level_state(self) -> None:
        theirs = self._b.side.slots()
        for name, arrays in self._a.side.slots().items():
            for a, b in self._pairs:
                for tensor in a.slots.keys() & b.slots.keys() if name in theirs else ():
                    value = a.slots[tensor].take(arrays)
                    if value is not None and b.slots[tensor].key in theirs[name]:
                        b.slots[tensor].put(theirs[name], value)
        self._b.side.load_slots(theirs)

    def structure(self) -> Divergence | None:
        """Weights that one side lacks or cannot hold, and what is dropped at random."""
        for name, tensor, lacks in self._lacking:
            cell = next((c for pair in self._pairs for c in pair if c.name == name), None)
            kind = "" if cell is None else cell.kind
            has: tuple[Any, Any] = (lacks != "a", lacks != "b")
            return self.judge.told("forward", f"missing {tensor}", (name, name), (1.0, 0.0), kind=kind, values=has)
        mine, theirs = self._a.side.weights(), self._b.side.weights()
        for a, b, tensor in self._tensors():
            left, right = a.slots[tensor].take(mine, summed=True), b.slots[tensor].take(theirs, summed=True)
            if left is None or right is None or left.shape != right.shape:
                continue  # another shape shows in what the layer gives
            apart = distance(left, right)
            if apart > 2 * U:
                return self.judge.told("precision", f"weight {tensor}", (a.name, b.name), (apart, 2 * U), kind=a.kind)
        rates = [[rate for _, rate in twin.dropouts] for twin in (self._a, self._b)]
        if rates[0] != rates[1]:
            names = [", ".join(name for name, _ in twin.dropouts) or "no layer" for twin in (self._a, self._b)]
            told = rates[0], rates[1]
            return self.judge.told("forward", "dropout", (names[0], names[1]), (1.0, 0.0), kind="dropout", values=told)
        return None

    def batch(self, mine: tuple[Any, Any], theirs: tuple[Any, Any]) -> Divergence | None:
        """Input and target, exactly, up to their layout and type."""
        for part, a, b in (("input", mine[0], theirs[0]), ("target", mine[1], theirs[1])):
            for at, (left, right) in enumerate(zip(as_input(a), as_input(b), strict=False)):
                x, y = (np.asarray(array(value), np.float32).astype(np.float64) for value in (left, right))
                found = best_layout(x, y)
                self.judge.count += 1
                if found is None or found[0] > 0.0:
                    apart = float("inf") if found is None else found[0]
                    name = f"{part} {at}" if at else part
                    return self.judge.told(
                        "data", part, (name, name), (apart, 0.0), values=(list(x.shape), list(y.shape))
                    )
        return None

    # -- a step --------------------------------------------------------------------------------

    def run(self, mine: tuple[Any, Any], theirs: tuple[Any, Any]) -> tuple[Both, Both]:
        """One step on both sides, each with its oracle."""
        return self._a.run(*mine), self._b.run(*theirs)

    def step(self, a: Both, b: Both) -> Divergence | None:
        """The first part of the step that differs, in the order in which a step runs."""
        return next(self._parts(a, b), None)

    def _parts(self, a: Both, b: Both) -> Iterator[Divergence]:
        yield from self._forward(a, b)
        yield from self._loss(a, b)
        yield from self._gradients(a, b)
        yield from self._rate(a.plain, b.plain)
        yield from self._state(a, b)
        yield from self._updates(a, b)
        yield from self._statistics(a, b)

    def evaluation(self, mine: Any, theirs: Any) -> Divergence | None:
        """The output in evaluation mode."""
        outputs = [(twin.side.forward(x, training=False)[0],
                    None if twin.oracle is None else twin.oracle.forward(x, training=False)[0])
                   for twin, x in ((self._a, mine), (self._b, theirs))]  # fmt: skip
        return self.judge.check("eval", "output", ("output", "output"), outputs[0], outputs[1])

    def _forward(self, a: Both, b: Both) -> Iterator[Divergence]:
        if self._points is None:
            self._points = pair_points(a.plain.points, b.plain.points, self._pairs)
        for pair in self._points:
            left, right = pair.of(a.plain.points, b.plain.points)
            if left is None or right is None:
                continue
            if (low := self._low(left, right)) is not None:
                yield low
            exact_a = None if a.exact is None else pair.of(a.exact.points, b.plain.points)[0]
            exact_b = None if b.exact is None else pair.of(a.plain.points, b.exact.points)[1]
            found = self.judge.check(
                "forward", left.where[2], (left.name, right.name),
                (left.value, None if exact_a is None else exact_a.value),
                (pair.turn(right.value), None if exact_b is None else pair.turn(exact_b.value)),
                kind="" if left.where[2] == "input" else left.kind, settings=(left.settings, right.settings),
                coarse=True,
            )  # fmt: skip
            if found is not None:
                yield found
        outputs = [(one.plain.output, None if one.exact is None else one.exact.output) for one in (a, b)]
        if (
            found := self.judge.check("forward", "output", ("output", "output"), outputs[0], outputs[1], coarse=True)
        ) is not None:
            yield found

    def _low(self, left: Point, right: Point) -> Divergence | None:
        """A layer that computes at lower precision on one side."""
        kinds = left.dtype, right.dtype
        if kinds[0] == kinds[1] or "" in kinds or not left.cell or not _LOW & set(kinds):
            return None
        sizes = _ROUNDING.get(kinds[0], 0.0), _ROUNDING.get(kinds[1], 0.0)
        return self.judge.told(
            "precision", left.where[2], (left.name, right.name), (max(sizes), min(sizes)), kind=left.kind,
            values=kinds, settings=(left.settings, right.settings),
        )  # fmt: skip

    def _loss(self, a: Both, b: Both) -> Iterator[Divergence]:
        losses = [
            (np.array([one.plain.loss]), None if one.exact is None else np.array([one.exact.loss])) for one in (a, b)
        ]
        found = self.judge.check(
            "loss", "value", ("loss", "loss"), losses[0], losses[1], values=(a.plain.loss, b.plain.loss)
        )
        if found is not None:
            yield found
        grads = [(o.plain.output_gradient, None if o.exact is None else o.exact.output_gradient) for o in (a, b)]
        if (
            found := self.judge.check("loss", "gradient by the output", ("output", "output"), grads[0], grads[1])
        ) is not None:
            yield found

    def _gradients(self, a: Both, b: Both) -> Iterator[Divergence]:
        for stage, part in (("backward", "gradients"), ("regularization", "regularized")):
            # Backwards: the gradient of a later layer is computed first.
            for mine, theirs, tensor in reversed(list(self._tensors())):
                if tensor in STATISTICS:
                    continue
                left, right = self._taken(a, mine, tensor, part), self._taken(b, theirs, tensor, part)
                if part == "gradients" and self._noise(left, right) > 1 / FACTOR:
                    self.unseen.add(f"{mine.name}.{tensor}")
                if f"{mine.name}.{tensor}" in self.unseen:
                    continue
                name = (f"{mine.name}.{tensor}", f"{theirs.name}.{tensor}")
                if (found := self.judge.pair(stage, "gradient", name, left, right, kind=mine.kind)) is not None:
                    yield found

    def _rate(self, a: Seen, b: Seen) -> Iterator[Divergence]:
        self.judge.count += 1
        apart = abs(a.learning_rate - b.learning_rate) / max(abs(a.learning_rate), abs(b.learning_rate), 1e-300)
        if apart > _SAME_RATE:
            values = a.learning_rate, b.learning_rate
            yield self.judge.told(
                "optimizer", "learning_rate", ("optimizer", "optimizer"), (apart, _SAME_RATE), values=values
            )

    def _state(self, a: Both, b: Both) -> Iterator[Divergence]:
        if not (_moved(a.plain) and _moved(b.plain)):  # a batch of several that make a step
            return
        kept = [{name for name, arrays in one.plain.state.items() if arrays} for one in (a, b)]
        if kept[0] != kept[1]:
            kinds = sorted(kept[0]), sorted(kept[1])
            yield self.judge.told("optimizer", "state", ("optimizer", "optimizer"), (1.0, 0.0), values=kinds)
        for name in sorted(kept[0] & kept[1]):
            for mine, theirs, tensor in self._seen_tensors():
                left = self._taken_state(a, mine, tensor, name)
                right = self._taken_state(b, theirs, tensor, name)
                names = (f"{mine.name}.{tensor}", f"{theirs.name}.{tensor}")
                if (found := self.judge.pair("optimizer", name, names, left, right, kind=mine.kind)) is not None:
                    yield found

    def _updates(self, a: Both, b: Both) -> Iterator[Divergence]:
        rules = {self._a.side.rule, self._b.side.rule}
        across = self._a.side.framework != self._b.side.framework
        floor = ADAM_FLOOR if across and rules & _ADAMS else 0.0
        for mine, theirs, tensor in self._seen_tensors():
            left, right = (self._taken(o, c, tensor, "updates", summed=True) for o, c in ((a, mine), (b, theirs)))
            name = (f"{mine.name}.{tensor}", f"{theirs.name}.{tensor}")
            found = self.judge.pair("optimizer", "update", name, left, right, kind=mine.kind, floor=floor)
            if found is not None:
                yield found

    def _statistics(self, a: Both, b: Both) -> Iterator[Divergence]:
        for mine, theirs, tensor in self._tensors():
            if tensor not in STATISTICS:
                continue
            left, right = self._taken(a, mine, tensor, "updates"), self._taken(b, theirs, tensor, "updates")
            name = (f"{mine.name}.{tensor}", f"{theirs.name}.{tensor}")
            found = self.judge.pair("eval", "statistic", name, left, right, kind=mine.kind,
                                    settings=(mine.settings, theirs.settings))  # fmt: skip
            if found is None:
                continue
            known = self._unbiased(found, mine, a.plain, (left[0], right[0]))
            if known is None:
                yield found
            elif not any(one.name == known.name for one in self.conventions):
                self.conventions.append(known)

    def _unbiased(self, found: Divergence, cell: Cell, seen: Seen, moved: Measured) -> Divergence | None:
        """The running variance with n - 1 on one side: what n says, if that explains the difference."""
        point = next((p for p in seen.points if p.where == (cell.name, 0, "input")), None)
        memory = _memory(cell.settings, self._a.side.framework)
        after = cell.slots["moving_variance"].take(self._a.side.weights())
        if not found.name[0].endswith("moving_variance") or None in (point, memory) or after is None:
            return None
        if moved[0] is None or moved[1] is None or point is None or memory is None:
            return None
        n = point.value.size // after.size
        before = after - moved[0]
        one, other = (part + memory * before for part in moved if part is not None)
        off = min(distance(one, other * (n / (n - 1))), distance(other, one * (n / (n - 1)))) if n > 1 else 1.0
        if off > max(found.tolerance, 1e-5) or off > 0.1 / n:
            return None
        note = f"variance over n - 1 on one side, n = {n}"
        return replace(found, distance=1 / (n - 1), note=note)

    # -- tensors -------------------------------------------------------------------------------

    def _tensors(self) -> Iterator[tuple[Cell, Cell, str]]:
        for a, b in self._pairs:
            yield from ((a, b, tensor) for tensor in a.slots if tensor in b.slots)

    def _seen_tensors(self) -> Iterator[tuple[Cell, Cell, str]]:
        return (one for one in self._tensors()
                if one[2] not in STATISTICS and f"{one[0].name}.{one[2]}" not in self.unseen)  # fmt: skip

    @staticmethod
    def _taken(one: Both, cell: Cell, tensor: str, what: str, *, summed: bool = False) -> Measured:
        slot = cell.slots[tensor]
        exact = None if one.exact is None else slot.take(getattr(one.exact, what), summed=summed)
        return slot.take(getattr(one.plain, what), summed=summed), exact

    @staticmethod
    def _taken_state(one: Both, cell: Cell, tensor: str, name: str) -> Measured:
        slot = cell.slots[tensor]
        root = np.sqrt if "second_moment" in name else np.asarray
        found = [None if seen is None else slot.take(seen.state.get(name, {})) for seen in (one.plain, one.exact)]
        turned: list[F64 | None] = [None if value is None else root(value) for value in found]
        return turned[0], turned[1]

    @staticmethod
    def _noise(*sides: Measured) -> float:
        found = [distance(plain, exact) for plain, exact in sides if plain is not None and exact is not None]
        return max(found, default=0.0)


def _moved(seen: Seen) -> bool:
    return any(update.any() for update in seen.updates.values())


def _memory(settings: Mapping[str, Any], framework: str) -> float | None:
    """What part of a batch's statistic enters the running one."""
    momentum = settings.get("momentum")
    if not isinstance(momentum, float):
        return None
    return momentum if framework == "torch" else 1 - momentum

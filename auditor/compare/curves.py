"""The scalars of a run, read from the store one by one as a comparison asks for them.

A run tells more scalars than any one comparison looks at (the time of each step, the parts of its loss, the
share of dead units of each layer), and reading is the larger part of what a comparison of long runs costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from auditor.compare.trajectories import Curve

#: Steps at a run's end that are read where its end alone is asked for; more if nothing finite stands there.
_TAIL: Final = 1000


class ScalarStore(Protocol):
    """What is asked of the store (``auditor.store.Store`` has it)."""

    def scalar_names(self, run: str) -> list[str]:
        """Names of the run's scalars."""

    def scalars(self, run: str, names: Iterable[str] | None = None, *, after: int | None = None) -> Mapping[str, Any]:
        """Scalars of the run as series (``steps``, ``values``)."""


class Curves(Mapping[str, Curve]):
    """Curves of one run by name. The names are read at once, each curve when it is first looked up.

    Args:
        store: where they are.
        run: whose.
        last_step: the last step of the run, None where that is not known.
    """

    def __init__(self, store: ScalarStore, run: str, last_step: int | None = None) -> None:
        self._store, self._run, self._last_step = store, run, last_step
        self._found: dict[str, Curve | None] = dict.fromkeys(store.scalar_names(run))

    def __getitem__(self, name: str) -> Curve:
        found = self._found[name]
        if found is None:
            series = self._store.scalars(self._run, [name])[name]
            found = self._found[name] = Curve(series.steps, series.values)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._found  # without a look at the values, as the default would take

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def last_finite(self, name: str) -> float | None:
        """The last finite value of a curve, or None; a long curve is not read for it."""
        if self._found[name] is None and self._last_step is not None:
            end = self._store.scalars(self._run, [name], after=self._last_step - _TAIL).get(name)
            found = Curve(end.steps, end.values).last_finite if end is not None else None
            if found is not None:
                return found
        return self[name].last_finite


def last_finite(curves: Mapping[str, Curve], name: str) -> float | None:
    """The last finite value of one of these, or None."""
    return curves.last_finite(name) if isinstance(curves, Curves) else curves[name].last_finite

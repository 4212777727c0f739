"""What earlier runs of the same project say of the noise between seeds."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from auditor.compare import manifests
from auditor.compare.endings import SAME_LENGTH, ending, tail_after
from auditor.compare.side import RunStore, Side, manifest_of
from auditor.compare.statistics import Prior, borrowed
from auditor.compare.trajectories import Curve

#: Runs of a project that are looked at, the latest.
_RUNS: Final = 60
#: An earlier run's end is of the same kind if it is within this factor of the runs compared.
_NEAR: Final = 10.0


def priors(store: RunStore, sides: Sequence[Side], names: Sequence[str]) -> dict[str, Prior]:
    """By metric, the variance between seeds of runs that are not compared, where they are enough to say.

    Seeds are runs of one configuration, framework and length whose initial weights differ: a script run
    twice with the same seed says nothing of seeds. Only ends near those of ``sides`` count.

    Args:
        store: where they lie.
        sides: the runs compared.
        names: end metrics.
    """
    compared = {side.run for side in sides}
    lengths = [side.last_step for side in sides if side.last_step]
    if not lengths:
        return {}
    found: dict[str, dict[str, dict[str, float]]] = {name: defaultdict(dict) for name in names}
    for record in _earlier(store, {side.project for side in sides}, compared):
        if not record.last_step or not _same_length(record.last_step, lengths):
            continue
        manifest = manifest_of(store, record.run)
        if manifest is None:
            continue
        key, draw = f"{record.framework} {record.last_step} {_configuration(manifest)}", _draw(manifest, record.run)
        for name, value in _ends(store, record, names).items():
            if value > 0:
                found[name][key].setdefault(draw, math.log(value))
    own = {name: [e for side in sides if (e := _own(side, name))] for name in names}
    told = {name: borrowed(list(_near(groups.values(), own[name]))) for name, groups in found.items()}
    return {name: prior for name, prior in told.items() if prior is not None}


def _earlier(store: RunStore, projects: Iterable[str], compared: set[str]) -> list[Any]:
    listed = [record for project in sorted(projects) for record in store.runs(project=project, limit=_RUNS)]
    return [record for record in listed if record.run not in compared and str(record.status) == "finished"]


def _same_length(steps: int, lengths: Sequence[int]) -> bool:
    return any(abs(steps - length) <= SAME_LENGTH * max(steps, length) for length in lengths)


def _configuration(manifest: Mapping[str, Any]) -> str:
    flat = manifests.canonical(manifest)
    kept = {key: value for key, value in flat.items() if key.partition(".")[0] not in manifests.SURROUNDINGS}
    return json.dumps(kept, sort_keys=True, default=str)


def _draw(manifest: Mapping[str, Any], run: str) -> str:
    """What tells one draw of the initial weights from another; the run itself where nothing does."""
    observed = manifest.get("observed")
    weights = observed.get("weights") if isinstance(observed, Mapping) else None
    return json.dumps(weights, sort_keys=True, default=str) if weights else run


def _ends(store: RunStore, record: Any, names: Sequence[str]) -> dict[str, float]:
    """Ends of an earlier run; of a training loss only the last part is read."""
    after = tail_after(record.last_step) if list(names) == ["loss"] else None
    series = store.scalars(record.run, names, after=after)
    ends = {name: ending(Curve(found.steps, found.values), name) for name, found in series.items()}
    return {name: end for name, end in ends.items() if end is not None}


def _own(side: Side, name: str) -> float | None:
    return ending(side.curves[name], name) if name in side.curves else None


def _near(groups: Iterable[Mapping[str, float]], own: Sequence[float]) -> Iterable[list[float]]:
    reach = math.log(_NEAR)
    logs = [math.log(value) for value in own if value > 0]
    for group in groups:
        values = list(group.values())
        middle = sum(values) / len(values)
        if any(abs(middle - log) <= reach for log in logs):
            yield values

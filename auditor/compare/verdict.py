"""What can be said of two runs, or of two groups of runs with different seeds, and no more than that.

Two healthy runs of one program with different seeds differ in every number. Whether the outcomes differ is
therefore a question of statistics (``outcome``); one run per side rarely answers it. What the two *compute*
is another matter: it is read off their recordings (``profile``), and a difference that changes their steps
in a way that matters is a mismatch, whatever the curves look like (``causes``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from auditor.compare import causes, continued, endings, history, manifests, releases, restarted, spelling
from auditor.compare.causes import Diagnosis
from auditor.compare.outcome import Known, Outcome, metrics_json, outcome
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause
from auditor.compare.side import RunStore, Side, UnknownRunError, read_side
from auditor.compare.statistics import Prior
from auditor.compare.together import Together, together, worst
from auditor.compare.trajectories import POINTS, as_json, columns, thin

__all__ = ["Side", "UnknownRunError", "compare", "compare_groups", "compare_runs"]

#: Curves drawn side by side; others only appear among the metrics.
_DRAWN = ("loss", "grad_norm")
#: Tested metrics that are drawn beside them, at most.
_TESTED_DRAWN: Final = 2
#: Seeds a side up to which runs are looked at in pairs: each is identified anew.
_PAIRED: Final = 16
#: Stages whose causes make the training loss another quantity.
_OTHER_LOSS: Final = frozenset({"loss", "regularization", "reporting"})


def _none(_: Sequence[str]) -> Mapping[str, Prior]:
    return {}


def compare_runs(store: RunStore, a: str, b: str) -> dict[str, Any]:
    """The comparison of two runs: the [C] JSON of ``auditor compare``.

    Args:
        store: where both runs lie.
        a: run id of one side, the reference of every ratio.
        b: run id of the other.

    Raises:
        UnknownRunError: if the store lacks one of them.
    """
    return compare_groups(store, [a], [b])


def compare_groups(store: RunStore, a: Sequence[str], b: Sequence[str]) -> dict[str, Any]:
    """The comparison of two groups of runs, each of one program with different seeds.

    The first run of each group speaks for what its program computes; all of them for the outcome.

    Raises:
        UnknownRunError: if the store lacks one of them.
    """
    left, right = ([read_side(store, run) for run in runs] for runs in (a, b))
    return compare(left, right, lambda names: history.priors(store, [*left, *right], names))


def compare(
    a: Side | Sequence[Side], b: Side | Sequence[Side], priors: Callable[[Sequence[str]], Mapping[str, Prior]] = _none
) -> dict[str, Any]:
    """The comparison of two sides, as JSON; ``priors``: what is known of the noise in end metrics."""
    group_a, group_b = ([side] if isinstance(side, Side) else list(side) for side in (a, b))
    group_a, group_b = _begun_anew(group_a, group_b[0]), _begun_anew(group_b, group_a[0])
    first_a, first_b = group_a[0], group_b[0]
    reasons: list[str] = []
    profile_a, profile_b = first_a.profile(), first_b.profile()
    found = causes.diagnose(profile_a, profile_b)
    listed = _differences(first_a, first_b)
    differing = spelling.told_apart(listed, profile_a, profile_b, found)
    configuration = _configuration(first_a, first_b, differing, reasons)
    if any(cause.how == "measured" for cause in found.causes):
        configuration = "differs"
    same = configuration == "same" and not any(item["configuration"] for item in listed)
    ended = outcome(group_a, group_b, _known(group_a, group_b, found, same, priors))
    alike = _alike((group_a, profile_a), (group_b, profile_b), found, ended)
    if alike is not None:
        ended.word, ended.reasons = "equivalent", [alike.reason]
    if ended.identical or alike is not None:  # where every number is the same nothing that differs does
        found = Diagnosis((), (*found.causes, *found.harmless))
    explained = _explained(first_a, first_b, found)
    reasons = [*explained, *ended.reasons, *reasons] if found.matters else [*ended.reasons, *explained, *reasons]
    reasons += releases.doubts(found.causes, (first_a, first_b))
    sides = (*group_a, *group_b)
    reasons += [said for side in sides for said in (restarted.note(side), continued.note(side)) if said is not None]
    return {
        "verdict": _verdict(found, ended),
        "configuration": configuration,
        "outcome": ended.word,
        "first_divergence": _divergence(found, ended.broke),
        "causes": [
            causes.as_json(
                cause, (first_a.framework, first_b.framework), found.follows.get((cause.id, cause.parameter), ())
            )
            for cause in found.causes
        ],
        "harmless": [_harmless(cause) for cause in found.harmless],
        "metrics": metrics_json(group_a, group_b, ended),
        "a": _who(group_a),
        "b": _who(group_b),
        "reasons": reasons,
        "differences": differing,
        "not_compared": manifests.not_compared(first_a.manifest, first_b.manifest)
        if first_a.manifest and first_b.manifest
        else [],
        "trajectories": _trajectories(group_a, group_b, ended),
    }


def _begun_anew(group: Sequence[Side], other: Side) -> list[Side]:
    whole = [continued.described(side) for side in group]
    return [continued.first_training(restarted.begun_anew(side, other), other) for side in whole]


def _alike(
    a: tuple[Sequence[Side], Profile], b: tuple[Sequence[Side], Profile], found: Diagnosis, ended: Outcome
) -> Together | None:
    """Whether each run of one side took the same steps as one of the other; not asked where something was measured.

    Several seeds a side are compared in pairs of one beginning, whatever order they come in.
    """
    if len(a[0]) != len(b[0]) or len(a[0]) > _PAIRED or ended.identical or ended.word != "inconclusive":
        return None
    if any(cause.how == "measured" for cause in found.causes):
        return None
    left, rest = ([(side, side.profile() if at else first) for at, side in enumerate(group)] for group, first in (a, b))
    pairs: list[Together] = []
    for one in left:
        at, same = next(((at, same) for at, other in enumerate(rest) if (same := together(one, other))), (0, None))
        if same is None:
            return None
        rest.pop(at)
        pairs.append(same)
    return worst(pairs)


def _trajectories(a: Sequence[Side], b: Sequence[Side], ended: Outcome) -> dict[str, Any]:
    """The curves of the first runs side by side, and beside them those of the others."""
    tested = [name for name in ended.tests if name not in _DRAWN][:_TESTED_DRAWN]
    names = [name for name in (*_DRAWN, *tested) if name in a[0].curves and name in b[0].curves]
    return {
        name: as_json(a[0].curves[name], b[0].curves[name])
        | {"others": {side: _others(name, group[1:]) for side, group in (("a", a), ("b", b))}}
        for name in names
    }


def _others(name: str, group: Sequence[Side]) -> list[dict[str, Any]]:
    """One curve of the further runs of a group, thinned."""
    return [columns(thin(side.curves[name], POINTS // 4)) for side in group if name in side.curves]


def _verdict(found: Diagnosis, ended: Outcome) -> str:
    if found.matters or ended.word == "differs":
        return "mismatch"
    return "equivalent" if ended.word == "equivalent" else "inconclusive"


def _known(
    a: Sequence[Side],
    b: Sequence[Side],
    found: Diagnosis,
    same: bool,
    priors: Callable[[Sequence[str]], Mapping[str, Prior]],
) -> Known:
    loss = not any(causes.stage(cause) in _OTHER_LOSS for cause in found.causes)
    names = endings.metrics([side.curves for side in (*a, *b)], loss=loss)
    return Known(loss, same and not found.causes, priors(names) if names else {})


def _explained(a: Side, b: Side, found: Diagnosis) -> list[str]:
    """What the diagnosis adds to the reasons."""
    if found.matters:
        first = found.causes[0]
        return [f"{first.id}, {first.how}: {first.effect}"]
    if found.causes:
        return [_unclaimed(found.causes)]
    if a.recordings and b.recordings:
        return ["nothing that was measured in the first steps differs in a way that matters"]
    return []


def _unclaimed(listed: Sequence[Cause]) -> str:
    """Why nothing of what differs makes a mismatch."""
    if all(cause.chance for cause in listed):
        return "what differs may be the seed's doing: it is told, and makes no mismatch"
    if all(cause.how == "declared" for cause in listed):
        return "what differs is declared, and no recorded number shows that it acts: it makes no mismatch"
    return "what was measured to differ changes the steps too little to call it a mismatch"


def _divergence(found: Diagnosis, broke: dict[str, Any] | None) -> dict[str, Any] | None:
    """Where the two part first: at the earliest cause that matters; without one, where one of them broke."""
    first = found.earliest
    return broke if first is None else {"stage": causes.stage(first), "step": first.step}


def _harmless(cause: Cause) -> dict[str, Any]:
    told = {"id": cause.id, "why": f"{cause.parameter} differs: {cause.effect}"}
    return told | {"parameter": cause.parameter, "a": cause.values[0], "b": cause.values[1], "how": cause.how}


def _who(group: Sequence[Side]) -> dict[str, Any]:
    side = group[0]
    told = {"run": side.run, "framework": side.framework, "status": side.status, "last_step": side.last_step}
    return told | {"runs": [one.run for one in group]}


def _differences(a: Side, b: Side) -> list[dict[str, Any]]:
    found = []
    if a.framework != b.framework:
        entry = {"parameter": "framework", "a": a.framework, "b": b.framework, "how": "declared"}
        found.append(entry | {"configuration": False})
    if a.manifest is not None and b.manifest is not None:
        listed = manifests.differences(_named(a), _named(b))
        found += [item for item in listed if item["parameter"] != "framework"]
    return found


def _named(side: Side) -> dict[str, Any]:
    return {**(side.manifest or {}), "framework": side.framework}


def _configuration(a: Side, b: Side, differing: Sequence[Mapping[str, Any]], reasons: list[str]) -> str | None:
    """``same`` or ``differs``; None if a side declares nothing, so that nobody can know."""
    silent = [side.run for side in (a, b) if side.manifest is None]
    if silent:
        reasons.append(f"no manifest from {' and '.join(silent)}: the configurations cannot be compared")
        return None
    return "differs" if any(item["configuration"] for item in differing) else "same"

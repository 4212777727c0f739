"""The benchmark's tables: per rule, per split and framework, and beside the alternatives."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from detecting.outcome import Outcome
from tests.zoo.index import REPORTING_SEEDS

Outcomes = Sequence[Outcome]


def share(part: int, whole: int) -> str:
    """``part/whole`` and what that is in per cent."""
    return f"{part}/{whole} {100 * part / whole:3.0f} %" if whole else "-"


def group(outcome: Outcome) -> str:
    """Which programs and seeds a run belongs to."""
    seeds = "reporting" if outcome.case.seed in REPORTING_SEEDS else "tuning"
    return f"{outcome.case.program.split} programs, {seeds} seeds"


def overall(outcomes: Outcomes) -> list[str]:
    """Recall, rightness and false alarms by split and framework."""
    lines = [f"{'':40} {'found':>14} {'right in 2':>14} {'false: twins':>14} {'false: odd':>14}"]
    by_group: dict[str, list[Outcome]] = defaultdict(list)
    for item in outcomes:
        by_group[group(item)].append(item)
        by_group[f"{group(item)}, {item.case.program.framework}"].append(item)
    if len({group(item) for item in outcomes}) > 1:
        by_group["all"] = list(outcomes)
    for name in sorted(by_group):
        faulty, twins, odd = _parts(by_group[name])
        cells = [
            share(sum(bool(o.said) for o in faulty), len(faulty)),
            share(sum(o.right is not None for o in faulty), len(faulty)),
            share(sum(bool(o.said) for o in twins), len(twins)),
            share(sum(bool(o.said) for o in odd), len(odd)),
        ]
        lines.append(f"{name:40} " + " ".join(f"{cell:>14}" for cell in cells))
    return lines


def _parts(outcomes: Iterable[Outcome]) -> tuple[list[Outcome], list[Outcome], list[Outcome]]:
    faulty, twins, odd = [], [], []
    for item in outcomes:
        (faulty if item.case.faulty else twins if item.case.program.fault else odd).append(item)
    return faulty, twins, odd


def per_rule(outcomes: Outcomes) -> list[str]:
    """Each fault's recall and steps to detection, each rule's false alarms."""
    faulty = [item for item in outcomes if item.case.faulty]
    healthy = [item for item in outcomes if not item.case.faulty]
    false = Counter(alert.rule for item in healthy for alert in item.said)
    wrong = Counter(a.rule for o in faulty for a in o.said[:1] if a.rule not in o.case.program.expected)
    lines = [
        f"{'rule':32} {'found':>14} {'named':>14} {'right in 2':>14} {'step':>6} {'false alarms':>14} {'astray':>6}"
    ]
    for rule in sorted({o.case.program.fault or "" for o in faulty} | set(false) | set(wrong)):
        mine = [item for item in faulty if item.case.program.fault == rule]
        steps = [item.right.first_step for item in mine if item.right is not None]
        lines.append(
            f"{rule:32} {share(sum(bool(o.said) for o in mine), len(mine)):>14}"
            f" {share(sum(o.named for o in mine), len(mine)):>14}"
            f" {share(sum(o.right is not None for o in mine), len(mine)):>14}"
            f" {f'{np.median(steps):.0f}' if steps else '-':>6}"
            f" {share(false[rule], len(healthy)):>14} {wrong[rule] or '-':>6}"
        )
    lines.append(
        "found: any alert; named: the expected rule among all alerts; step: median first step of the right one;"
    )
    lines.append("astray: first alert of a faulty run whose fault it does not name")
    return lines


def alternatives(outcomes: Outcomes) -> list[str]:
    """Ours and the others by the same three numbers; pairs: same program and seed, faulty and twin."""
    speakers: dict[str, Callable[[Outcome], bool]] = {"Training Auditor": lambda o: bool(o.said)}
    for name in outcomes[0].others if outcomes else ():
        speakers[name] = lambda o, name=name: o.others[name] is not None  # type: ignore[misc]  # bound early
    faulty, twins, odd = _parts(outcomes)
    twin_of = {(o.case.program.name, o.case.seed): o for o in twins}
    pairs = [(o, twin_of[key]) for o in faulty if (key := (o.case.program.name, o.case.seed)) in twin_of]
    lines = [f"{'detector':32} {'pairs told':>16} {'faulty found':>16} {'fires on twins':>16} {'fires on odd':>16}"]
    for name, speaks in speakers.items():
        cells = [
            share(sum(speaks(bad) and not speaks(good) for bad, good in pairs), len(pairs)),
            share(sum(map(speaks, faulty)), len(faulty)),
            share(sum(map(speaks, twins)), len(twins)),
            share(sum(map(speaks, odd)), len(odd)),
        ]
        lines.append(f"{name:32} " + " ".join(f"{cell:>16}" for cell in cells))
    return lines


def complaints(outcomes: Outcomes) -> list[str]:
    """Every false alarm, every miss, every fault that was called by another name."""
    lines = []
    for item in outcomes:
        said = ", ".join(f"{alert.rule}@{alert.first_step}" for alert in item.said[:4])
        if not item.case.faulty and item.said:
            lines.append(f"false alarm  {item.case.label:46} {said}: {item.said[0].summary[:110]}")
        elif item.case.faulty and item.right is None:
            said = said or ("-" if item.steps else "nothing was recorded,")
            expected = "|".join(sorted(item.case.program.expected))
            lines.append(f"{'misnamed' if item.said else 'missed':12} {item.case.label:46} {said} not {expected}")
    return sorted(lines)

"""``auditor parity``: two implementations of one training in lockstep."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console

from auditor.cli.options import check_option, echo_json, json_option
from auditor.cli.problems import FOUND, Problem
from auditor.cli.render import console, facts, lines, word


@click.command("parity", short_help="Run two implementations in lockstep: the first part that differs.")
@click.argument("a")
@click.argument("b")
@click.option("--steps", type=click.IntRange(1), default=20, show_default=True, help="Steps to compare.")
@click.option("--python-a", metavar="PYTHON", help="Run A in a process of its own, under this interpreter.")
@click.option("--python-b", metavar="PYTHON", help="Run B in a process of its own, under this interpreter.")
@click.option("--fix", is_flag=True, help="Print the lines of code that make B equal to A.")
@check_option
@json_option
def command(
    a: str, b: str, steps: int, *, python_a: str | None, python_b: str | None, fix: bool, check: bool, as_json: bool
) -> None:
    """Run A and B, each FILE.py:FUNCTION, step by step on the same weights and batches.

    FUNCTION takes no argument and returns (model, optimizer, loss[, batches]) or a dict with those names; see
    docs/parity.md. Layers are aligned and A's weights transplanted; every part of a step is compared with what
    rounding explains. Both run in this process, unless --python-a or --python-b names an interpreter of another
    environment. With --check, exit with 1 if a part differs.
    """
    found = compare((a, python_a), (b, python_b), steps)
    if as_json:
        echo_json(found)
    elif fix:
        click.echo("\n".join(found["fix"]) or "# nothing to mend")
    else:
        print_outcome(console(), found)
    if check and found["verdict"] == "mismatch":
        sys.exit(FOUND)


def compare(a: tuple[str, str | None], b: tuple[str, str | None], steps: int) -> Mapping[str, Any]:
    """The outcome of a lockstep as JSON.

    Args:
        a: FILE.py:FUNCTION, and the interpreter of a process of its own; None for this process.
        b: the same of the other side.
        steps: how many steps to compare.

    Raises:
        Problem: if a program cannot be loaded, a framework is missing, or the two cannot be put side by side.
    """
    from auditor_agent.parity import Elsewhere, NotComparableError, check, load

    try:
        makes = [load(target) if python is None else Elsewhere(target, python) for target, python in (a, b)]
        from auditor.parity.report import as_json

        return as_json(check(makes[0], makes[1], steps))
    except ImportError as error:
        raise Problem(f"{error.name} is not installed", "--python-a and --python-b run a side elsewhere") from error
    except NotComparableError as error:
        raise Problem(str(error), "see docs/parity.md for what make returns") from error


def print_outcome(out: Console, found: Mapping[str, Any]) -> None:
    """Prints verdict, first divergence, cause and the lines that mend it."""
    sides = f"{found['a']['framework']} and {found['b']['framework']}"
    rows: list[tuple[str, Any]] = [
        ("verdict", word(found["verdict"])),
        ("compared", f"{sides}, {len(found['aligned'])} layers aligned, {found['comparisons']} comparisons"),
        ("because", lines(found["reasons"])),
    ]
    rows += [("cause", lines(_cause(one))) for one in found["causes"]]
    rows += [("harmless", f"{one['id']}  {one['why']} ({one['parameter']})") for one in found["harmless"]]
    if found["unseen"]:
        rows.append(("left out", f"{', '.join(found['unseen'])}: the loss cannot see them"))
    if found["fix"] and found["causes"]:
        rows.append(("fix", lines(found["fix"])))
    out.print(facts(rows))


def _cause(one: Mapping[str, Any]) -> list[str]:
    return [
        f"{one['id']}  {one['title']}",
        f"{one['parameter']}: {one['a']} and {one['b']}",
        f"auditor causes show {one['id']}",
    ]

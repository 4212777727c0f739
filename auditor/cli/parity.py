"""``auditor parity``: two implementations of one training in lockstep."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from auditor.cli.options import check_option, echo_json, json_option
from auditor.cli.problems import FOUND, Problem
from auditor.cli.render import clean, console, facts, word


@click.command("parity", short_help="Run two implementations in lockstep: the first part that differs.")
@click.argument("a")
@click.argument("b")
@click.option("--steps", type=click.IntRange(1), default=20, show_default=True, help="Steps to compare.")
@click.option("--fix", is_flag=True, help="Print the lines of code that make B equal to A.")
@check_option
@json_option
def command(a: str, b: str, steps: int, *, fix: bool, check: bool, as_json: bool) -> None:
    """Run A and B, each FILE.py:FUNCTION, step by step on the same weights and batches.

    FUNCTION takes no argument and returns (model, optimizer, loss[, batches]) or a dict with those names; see
    docs/parity.md. Layers are aligned and A's weights transplanted; every part of a step is compared with what
    rounding explains. With --check, exit with 1 if a part differs.
    """
    found = compare(a, b, steps)
    if as_json:
        echo_json(found)
    elif fix:
        click.echo("\n".join(found["fix"]) or "# nothing to mend")
    else:
        print_outcome(console(), found)
    if check and found["verdict"] == "mismatch":
        sys.exit(FOUND)


def compare(a: str, b: str, steps: int) -> Mapping[str, Any]:
    """The outcome of a lockstep as JSON.

    Raises:
        Problem: if a program cannot be loaded, a framework is missing, or the two cannot be put side by side.
    """
    makes = [load(one) for one in (a, b)]
    try:
        from auditor.parity.report import as_json
        from auditor_agent.parity import NotComparableError, check
    except ImportError as error:
        raise Problem(f"{error.name} is not installed") from error
    try:
        return as_json(check(makes[0], makes[1], steps))
    except NotComparableError as error:
        raise Problem(str(error), "see docs/parity.md for what make returns") from error


def load(target: str) -> Callable[[], Any]:
    """The function that ``FILE.py:FUNCTION`` names.

    Raises:
        Problem: if there is no such file or function.
    """
    name, _, function = target.rpartition(":")
    path = Path(name)
    if not name or not path.is_file():
        raise Problem(f"no program {target!r}", "write FILE.py:FUNCTION, for example model.py:make")
    spec = importlib.util.spec_from_file_location(f"parity_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise Problem(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    found: Callable[[], Any] | None = getattr(module, function, None)
    if not callable(found):
        raise Problem(f"{path} has no function {function!r}")
    return found


def print_outcome(out: Console, found: Mapping[str, Any]) -> None:
    """Prints verdict, first divergence, cause and the lines that mend it."""
    sides = f"{found['a']['framework']} and {found['b']['framework']}"
    rows = [
        ("verdict", word(found["verdict"])),
        ("compared", f"{sides}, {len(found['aligned'])} layers aligned, {found['comparisons']} comparisons"),
        ("because", clean("\n".join(found["reasons"]))),
    ]
    rows += [("cause", clean(f"{one['id']}  {one['title']}\n{one['parameter']}: {one['a']} and {one['b']}\n"
                            f"auditor causes show {one['id']}"))
             for one in found["causes"]]  # fmt: skip
    rows += [("harmless", clean(f"{one['id']}  {one['why']} ({one['parameter']})")) for one in found["harmless"]]
    if found["unseen"]:
        rows.append(("left out", clean(f"{', '.join(found['unseen'])}: the loss cannot see them")))
    if found["fix"] and found["causes"]:
        rows.append(("fix", clean("\n".join(found["fix"]))))
    out.print(facts(rows))

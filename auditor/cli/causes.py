"""``auditor causes``: known differences between frameworks, by symptom, with the line that aligns them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from auditor.cli.options import echo_json, json_option
from auditor.cli.problems import Problem
from auditor.cli.render import console, facts, table

if TYPE_CHECKING:
    from auditor.compare.catalogue import Entry

_COLUMNS = (("cause", "left"), ("stage", "left"), ("symptom", "left"))


@click.group("causes", short_help="Why frameworks differ: known causes by symptom, with the fix.")
def command() -> None:
    """Why frameworks differ: known causes by symptom, with the fix."""


@command.command("list", short_help="List the causes that every one of WORDS occurs in; all without words.")
@click.argument("words", nargs=-1)
@json_option
def listing(words: tuple[str, ...], *, as_json: bool) -> None:
    """List the causes that every one of WORDS occurs in; all without words."""
    from auditor.compare.catalogue import entry
    from auditor.compare.catalogue.pages import matching

    told = [_told(entry(name)) for name in matching(" ".join(words))]
    if as_json:
        echo_json({"causes": told})
        return
    if not told:
        raise Problem(f"no cause speaks of {' '.join(words)}", "auditor causes list shows them all.")
    console().print(table(_COLUMNS, [[one["id"], one["stage"], one["symptom"]] for one in told]))


@command.command("show", short_help="Show one cause: what one sees, why, and how to align.")
@click.argument("cause")
@json_option
def show(cause: str, *, as_json: bool) -> None:
    """Show one cause: what one sees, why, and how to align."""
    from auditor.compare.catalogue import entries

    found = entries().get(cause.upper())
    if found is None:
        close = difflib.get_close_matches(cause.upper(), entries(), 1)
        hint = f"did you mean {close[0]}?" if close else "auditor causes list shows them all."
        raise Problem(f"no cause {cause}", hint)
    told = _told(found)
    if as_json:
        echo_json(told)
    else:
        _print(told)


def _told(entry: Entry) -> dict[str, Any]:
    from auditor.compare.catalogue.pages import page

    words = page(entry.id)
    return {
        "id": entry.id,
        "stage": entry.stage,
        "title": entry.title,
        "symptom": words.symptom,
        "kind": list(words.kind),
        "see": words.see,
        "why": words.why,
        "says": dict(entry.says),
        "fix": dict(entry.fix) or {"any": entry.align},
        "effect": entry.effect,
        "numbers": entry.numbers,
        "declared": entry.declared,
        "parameters": list(entry.parameters),
        "versions": dict(entry.versions),
        "evidence": entry.evidence,
        "page": entry.page,
    }


def _print(told: Mapping[str, Any]) -> None:
    out = console()
    out.print(Text(told["symptom"], "bold"))
    out.print()
    out.print(facts([("cause", told["id"]), ("what", told["title"]), ("stage", told["stage"])]))
    for title, name in (("What you see", "see"), ("Why", "why")):
        out.print()
        out.print(Text(title, "bold"))
        out.print(Text(told[name]))
    for title, rows in (("What each does by itself", told["says"]), ("To align", told["fix"])):
        if rows:
            out.print()
            out.print(Text(title, "bold"))
            out.print(facts([(name, Text(text)) for name, text in rows.items()]))
    out.print()
    stated = ", ".join(f"{name} {bounds}" for name, bounds in told["versions"].items())
    out.print(facts([("effect", told["effect"]), ("found by", told["numbers"]), ("stated for", stated),
                     ("page", told["page"])]))  # fmt: skip

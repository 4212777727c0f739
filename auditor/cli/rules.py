"""``auditor rules``: what is looked for, from which evidence, with which thresholds here."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from auditor.cli.options import echo_json, json_option
from auditor.cli.problems import Problem
from auditor.cli.render import console, facts, number, table, word

if TYPE_CHECKING:
    from auditor.detect.rule import Rule

_COLUMNS = (("rule", "left"), ("severity", "left"), ("tuned", "left"), ("meaning", "left"))
_Given = Mapping[str, tuple[Any, str]]


@click.group("rules", short_help="The rules: what is looked for, with which thresholds.")
def command() -> None:
    """The rules: what is looked for, with which thresholds."""


_project = click.option("--project", default="default", show_default=True, help="As runs of this project have them.")


@command.command("list", short_help="List every rule with its severity and what is tuned here.")
@_project
@json_option
def listing(project: str, *, as_json: bool) -> None:
    """List every rule with its severity and what is tuned here."""
    from auditor.detect.registry import rules, unusable

    given = _origins(project)
    told = [_told(rule, given.get(rule.id, {})) for rule in rules().values()]
    if as_json:
        echo_json({"project": project, "rules": told, "unusable": unusable()})
        return
    rows = []
    for rule in told:
        tuned = [name for name, entry in rule["parameters"].items() if entry["value"] != entry["default"]]
        changes = "muted" if rule["mute"] else ", ".join(tuned)
        rows.append([rule["rule"], word(rule["severity"]), changes, rule["meaning"]])
    console().print(table(_COLUMNS, rows))
    for entry, why in unusable().items():
        click.echo(f"auditor: {entry}: {why}", err=True)


@command.command("show", short_help="Show one rule: its evidence, thresholds and where they come from.")
@click.argument("rule")
@_project
@json_option
def show(rule: str, project: str, *, as_json: bool) -> None:
    """Show one rule: its evidence, thresholds and where they come from."""
    from auditor.detect.registry import rules, unusable

    if rule in unusable():
        raise Problem(unusable()[rule], "mend or remove its package.")
    if rule not in rules():
        close = difflib.get_close_matches(rule, rules(), 1)
        raise Problem(f"no rule {rule}", f"did you mean {close[0]}?" if close else "auditor rules list shows them all.")
    told = _told(rules()[rule], _origins(project).get(rule, {}))
    if as_json:
        echo_json({"project": project, **told})
    else:
        _print(told)


def _origins(project: str) -> dict[str, dict[str, tuple[Any, str]]]:
    from auditor.detect.tuning import Tuning, TuningError
    from auditor.settings import SettingsError, load_settings

    try:
        return Tuning(load_settings()).origins(project)
    except (SettingsError, TuningError) as error:
        raise Problem(str(error)) from error


def _told(rule: type[Rule], given: _Given) -> dict[str, Any]:
    """A rule as JSON: what it is, and its parameters with value, default and origin."""
    words = ("meaning", "needs", "trigger", "source", "phase", "advice")
    mute, severity = given.get("mute", (False, ""))[0], given.get("severity", (str(rule.severity), ""))[0]
    thresholds = dataclasses.fields(rule.Parameters)
    return {
        "rule": rule.id,
        "severity": severity,
        "mute": bool(mute),
        **{name: getattr(rule, name) for name in words},
        "likely_causes": list(rule.likely_causes),
        "consequence_of": list(rule.consequence_of),
        "parameters": {field.name: _parameter(field.default, given.get(field.name)) for field in thresholds},
        "defaults": " ".join((inspect.getdoc(rule.Parameters) or "").split()),
    }


def _parameter(default: Any, given: tuple[Any, str] | None) -> dict[str, Any]:
    value, origin = given if given is not None else (default, "default")
    return {"value": value, "default": default, "origin": origin}


def _print(told: Mapping[str, Any]) -> None:
    out = console()
    causes = ", ".join(told["consequence_of"])
    words = ("meaning", "needs", "trigger", "source", "advice")
    pairs: list[tuple[str, Any]] = [("rule", Text(told["rule"], "bold")), ("severity", word(told["severity"]))]
    pairs += [("muted", "yes")] if told["mute"] else []
    out.print(facts([*pairs, *((name, told[name]) for name in words), ("may follow from", causes)]))
    if not told["parameters"]:
        return
    columns = (("parameter", "left"), ("value", "right"), ("default", "right"), ("from", "left"))
    rows = [
        [name, number(entry["value"]), number(entry["default"]), entry["origin"]]
        for name, entry in told["parameters"].items()
    ]
    out.print()
    out.print(table(columns, rows))
    out.print()
    out.print(Text(told["defaults"], "dim"))

"""Options that several verbs share, and the values behind them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from auditor_agent import jsonfinite

_F = TypeVar("_F", bound=Callable[..., Any])

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def json_option(function: _F) -> _F:
    """``--json``: print JSON to stdout instead of text; passes ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(function)


def check_option(function: _F) -> _F:
    """``--check``: exit with 1 when the audit found something; passes ``check``."""
    return click.option("--check", is_flag=True, help="Exit with 1 if the audit found something.")(function)


def echo_json(value: Any) -> None:
    """``value`` as indented JSON on stdout, non-finite numbers by name."""
    click.echo(jsonfinite.dumps(value, indent=2))


class Age(click.ParamType[float]):
    """A span of time: ``90s``, ``15m``, ``2h``, ``30d``, ``4w``. Converts to seconds."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds of the span."""
        if isinstance(value, float):
            return value
        match = _AGE.fullmatch(str(value))
        if not match:
            self.fail(f"{value!r} is no span of time; write for example 90s, 15m, 2h, 30d.", param, ctx)
        return float(match[1]) * _UNITS[match[2]]


class Moment(click.ParamType[float]):
    """A point in time: a span back from now (``2h``), Unix seconds, or ISO 8601. Converts to Unix seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Unix seconds of the moment."""
        text = str(value)
        if match := _AGE.fullmatch(text):
            return time.time() - float(match[1]) * _UNITS[match[2]]
        try:
            return float(text)
        except ValueError:
            pass
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            self.fail(f"{value!r} is no time; write for example 2h, 2026-11-21T14:00, or Unix seconds.", param, ctx)

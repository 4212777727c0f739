"""The environment variables that steer the auditor: one table, read by the agent, printed in the docs.

A training job must not fail because a variable is misspelt: a value that makes no sense is reported
once and replaced by its default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from auditor_agent import guard


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, its default as text ("" when unset means none), its meaning."""

    name: str
    default: str
    meaning: str


VARIABLES: Final = (
    Variable("AUDITOR_URL", "http://127.0.0.1:9470", "Where the daemon listens."),
    Variable("AUDITOR_TOKEN", "", "Bearer token the daemon asks for."),
    Variable("AUDITOR_HOME", "~/.auditor", "Folder for the spool, the embedded database and daemon.json."),
    Variable("AUDITOR_RUN", "", "Run id; all ranks and restarts of one job share it. Default: drawn."),
    Variable("AUDITOR_NAME", "", "Name of the run for people; default: the script's name."),
    Variable("AUDITOR_PROJECT", "default", "Project the run belongs to."),
    Variable("AUDITOR_BASELINE", "", "Baseline that the run is held against; default: the newest that fits, if any."),
    Variable("AUDITOR_ATTEMPT", "", "Number of this start of the job, from 0; default: the next one not yet taken."),
    Variable("AUDITOR_MODE", "online", "online: send to the daemon; offline: only spool; off: do nothing."),
    Variable("AUDITOR_RAISE", "", "1: internal errors of the agent raise (tests); default: swallowed and logged."),
    Variable("AUDITOR_STOP_ON", "", "critical or warning: should_stop turns true at a verdict that grave."),
    Variable(
        "AUDITOR_BUDGET",
        "",
        "Part of a step's time that the agent may take, such as 0.01: beyond it activations, then updates, weights, "
        "histograms and at last gradients are read more rarely. Unset: 0.01, but up to half a millisecond a step "
        "nothing gives way.",
    ),
    Variable("AUDITOR_AUTOLOAD", "", "1: watch this script by itself; set by auditor run for what it starts."),
    Variable(
        "AUDITOR_RECORD_STEPS",
        "20",
        "First steps of which weights, gradients and batches are recorded, partly element by element; 0: none.",
    ),
    Variable(
        "AUDITOR_HISTOGRAMS",
        "0",
        "1: histograms of the magnitudes of every gradient at every step; N: at every N-th step; 0: none.",
    ),
    Variable("AUDITOR_SPOOL_BYTES", str(256 << 20), "Bytes the spool of one process may take; the oldest go first."),
)
_DEFAULTS: Final = {variable.name: variable.default for variable in VARIABLES}
MODES: Final = ("online", "offline", "off")
STOP_ON: Final = ("", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Config:
    """The table's values, typed. See ``VARIABLES`` for what each means."""

    url: str
    token: str = field(repr=False)
    home: Path
    run: str
    name: str
    project: str
    attempt: int | None
    mode: str
    stop_on: str
    spool_bytes: int
    record_steps: int = 20
    histograms: int = 0
    baseline: str = ""

    @property
    def spool(self) -> Path:
        """The folder that holds every run's spool."""
        return self.home / "spool"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read the environment (``os.environ`` unless given). Never raises for a bad value."""
        values = _DEFAULTS | {key: value for key, value in (environ or os.environ).items() if value.strip()}
        return cls(
            url=values["AUDITOR_URL"].rstrip("/"),
            token=values["AUDITOR_TOKEN"].strip(),
            home=_home(values["AUDITOR_HOME"]),
            run=values["AUDITOR_RUN"].strip(),
            name=values["AUDITOR_NAME"],
            project=values["AUDITOR_PROJECT"],
            attempt=_integer("AUDITOR_ATTEMPT", values),
            mode=_choice("AUDITOR_MODE", values, MODES),
            stop_on=_choice("AUDITOR_STOP_ON", values, STOP_ON),
            spool_bytes=_integer("AUDITOR_SPOOL_BYTES", values) or int(_DEFAULTS["AUDITOR_SPOOL_BYTES"]),
            record_steps=_count("AUDITOR_RECORD_STEPS", values),
            histograms=_count("AUDITOR_HISTOGRAMS", values),
            baseline=values["AUDITOR_BASELINE"].strip(),
        )


def _home(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no home folder is known: containers with a bare numeric user
        return Path(text.replace("~", ".", 1))


def _choice(name: str, values: Mapping[str, str], allowed: tuple[str, ...]) -> str:
    value = values[name].strip().lower()
    if value in allowed:
        return value
    guard.note(f"{name} is none of {', '.join(filter(None, allowed))}: ignored")
    return _DEFAULTS[name]


def _count(name: str, values: Mapping[str, str]) -> int:
    """As ``_integer``; a value that makes no sense is the default, 0 is a value."""
    number = _integer(name, values)
    return int(_DEFAULTS[name]) if number is None else number


def _integer(name: str, values: Mapping[str, str]) -> int | None:
    text = values[name].strip()
    if text.isascii() and text.isdigit():
        return int(text)
    if text:
        guard.note(f"{name} is no whole number: ignored")
    return None

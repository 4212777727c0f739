"""The rules' parameters as a user has them: TOML files and the environment, for all projects and for one.

    [rules.loss_spike]
    margin = 8.0

    [rules.vanishing_gradient]
    mute = true

    [projects.gan.rules.loss_not_decreasing]
    severity = "info"

Read are ``auditor.toml`` in the daemon's home, then what ``AUDITOR_RULES`` holds: the path of another
such file, or JSON ``{"rule": {"parameter": value}}``. Later ones go before earlier ones, a project's
tables before those for all. A file that changes is read again for the next run that begins; one that
has become wrong by then is reported, and the parameters stay as they were.
"""

from __future__ import annotations

import difflib
import logging
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from auditor.detect.registry import Overrides, instances, rules
from auditor.settings import Settings

FILE: Final = "auditor.toml"
_log = logging.getLogger(__name__)


class TuningError(ValueError):
    """A file or variable that cannot be used; the message names it, the table and the fault."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source says: for all projects, and by project."""

    origin: str
    everywhere: Overrides = field(default_factory=dict)
    projects: Mapping[str, Overrides] = field(default_factory=dict)

    def parts(self, project: str) -> Iterator[tuple[str, Overrides]]:
        """Its overrides for ``project``, the weaker first, each with where it stands."""
        yield self.origin, self.everywhere
        if project in self.projects:
            yield f"{self.origin}, project {project}", self.projects[project]


class Tuning:
    """The overrides of all rules; :meth:`overrides` is asked once per run.

    Raises:
        TuningError: if a source cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stamps = self._seen()
        self._layers = self._load()

    def overrides(self, project: str) -> dict[str, dict[str, Any]]:
        """Parameters by rule for a run of ``project``."""
        self._refresh()
        merged: dict[str, dict[str, Any]] = {}
        for rule, given in self.origins(project).items():
            merged[rule] = {name: value for name, (value, _) in given.items()}
        return merged

    def origins(self, project: str) -> dict[str, dict[str, tuple[Any, str]]]:
        """Parameters by rule, each with where it comes from."""
        merged: dict[str, dict[str, tuple[Any, str]]] = {}
        for layer in (self._clocks, *self._layers):
            for origin, part in layer.parts(project):
                for rule, given in part.items():
                    merged.setdefault(rule, {}).update({name: (value, origin) for name, value in given.items()})
        return merged

    @cached_property
    def _clocks(self) -> Layer:
        # Not before a run is judged: it takes the rules, which `auditor compare` and `auditor runs` do without.
        return _clocks(self._settings)

    def _refresh(self) -> None:
        stamps = self._seen()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._layers = self._load()
        except TuningError as error:
            _log.error("rules are tuned as before: %s", error)

    def _files(self) -> list[Path]:
        own = self._settings.rules
        return [self._settings.home / FILE, *([own] if isinstance(own, Path) else [])]

    def _seen(self) -> list[tuple[int, int] | None]:
        """What tells a changed file from an unchanged one; None where there is none."""
        stamps: list[tuple[int, int] | None] = []
        for path in self._files():
            try:
                found = path.stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((found.st_mtime_ns, found.st_size))
        return stamps

    def _load(self) -> list[Layer]:
        own = self._settings.rules
        layers = [read(path) for path in self._files() if path == own or path.exists()]
        if isinstance(own, Mapping):
            layers.append(_checked(Layer("AUDITOR_RULES", own)))
        return layers


def read(path: Path) -> Layer:
    """The layer that a TOML file holds.

    Raises:
        TuningError: if it cannot be read, or says something that no rule knows.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TuningError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise TuningError(f"{path}: {error}") from error
    unknown = set(document) - {"rules", "projects"}
    if unknown:
        raise TuningError(f"{path}: unknown table {min(unknown)!r}: write [rules.ID] or [projects.NAME.rules.ID]")
    projects = {}
    for name, table in _table(path, "projects", document.get("projects", {})).items():
        strange = set(_table(path, f"projects.{name}", table)) - {"rules"}
        if strange:
            raise TuningError(f"{path}: [projects.{name}] holds {min(strange)!r}: write [projects.{name}.rules.ID]")
        projects[name] = _rules(path, f"projects.{name}.rules", table.get("rules", {}))
    return _checked(Layer(str(path), _rules(path, "rules", document.get("rules", {})), projects))


def _table(path: Path, where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TuningError(f"{path}: {where} is no table")
    return value


def _rules(path: Path, where: str, value: Any) -> Overrides:
    return {rule: _table(path, f"{where}.{rule}", given) for rule, given in _table(path, where, value).items()}


def _checked(layer: Layer) -> Layer:
    """``layer``, every rule and parameter of which exists."""
    everything = [(layer.origin, layer.everywhere)]
    everything += [(f"{layer.origin}, project {name}", part) for name, part in layer.projects.items()]
    for origin, part in everything:
        for rule, given in part.items():
            if rule not in rules():
                close = difflib.get_close_matches(rule, rules(), 1)
                raise TuningError(f"{origin}: no rule {rule!r}" + (f"; did you mean {close[0]}?" if close else ""))
            try:
                instances({rule: given})
            except (TypeError, ValueError) as error:
                raise TuningError(f"{origin}: {error}") from error
    return layer


def _clocks(settings: Settings) -> Layer:
    """What the settings say of the rules that watch clocks."""
    silent = {"silent_seconds": settings.silent_seconds}
    stalled = {"stall_seconds": settings.stall_seconds, **silent}
    known = {"run_stalled": stalled, "agent_silent": silent}
    return Layer("settings", {rule: given for rule, given in known.items() if rule in rules()})

"""Baselines in the store: whole objects, written and replaced by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from auditor.store.tables import BASELINES
from auditor.store.text import clean, from_json, to_json


@dataclass(frozen=True, slots=True)
class BaselineRecord:
    """A baseline. ``fingerprint``: what a run of the same kind has (see ``detect/rules/baselines.py``).

    ``envelope`` is empty in a list of baselines. Times are Unix seconds of the daemon.
    """

    name: str
    project: str
    fingerprint: str
    created_at: float
    runs: tuple[str, ...]
    envelope: Mapping[str, Any]


def save(connection: sa.Connection, record: BaselineRecord) -> None:
    """Writes a baseline; one of the same name is replaced."""
    connection.execute(sa.delete(BASELINES).where(BASELINES.c.name == record.name))
    row = {
        "name": clean(record.name),
        "project": clean(record.project),
        "fingerprint": record.fingerprint,
        "created_at": record.created_at,
        "runs": to_json(list(record.runs)),
        "envelope": to_json(dict(record.envelope)),
    }
    connection.execute(sa.insert(BASELINES), [row])


def listed(connection: sa.Connection) -> list[BaselineRecord]:
    """Every baseline without its envelope, by name."""
    columns = [column for column in BASELINES.columns if column.name != "envelope"]
    rows = connection.execute(sa.select(*columns).order_by(BASELINES.c.name)).mappings()
    return [_record(dict(row) | {"envelope": "{}"}) for row in rows]


def one(connection: sa.Connection, name: str) -> BaselineRecord | None:
    """The baseline of this name; None if there is none."""
    row = connection.execute(sa.select(BASELINES).where(BASELINES.c.name == name)).mappings().first()
    return _record(dict(row)) if row is not None else None


def _record(row: dict[str, Any]) -> BaselineRecord:
    runs = tuple(from_json(row["runs"]))
    return BaselineRecord(
        row["name"], row["project"], row["fingerprint"], row["created_at"], runs, from_json(row["envelope"])
    )

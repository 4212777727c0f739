from __future__ import annotations

from pathlib import Path

import pytest

from auditor.store import Store
from auditor.store.engine import make_engine


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://root@localhost/x", "mysql URL: use sqlite:///path or postgresql"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_other_databases_are_refused_with_a_hint(url: str, message: str) -> None:
    """Before anything is opened."""
    with pytest.raises(ValueError, match=message):
        make_engine(url)


def test_sqlite_is_durable_and_lets_readers_by(tmp_path: Path) -> None:
    """Write-ahead log, a sync at every commit, foreign keys, pages that can be given back."""
    store = Store.open(f"sqlite:///{tmp_path}/deep/er/a.db")
    with store.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "auto_vacuum", "busy_timeout")
        }
    store.close()
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "auto_vacuum": 2,
        "busy_timeout": 60_000,
    }

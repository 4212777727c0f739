"""The store as the rest of the daemon sees it: one object, any thread, blocking calls."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import sqlalchemy as sa

from auditor.ingest.decode import Tensor
from auditor.model import Alert
from auditor.store import baselines, columns, migrations, packed, read, retention
from auditor.store.baselines import BaselineRecord
from auditor.store.engine import make_engine, writing
from auditor.store.errors import unavailable
from auditor.store.records import (
    Committed,
    Event,
    Manifest,
    RunRecord,
    Series,
    StoredChunk,
    StreamRecord,
    WriteBatch,
)
from auditor.store.write import write
from auditor_agent.statistics import STATISTICS


class Store:
    """Everything that the daemon knows, in SQLite or PostgreSQL.

    Every method raises ``StoreUnavailable`` when the database cannot be reached, read or written.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        # SQLite has one writer; within a process, waiting for a lock is fairer than polling the file.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else None

    @classmethod
    def open(cls, url: str) -> Self:
        """Opens the database at ``url``, making it or bringing it to this version's schema.

        Args:
            url: ``sqlite:///path`` or ``postgresql://user:password@host/database``.

        Raises:
            ValueError: if ``url`` is neither.
            StoreUnavailable: if the database cannot be reached, or lacks a migration that cannot be run.
            StoreNewer: if a newer version of the daemon wrote it.
        """
        with unavailable():
            engine = make_engine(url)
            try:
                migrations.upgrade(engine)
            except BaseException:
                engine.dispose()
                raise
        return cls(engine)

    @property
    def engine(self) -> sa.Engine:
        """The SQLAlchemy engine, for questions that no method asks."""
        return self._engine

    def close(self) -> None:
        """Gives the connections back. The store is of no use afterwards."""
        self._engine.dispose()

    def ping(self) -> None:
        """Asks the database whether it is there and takes writes."""
        with self._writing() as connection:
            connection.execute(sa.text("UPDATE runs SET run = run WHERE 0 = 1"))

    def write(self, batch: WriteBatch) -> Committed:
        """Stores ``batch`` in one transaction; committed, or nothing of it stored, when this returns."""
        return self.write_all([batch])[0]

    def write_all(self, batches: Sequence[WriteBatch]) -> list[Committed]:
        """Stores ``batches`` in one transaction, as if one after the other; what became of each."""
        with self._writing() as connection:
            return write(connection, batches)

    def runs(
        self,
        *,
        project: str | None = None,
        status: str | None = None,
        since: float | None = None,
        limit: int = 100,
    ) -> list[RunRecord]:
        """Runs, the one that changed last first; ``since``: changed at or after this time."""
        with self._reading() as connection:
            return read.runs(connection, project=project, status=status, since=since, limit=limit)

    def run(self, run: str) -> RunRecord | None:
        """The run of this id, if there is one."""
        with self._reading() as connection:
            return next(iter(read.runs(connection, run=run, limit=1)), None)

    def streams(self, run: str) -> list[StreamRecord]:
        """The processes of a run, by attempt and rank: sessions, signs of life, counts."""
        with self._reading() as connection:
            return read.streams(connection, run)

    def pack(self, run: str) -> bool:
        """Packs one curve of a run that has ended, for quick reading (``packed.py``); whether there may be more."""
        with self._reading() as connection:
            keys = packed.waiting(connection, run)
        if keys:
            with self._writing() as connection:
                packed.pack(connection, keys[0])
        return len(keys) > 1

    def scalar_names(self, run: str) -> list[str]:
        """Names of the scalars that a run has values of, in alphabetical order."""
        with self._reading() as connection:
            return columns.names(connection, run)

    def scalars(
        self,
        run: str,
        names: Iterable[str] | None = None,
        *,
        attempt: int | None = None,
        rank: int | None = None,
        after: int | None = None,
    ) -> dict[str, Series]:
        """Scalars by name, exact to the bit of every finite value, NaN and Inf included.

        A step that several attempts took has the value of the last one; one that several ranks
        report, that of the lowest. ``after``: only later steps. Names without values are absent.
        """
        with self._reading() as connection:
            return read.scalars(connection, run, names, attempt=attempt, rank=rank, after=after)

    def chunks(
        self,
        run: str,
        *,
        attempt: int | None = None,
        rank: int | None = None,
        after_seq: int | None = None,
        type: str | None = None,  # noqa: A002 - the wire's name for it
    ) -> Iterator[StoredChunk]:
        """The run's frames by (attempt, rank, seq), fetched page by page as the iterator advances."""
        position: read.Position | None = None
        while True:
            with self._reading() as connection:
                page = read.chunk_page(
                    connection, run, position, attempt=attempt, rank=rank, after_seq=after_seq, type=type
                )
            yield from page
            if len(page) < read.PAGE:
                return
            position = (page[-1].attempt, page[-1].rank, page[-1].seq)

    def table(self, run: str, digest: str) -> tuple[Tensor, ...] | None:
        """The tensor table of this digest, if the run has it."""
        with self._reading() as connection:
            return read.tables(connection, run, digest).get(digest)

    def tables(self, run: str) -> dict[str, tuple[Tensor, ...]]:
        """All tensor tables of a run by digest."""
        with self._reading() as connection:
            return read.tables(connection, run)

    def series(
        self, run: str, kind: str, name: str, stat: str, *, attempt: int | None = None, rank: int | None = None
    ) -> Series:
        """One statistic of one tensor at every step that reported it; empty if none did.

        Steps that several attempts or ranks report are resolved as by :meth:`scalars`.

        Raises:
            ValueError: if ``stat`` is none of the twelve statistics.
        """
        if stat not in STATISTICS:
            raise ValueError(f"unknown statistic {stat!r}: one of {', '.join(STATISTICS)}")
        chunks = self.chunks(run, attempt=attempt, rank=rank, type="steps")
        return read.series(chunks, self.tables(run), kind, name, stat)

    def manifests(self, run: str) -> list[Manifest]:
        """The manifest of each process of a run, by attempt and rank."""
        with self._reading() as connection:
            return read.manifests(connection, run)

    def alerts(
        self,
        *,
        run: str | None = None,
        since: float | None = None,
        state: str | None = None,
        rule: str | None = None,
        limit: int = 1000,
    ) -> list[Alert]:
        """Alerts, the one that changed last first; ``since``: changed at or after this time."""
        with self._reading() as connection:
            return read.alerts(connection, run=run, since=since, state=state, rule=rule, limit=limit)

    def events(self, run: str) -> list[Event]:
        """What happened beside the numbers, by step."""
        with self._reading() as connection:
            return read.events(connection, run)

    def nonfinite(self, run: str | None = None) -> list[tuple[str, int, int, int]]:
        """(run, first step, last step, elements) of the frames that hold a NaN or Inf, of one run or all."""
        with self._reading() as connection:
            return read.nonfinite_chunks(connection, run)

    def frontier(self, run: str) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """Stored ``seq`` by (attempt, rank), as ranges of which both ends are included."""
        with self._reading() as connection:
            return read.frontier(connection, run)

    def hosts(self, *, since: float | None = None, project: str | None = None) -> list[tuple[str, str, str, str]]:
        """(host, run, status, verdict) of every host that a rank of a run said it runs on."""
        with self._reading() as connection:
            return read.hosts(connection, since=since, project=project)

    def save_baseline(self, record: BaselineRecord) -> None:
        """Writes a baseline; one of the same name is replaced."""
        with self._writing() as connection:
            baselines.save(connection, record)

    def baselines(self) -> list[BaselineRecord]:
        """Every baseline, by name, without its envelope."""
        with self._reading() as connection:
            return baselines.listed(connection)

    def baseline(self, name: str) -> BaselineRecord | None:
        """One baseline, whole; None if there is none of that name."""
        with self._reading() as connection:
            return baselines.one(connection, name)

    def purge(self, *, older_than: float | None = None, keep: int | None = None, run: str | None = None) -> int:
        """Deletes runs with all that belongs to them; see :func:`retention.doomed`. How many went."""
        with self._reading() as connection:
            doomed = retention.doomed(connection, older_than=older_than, keep=keep, run=run)
        for name in doomed:
            while True:
                with self._writing() as connection:
                    if retention.take_apart(connection, name):
                        break
        if doomed:
            self._give_back()
        return len(doomed)

    def _give_back(self) -> None:
        with unavailable(), self._engine.connect() as connection:
            retention.give_back(connection)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with unavailable(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        if self._turn is None:
            with unavailable(), writing(self._engine) as connection:
                yield connection
            return
        with self._turn, unavailable(), writing(self._engine) as connection:
            yield connection

"""The schema, as SQLAlchemy sees it. A test holds it equal to what the migrations make.

Runs are named by their text id in every table: what SQL and Grafana see needs no join. Numbers that
may be non-finite are kept as (value, special), because SQLite turns NaN into NULL and drops the sign
of -0.0 (see ``special.py``). JSON is text: it is read and written whole.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

METADATA: Final = sa.MetaData()

RUNS: Final = sa.Table(
    "runs",
    METADATA,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("framework", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("first_step", sa.BigInteger),
    sa.Column("last_step", sa.BigInteger),
    sa.Column("loss", sa.Double),
    # Which frame the loss came from, and which process the names came from: the guards that make
    # the order of arrival irrelevant.
    sa.Column("loss_attempt", sa.Integer),
    sa.Column("loss_rank", sa.Integer),
    sa.Column("loss_seq", sa.BigInteger),
    sa.Column("named_by_attempt", sa.Integer),
    sa.Column("named_by_rank", sa.Integer),
    # The attempt that the exit and the wish to stop are about: a restart begins anew.
    sa.Column("exit_attempt", sa.Integer),
    sa.Column("exit_code", sa.Integer),
    sa.Column("exit_signal", sa.Text),
    sa.Column("stop_attempt", sa.Integer),
    # {rule: why it could not judge}, as JSON; null until it was told.
    sa.Column("unjudged", sa.Text),
    sa.Index("runs_updated_at", "updated_at"),
)

STREAMS: Final = sa.Table(
    "streams",
    METADATA,
    sa.Column("run", sa.Text, sa.ForeignKey("runs.run"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("session", sa.Text),
    sa.Column("status", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("step", sa.BigInteger),
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("heartbeat_at", sa.Double, nullable=False),
    sa.Column("progress_at", sa.Double),
    sa.Column("counted_at", sa.Double),
    sa.Column("produced", sa.BigInteger, nullable=False),
    sa.Column("sent", sa.BigInteger, nullable=False),
    sa.Column("pending", sa.BigInteger, nullable=False),
    sa.Column("dropped", sa.Text, nullable=False),
)

CHUNKS: Final = sa.Table(
    "chunks",
    METADATA,
    sa.Column("run", sa.Text, sa.ForeignKey("runs.run"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("session", sa.Text, nullable=False),
    sa.Column("first_step", sa.BigInteger),
    sa.Column("last_step", sa.BigInteger),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("nonfinite", sa.BigInteger, nullable=False),
    sa.Column("max_norm", sa.Double),
    sa.Column("table_digest", sa.Text),
    sa.Column("header", sa.Text, nullable=False),
    # Last: SQLite reads the columns before it without touching the payload's pages.
    sa.Column("payload", sa.LargeBinary, nullable=False),
    # The zone map, without the frames around it: "any NaN in history" reads only the frames that
    # have one, "which frames hold these steps" no frame at all.
    sa.Index(
        "chunks_nonfinite",
        "run",
        "first_step",
        "last_step",
        "nonfinite",
        sqlite_where=sa.text("nonfinite > 0"),
        postgresql_where=sa.text("nonfinite > 0"),
    ),
    sa.Index("chunks_zone", "run", "first_step", "last_step", "max_norm"),
)

TENSOR_TABLES: Final = sa.Table(
    "tensor_tables",
    METADATA,
    sa.Column("run", sa.Text, sa.ForeignKey("runs.run"), primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("tensors", sa.Text, nullable=False),
)

SCALARS: Final = sa.Table(
    "scalars",
    METADATA,
    sa.Column("run", sa.Text, sa.ForeignKey("runs.run"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("step", sa.BigInteger, primary_key=True),
    sa.Column("value", sa.Double),
    sa.Column("special", sa.SmallInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Copies of curves of runs that have ended (packed.py): float64 values, and int64 steps where they are not first_step,
# first_step + 1, ...; little-endian.
PACKED: Final = sa.Table(
    "packed_scalars",
    METADATA,
    sa.Column("run", sa.Text, sa.ForeignKey("runs.run"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("first_step", sa.BigInteger, nullable=False),
    sa.Column("steps", sa.LargeBinary),
    sa.Column("values", sa.LargeBinary, nullable=False),
)

MANIFESTS: Final = sa.Table(
    "manifests",
    METADATA,
    sa.Column("run", sa.Text, sa.ForeignKey("runs.run"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("manifest", sa.Text, nullable=False),
)

EVENTS: Final = sa.Table(
    "events",
    METADATA,
    sa.Column("run", sa.Text, sa.ForeignKey("runs.run"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("index", sa.Integer, primary_key=True),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("fields", sa.Text, nullable=False),
)

ALERTS: Final = sa.Table(
    "alerts",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, sa.ForeignKey("runs.run"), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("subject_name", sa.Text, nullable=False),
    sa.Column("subject_rank", sa.Integer, nullable=False),
    sa.Column("first_step", sa.BigInteger, nullable=False),
    sa.Column("last_step", sa.BigInteger, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("resolved_at", sa.Double),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("members", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("likely_causes", sa.Text, nullable=False),
    sa.Column("advice", sa.Text, nullable=False),
    sa.Index("alerts_run", "run"),
    sa.Index("alerts_updated_at", "updated_at"),
)

BASELINES: Final = sa.Table(
    "baselines",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    # Names only: a baseline outlives the runs that it was made of.
    sa.Column("runs", sa.Text, nullable=False),
    sa.Column("envelope", sa.Text, nullable=False),
)

#: Tables that hang on a run, in the order in which a run is taken apart.
OF_A_RUN: Final = (SCALARS, PACKED, CHUNKS, EVENTS, MANIFESTS, TENSOR_TABLES, ALERTS, STREAMS)

"""The first schema: runs, their processes, frames, scalars, manifests, events and alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("framework", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("loss", sa.Double(), nullable=True),
        sa.Column("loss_attempt", sa.Integer(), nullable=True),
        sa.Column("loss_rank", sa.Integer(), nullable=True),
        sa.Column("loss_seq", sa.BigInteger(), nullable=True),
        sa.Column("named_by_attempt", sa.Integer(), nullable=True),
        sa.Column("named_by_rank", sa.Integer(), nullable=True),
        sa.Column("exit_attempt", sa.Integer(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("exit_signal", sa.Text(), nullable=True),
        sa.Column("stop_attempt", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("run"),
    )
    op.create_index("runs_updated_at", "runs", ["updated_at"], unique=False)
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("subject_rank", sa.Integer(), nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("resolved_at", sa.Double(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("likely_causes", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alerts_run", "alerts", ["run"], unique=False)
    op.create_index("alerts_updated_at", "alerts", ["updated_at"], unique=False)
    op.create_table(
        "chunks",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("nonfinite", sa.BigInteger(), nullable=False),
        sa.Column("max_norm", sa.Double(), nullable=True),
        sa.Column("table_digest", sa.Text(), nullable=True),
        sa.Column("header", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"]),
        sa.PrimaryKeyConstraint("run", "attempt", "rank", "seq"),
    )
    op.create_index(
        "chunks_nonfinite",
        "chunks",
        ["run", "first_step", "last_step", "nonfinite"],
        unique=False,
        sqlite_where=sa.text("nonfinite > 0"),
        postgresql_where=sa.text("nonfinite > 0"),
    )
    op.create_index("chunks_zone", "chunks", ["run", "first_step", "last_step", "max_norm"], unique=False)
    op.create_table(
        "events",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"]),
        sa.PrimaryKeyConstraint("run", "attempt", "rank", "seq", "index"),
    )
    op.create_table(
        "manifests",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"]),
        sa.PrimaryKeyConstraint("run", "attempt", "rank"),
    )
    op.create_table(
        "scalars",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("special", sa.SmallInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"]),
        sa.PrimaryKeyConstraint("run", "name", "attempt", "rank", "step"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "streams",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("session", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("step", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("heartbeat_at", sa.Double(), nullable=False),
        sa.Column("progress_at", sa.Double(), nullable=True),
        sa.Column("counted_at", sa.Double(), nullable=True),
        sa.Column("produced", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"]),
        sa.PrimaryKeyConstraint("run", "attempt", "rank"),
    )
    op.create_table(
        "tensor_tables",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("tensors", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.run"]),
        sa.PrimaryKeyConstraint("run", "digest"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Floats do not compress enough for the time that trying takes.
        op.execute("ALTER TABLE chunks ALTER COLUMN payload SET STORAGE EXTERNAL")

"""What alembic runs: on the connection that ``upgrade`` hands it, within its transaction."""

from alembic import context

from auditor.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()

"""The store: everything the daemon knows, in one SQL database.

``store.py`` is the facade; ``records.py`` what goes in and comes out; ``tables.py`` and ``migrations/``
the schema; ``write.py``, ``read.py``, ``retention.py``, ``export.py`` the verbs; ``writer.py`` the thread
that groups commits; ``engine.py`` what differs between SQLite and PostgreSQL.
"""

from auditor.store.errors import StoreError, StoreNewer, StoreUnavailable
from auditor.store.store import Store
from auditor.store.writer import Writer

__all__ = ["Store", "StoreError", "StoreNewer", "StoreUnavailable", "Writer"]

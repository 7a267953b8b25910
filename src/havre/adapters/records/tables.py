"""The records' tables, as SQLAlchemy sees them; their history is in `migrations`."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table

METADATA = MetaData()

# `position` orders the rows as they were committed; `log_index` is null until
# the event is on the log.
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("event_id", String(32), nullable=False, unique=True),
    Column("entry", LargeBinary, nullable=False),
    Column("log_index", Integer, nullable=True, unique=True),
)

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("kind", String(64), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

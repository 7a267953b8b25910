"""Records in SQL through SQLAlchemy: SQLite on one machine, PostgreSQL in production."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, OperationalError

from havre.adapters.records.tables import DOCUMENTS, OUTBOX
from havre.errors import NotFound, NotGenuine, Refused, Unavailable
from havre.ports.records import Document, OutboxRow

# The newest step in `migrations/versions`; a test holds the two together.
CURRENT_REVISION = "0001"
_OWNER_ONLY = 0o600


class SqlRecords:
    """One hub's records behind a database address; a file of them is its owner's alone.

    url: as SQLAlchemy writes it, such as `sqlite:////var/lib/havre/records.sqlite`.

    Raises:
        Unavailable: the database does not answer.
    """

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url)
        if self._engine.dialect.name == "sqlite":
            _close_to_others(self._engine.url.database)
            sa.event.listen(self._engine, "connect", _make_sqlite_durable)
        self._bring_up_to_date()

    def commit(self, events: Sequence[OutboxRow], documents: Sequence[Document] = ()) -> None:
        """Store events and documents in one transaction."""
        with self._writing() as connection:
            for row in events:
                self._add_event(connection, row)
            for document in documents:
                _replace_document(connection, document)

    def pending(self) -> list[OutboxRow]:
        """List the events that are not on the log yet, as they were committed."""
        query = (
            sa.select(OUTBOX.c.event_id, OUTBOX.c.entry)
            .where(OUTBOX.c.log_index.is_(None))
            .order_by(OUTBOX.c.position)
        )
        with self._reading() as connection:
            return [OutboxRow(event_id, entry) for event_id, entry in connection.execute(query)]

    def mark_published(self, event_ids: Sequence[str], *, first_index: int) -> None:
        """Note where on the log these events are."""
        with self._writing() as connection:
            for index, event_id in enumerate(event_ids, start=first_index):
                connection.execute(
                    sa.update(OUTBOX).where(OUTBOX.c.event_id == event_id).values(log_index=index)
                )

    def published_size(self) -> int:
        """How many entries of the log these records know."""
        with self._reading() as connection:
            newest = connection.execute(sa.select(sa.func.max(OUTBOX.c.log_index))).scalar()
        return 0 if newest is None else int(newest) + 1

    def index_of(self, event_id: str) -> int:
        """Tell where on the log an event is."""
        query = sa.select(OUTBOX.c.log_index).where(OUTBOX.c.event_id == event_id)
        with self._reading() as connection:
            index = connection.execute(query).scalar()
        if index is None:
            raise NotFound("An event is not on the log.")
        return int(index)

    def document(self, kind: str, name: str) -> bytes:
        """Return a document's body."""
        query = sa.select(DOCUMENTS.c.body).where(
            DOCUMENTS.c.kind == kind, DOCUMENTS.c.name == name
        )
        with self._reading() as connection:
            body = connection.execute(query).scalar()
        if body is None:
            raise NotFound(f"The records hold no {kind} of that name.")
        return bytes(body)

    def list_documents(self, kind: str) -> list[Document]:
        """List the documents of a kind, in order of name."""
        query = (
            sa.select(DOCUMENTS.c.name, DOCUMENTS.c.body)
            .where(DOCUMENTS.c.kind == kind)
            .order_by(DOCUMENTS.c.name)
        )
        with self._reading() as connection:
            return [Document(kind, name, body) for name, body in connection.execute(query)]

    def list_kinds(self) -> list[str]:
        """List the kinds of which there is a document, in order."""
        query = sa.select(DOCUMENTS.c.kind).distinct().order_by(DOCUMENTS.c.kind)
        with self._reading() as connection:
            return [str(kind) for (kind,) in connection.execute(query)]

    def forget_document(self, kind: str, name: str) -> None:
        """Destroy a document; SQLite writes zeros over it (`secure_delete`)."""
        same = (DOCUMENTS.c.kind == kind) & (DOCUMENTS.c.name == name)
        with self._writing() as connection:
            connection.execute(sa.delete(DOCUMENTS).where(same))
        if self._engine.dialect.name == "sqlite":
            # The write-ahead log still holds the old page until it is cut off.
            with self._reading() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction; a full disk or a lock held too long leaves everything as it was."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise _fault_of(error) from error

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DatabaseError as error:
            raise _fault_of(error) from error

    def _add_event(self, connection: sa.Connection, row: OutboxRow) -> None:
        there = connection.execute(
            sa.select(OUTBOX.c.entry).where(OUTBOX.c.event_id == row.event_id)
        ).scalar()
        if there is None:
            connection.execute(sa.insert(OUTBOX).values(event_id=row.event_id, entry=row.entry))
        elif bytes(there) != row.entry:
            raise Refused("An event of this id is recorded already, and says something else.")

    def _bring_up_to_date(self) -> None:
        """Run the migrations, and only when there are any: Alembic is slow to import."""
        with self._writing() as connection:
            if _revision(connection) == CURRENT_REVISION:
                return
            from alembic import command
            from alembic.config import Config

            config = Config()
            scripts = files("havre.adapters.records").joinpath("migrations")
            config.set_main_option("script_location", str(scripts))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _close_to_others(database: str | None) -> None:
    """Keep the file that holds salts, votes and exact counts to its owner.

    SQLite gives the files beside it the same mode. The file is not opened here:
    closing it would drop the locks that another connection of this process has.
    """
    if not database or database == ":memory:":
        return
    with suppress(OSError):
        # A database that is not there, or not ours, is met when it is connected.
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY))
    for path in map(Path, (database, f"{database}-wal", f"{database}-shm")):
        with suppress(OSError):
            if stat.S_IMODE(path.stat().st_mode) & ~_OWNER_ONLY:
                path.chmod(_OWNER_ONLY)


def check_there(url: str) -> None:
    """Make sure that records which were written are not made anew, and empty, in their place.

    A server keeps its own: of a file alone it can be said before it is opened.

    Raises:
        Unavailable: the file is gone.
    """
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        raise records_missing()


def records_missing() -> Unavailable:
    """Say that there are no records of a hub that has a log."""
    return Unavailable(
        "The hub's records are missing, and its log has entries that rest on them.",
        hint="Restore the records from a backup, or correct their address in havre.toml. The log"
        " alone does not bring back permits, keys' public halves and exact counts.",
    )


def _fault_of(error: DatabaseError) -> Exception:
    # Exactly this class: what the driver says of a file that is no database, or is torn.
    if type(error) is DatabaseError:
        return NotGenuine(
            "The hub's records cannot be read: their file is no database, or is damaged.",
            hint="Keep the file, and restore the records from a backup.",
        )
    return _no_answer() if isinstance(error, OperationalError) else error


def _no_answer() -> Unavailable:
    # What the driver says may quote a statement with its values: it is chained
    # for whoever debugs, and never shown.
    return Unavailable(
        "The records' database does not answer, or cannot write.",
        hint="Check its address in havre.toml and the room on its disk, then run the command again.",
    )


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _replace_document(connection: sa.Connection, document: Document) -> None:
    same = (DOCUMENTS.c.kind == document.kind) & (DOCUMENTS.c.name == document.name)
    connection.execute(sa.delete(DOCUMENTS).where(same))
    connection.execute(
        sa.insert(DOCUMENTS).values(kind=document.kind, name=document.name, body=document.body)
    )


def _make_sqlite_durable(connection: Any, _record: object) -> None:
    """Write-ahead log with full fsync: a commit that returned survives a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()

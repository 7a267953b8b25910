"""Records in SQLite keep the port's promises, and survive what SQLite can survive."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from contract.suite_records import *  # noqa: F403
from contract.suite_records import FIRST, SECOND
from havre.adapters.records import sql
from havre.adapters.records.tables import METADATA
from havre.errors import Unavailable
from havre.ports.records import Document, OutboxRow


@pytest.fixture
def records(tmp_path: Path) -> sql.SqlRecords:
    return sql.SqlRecords(f"sqlite:///{tmp_path}/records.sqlite")


def test_another_process_reads_what_was_committed(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/records.sqlite"
    sql.SqlRecords(address).commit([FIRST], [Document("note", "one", b"body")])

    again = sql.SqlRecords(address)

    assert again.pending() == [FIRST]
    assert again.document("note", "one") == b"body"


def test_the_migrations_lead_to_the_tables_and_to_the_revision_that_the_code_expects(
    tmp_path: Path,
) -> None:
    sql.SqlRecords(f"sqlite:///{tmp_path}/records.sqlite")
    inspector = sa.inspect(sa.create_engine(f"sqlite:///{tmp_path}/records.sqlite"))
    config = Config()
    config.set_main_option("script_location", str(Path(sql.__file__).parent / "migrations"))

    found = {
        table: [column["name"] for column in inspector.get_columns(table)]
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }

    expected = {
        table.name: [column.name for column in table.columns] for table in METADATA.sorted_tables
    }
    assert found == expected
    assert ScriptDirectory.from_config(config).get_current_head() == sql.CURRENT_REVISION


def test_a_second_start_does_not_load_alembic(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/records.sqlite"
    sql.SqlRecords(address)
    code = (
        "import sys; from havre.adapters.records.sql import SqlRecords;"
        f"SqlRecords({address!r}); sys.exit('alembic' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0


def test_an_address_without_a_database_is_named_as_that(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        sql.SqlRecords(f"sqlite:///{tmp_path}/no-such-folder/records.sqlite")


_TORN = """
import os, signal, sys
import sqlalchemy as sa
from havre.adapters.records import sql
from havre.ports.records import Document, OutboxRow
records = sql.SqlRecords(sys.argv[1])
sa.event.listen(records._engine, "commit", lambda connection: os.kill(os.getpid(), signal.SIGKILL))
records.commit([OutboxRow("b" * 32, b"torn")], [Document("note", "torn", b"body")])
"""


def test_kill_9_before_the_commit_leaves_nothing_of_it(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/records.sqlite"
    sql.SqlRecords(address).commit([FIRST])

    killed = subprocess.run([sys.executable, "-c", _TORN, address], check=False, timeout=30)

    records = sql.SqlRecords(address)
    assert killed.returncode == -signal.SIGKILL
    assert records.pending() == [FIRST]
    assert records.list_documents("note") == []
    records.commit([SECOND])
    assert records.pending() == [FIRST, SECOND]


def test_a_forgotten_salt_is_not_in_the_files_any_more(tmp_path: Path) -> None:
    records = sql.SqlRecords(f"sqlite:///{tmp_path}/records.sqlite")
    salt = b"a salt that opens a commitment.."
    records.commit([OutboxRow("a" * 32, b"entry")], [Document("salt", "one", salt)])

    records.forget_document("salt", "one")

    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert salt not in left

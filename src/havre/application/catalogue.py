"""The catalogue: which tables a hub knows. Imported whole, hashed onto the log, kept in the records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from havre.application.journal import Journal, taken_alone
from havre.crypto.random import new_object_id
from havre.domain.catalogue import BuiltTable
from havre.domain.catalogue_text import (
    KnownTables,
    encode_catalogue,
    merge_tables,
    parse_catalogue,
)
from havre.domain.events import CatalogueImported
from havre.errors import NotFound
from havre.ports.clock import Clock
from havre.ports.records import Document, Records

KIND_CATALOGUE = "catalogue"
_NEWEST = "newest"


class CatalogueDesk:
    """Takes descriptions of tables in, and tells which tables are known."""

    def __init__(self, *, journal: Journal, records: Records, clock: Clock) -> None:
        self._journal = journal
        self._records = records
        self._clock = clock

    def known(self) -> KnownTables:
        """Every table; none before the first import."""
        try:
            return parse_catalogue(self.document())
        except NotFound:
            return KnownTables(())

    def document(self) -> bytes:
        """The catalogue's text, whose SHA-256 is on the log.

        Raises:
            NotFound: nothing was imported yet.
        """
        return self._records.document(KIND_CATALOGUE, _NEWEST)

    @taken_alone
    def import_tables(self, tables: Iterable[BuiltTable]) -> KnownTables:
        """Add tables, or put newer descriptions in place of known ones."""
        merged = merge_tables(self.known(), tables)
        document = encode_catalogue(merged)
        self._journal.record(
            CatalogueImported(
                event_id=new_object_id(),
                at=self._clock.now(),
                catalogue_sha256=hashlib.sha256(document).hexdigest(),
                tables=len(merged.tables),
            ),
            documents=[Document(KIND_CATALOGUE, _NEWEST, document)],
        )
        return merged

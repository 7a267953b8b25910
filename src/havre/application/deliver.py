"""At the holder: check what is announced, make the first pseudonyms, seal, sign, post.

Runs on the holder's own machine. The clear files stay there, and so do the lines
that cannot be split into columns; the hub gets ciphertext and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import TypedDict

from havre.application.pseudonymise import Pseudonyms
from havre.application.resume import SealedBefore, source_of
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.crypto.signatures import key_id
from havre.domain.announcement import (
    AnnouncedFile,
    Announcement,
    DeliveryHeld,
    FileKind,
    list_differences,
    parse_announcement,
)
from havre.domain.catalogue import BuiltTable
from havre.domain.catalogue_text import KnownTables
from havre.domain.delivery import LINE_COLUMN, FileCount, FileUnreadable, check_lines
from havre.domain.delivery_note import PREDICATE_DELIVERY_NOTE, DeliveryNote, note_predicate
from havre.domain.headers import HeaderDiffers, HeaderReading, known_names, read_header
from havre.domain.schema import Column, ColumnType, TableSchema
from havre.domain.sealed_file import SealedFile
from havre.domain.statements import Statement, sign_statement
from havre.domain.years import year_of_constants
from havre.formats.manifest import ManifestEntry, ObjectKind
from havre.ports.sources import DeliveryFolder
from havre.ports.tokens import Token
from havre.values import Digest

_LINE = Column(name=LINE_COLUMN, type=ColumnType.INTEGER)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A file that was announced, found, and whose header fits its table."""

    file: AnnouncedFile
    table: BuiltTable
    header: tuple[str, ...]
    reading: HeaderReading


class _Sealed(TypedDict):
    """What sealing a file says of it."""

    count: FileCount
    entries: tuple[ManifestEntry, ...]
    aside: Digest | None


class _Teller:
    """Adds up what is told of one file after the other."""

    def __init__(
        self, delivery: str, total_bytes: int, progress: Callable[[SealingProgress], None]
    ) -> None:
        self._delivery = delivery
        self._total_bytes = total_bytes
        self._progress = progress
        self._rows, self._read_bytes, self._rows_of_file = 0, 0, 0

    def __call__(self, path: str, rows: int, read_bytes: int) -> None:
        """Tell how far a file is."""
        self._rows_of_file = rows
        self._tell(path, self._read_bytes + read_bytes)

    def end(self, path: str, size_bytes: int) -> None:
        """Tell that a file is sealed."""
        self._rows, self._rows_of_file = self._rows + self._rows_of_file, 0
        self._read_bytes += size_bytes
        self._tell(path, self._read_bytes)

    def _tell(self, path: str, read_bytes: int) -> None:
        rows = self._rows + self._rows_of_file
        self._progress(SealingProgress(self._delivery, path, rows, read_bytes, self._total_bytes))


@dataclass(frozen=True, slots=True)
class PreparedDelivery:
    """What goes to the hub: the note, and the same signed."""

    note: DeliveryNote
    envelope: bytes


@dataclass(frozen=True, slots=True)
class SealingProgress:
    """How far a delivery is.

    path: of the file that is being sealed; empty while files are compared with what was
        announced, when nothing else is known yet. rows: that came out of its files, in this attempt.
    read_bytes: of all files, as they lie there; files used again from before are read.
    """

    delivery: str
    path: str = ""
    rows: int = 0
    read_bytes: int = 0
    total_bytes: int = 0

    @property
    def sentence(self) -> str:
        """The same, to be read while it runs."""
        if not self.path:
            return f"{self.delivery}: hashes are compared"
        return f"{self.delivery} {self.path}: {self.rows:,} rows of this delivery"


class HolderDesk:
    """Prepares deliveries for one hub."""

    def __init__(
        self,
        *,
        known: KnownTables,
        token: Token,
        secret: bytes,
        pseudonyms: Pseudonyms,
        origin: str,
    ) -> None:
        """Work for one hub.

        known: the hub's catalogue, checked against its log.
        secret: stage 1's 32 bytes, which never leave this machine.
        """
        self._known = known
        self._token = token
        self._secret = secret
        self._pseudonyms = pseudonyms
        self._origin = origin

    @property
    def key_id(self) -> str:
        """Who signs the notes, as the log names it."""
        return key_id(self._token.public)

    def prepare(
        self,
        folder: DeliveryFolder,
        *,
        before: SealedBefore,
        place: WritePlace,
        progress: Callable[[SealingProgress], None],
        leave: AbstractSet[str] = frozenset(),
    ) -> PreparedDelivery:
        """Seal one delivery to a landing partition, or what is left to be sealed of it.

        before: what an attempt that was cut short has sealed; each file is added to it.
        leave: columns too many that the operator has confirmed; they stay here.

        Raises:
            DeliveryHeld: something differs from the announcement or the tables;
                everything is named and nothing was sealed.
            LinesLost: a file's lines do not add up.
        """
        announced = parse_announcement(folder.announcement(), beside=folder.beside)
        ready, sizes = self._check(folder, announced, leave)
        made_from = {each.file.path: self._made_from(each, place) for each in ready}
        vault, sealed = before.take_up(made_from, place=place, folder=folder)
        tell = _Teller(announced.name, sum(sizes.values()), progress)
        for each in ready:
            path = each.file.path
            if path not in sealed:
                sealed[path] = SealedFile(
                    made_from=made_from[path],
                    partition_id=place.partition_id,
                    partition=place.partition,
                    **self._seal_file(folder, each, vault=vault, place=place, tell=tell),
                )
                before.add(sealed[path])
            tell.end(path, sizes[path])
        folder.place_aside()
        return self._signed(
            announced, [sealed[each.file.path] for each in ready], vault=vault, place=place
        )

    def _made_from(self, ready: _Ready, place: WritePlace) -> str:
        return source_of(
            ready.file,
            table=ready.table,
            reading=ready.reading,
            place=place,
            origin=self._origin,
            secret=self._secret,
        )

    def _check(
        self, folder: DeliveryFolder, announced: Announcement, leave: AbstractSet[str]
    ) -> tuple[list[_Ready], dict[str, int]]:
        """Compare files and headers with what they should be; every fault of both is named.

        Returns the files, and the size of each by its path.
        """
        found = tuple(folder.list_files())
        faults = list_differences(announced, found)
        there = {each.path: each.size_bytes for each in found if each.kind is FileKind.FILE}
        ready: list[_Ready] = []
        hints: list[str] = []
        for file in announced.files:
            if file.path not in there:
                continue
            table = self._known.find(file.table)
            if table is None:
                faults.append(f"{file.path} is of a table that the catalogue does not know")
                continue
            if table.schema.dataset != announced.dataset:
                faults.append(f"{file.path} is of dataset {table.schema.dataset}")
                continue
            try:
                header = folder.header(file.path, layout=file.layout)
                ready.append(_ready(file, header, table=table, leave=leave))
            except (HeaderDiffers, FileUnreadable) as difference:
                faults += [f"{file.path}: {fault}" for fault in difference.faults]
                hints.append(difference.hint)
        if faults:
            raise DeliveryHeld(announced.name, faults, hints=hints)
        return ready, there

    def _seal_file(
        self,
        folder: DeliveryFolder,
        ready: _Ready,
        *,
        vault: VaultWriter,
        place: WritePlace,
        tell: _Teller,
    ) -> _Sealed:
        path, schema = ready.file.path, ready.table.schema
        if not ready.header:
            count = FileCount(path, schema.name, 0, 0, {}, ready.reading.notes)
            return {"count": count, "entries": (), "aside": None}
        rows = folder.split(
            path,
            layout=ready.file.layout,
            header=ready.header,
            kept=ready.reading.kept,
            constants=ready.file.constants,
            date_forms=_date_forms(schema),
            progress=partial(tell, path),
        )
        hashed = self._pseudonyms.at_holder(rows, schema=_with_line(schema), secret=self._secret)
        sealed = vault.seal_parts(hashed, table=path, kind=ObjectKind.DELIVERY, place=place)
        aside = folder.keep_aside(path, layout=ready.file.layout)
        malformed = [
            f"{number} cells of {column} are no numbers of the known form"
            for column, number in hashed.malformed.items()
            if number
        ]
        count = FileCount(
            path,
            schema.name,
            rows.lines,
            sum(entry.rows for entry in sealed),
            dict(rows.set_aside),
            (*ready.reading.notes, *rows.notes, *malformed),
            tuple(sorted(ready.file.constants)),
        )
        check_lines(count)
        return {"count": count, "entries": tuple(sealed), "aside": aside}

    def _signed(
        self,
        announced: Announcement,
        sealed: Iterable[SealedFile],
        *,
        vault: VaultWriter,
        place: WritePlace,
    ) -> PreparedDelivery:
        files = tuple(sealed)
        listed = [entry for file in files for entry in file.entries]
        manifest = vault.seal_manifest(listed, place=place).stored
        note = DeliveryNote(
            delivery=announced.name,
            dataset=announced.dataset,
            landing=place.partition_id,
            manifest=manifest.object_id,
            objects={
                **{entry.object_id: entry.sha256 for entry in listed},
                manifest.object_id: manifest.sha256,
            },
            delimiter=announced.layout.shared.delimiter,
            files=tuple(file.count for file in files),
            corrects=announced.corrects,
            covers=announced.covers,
        )
        statement = Statement(
            PREDICATE_DELIVERY_NOTE, self._origin, note.delivery, note_predicate(note)
        )
        return PreparedDelivery(note, sign_statement(statement, [self._token]))


def _ready(
    file: AnnouncedFile, header: tuple[str, ...], *, table: BuiltTable, leave: AbstractSet[str]
) -> _Ready:
    if not header:
        return _Ready(file, table, (), HeaderReading((), (), ("an empty file",)))
    reading = read_header(
        header,
        table=table,
        constants=file.constants,
        confirmed=leave,
        year=year_of_constants(table.schema, file.constants),
    )
    return _Ready(file, table, known_names(header, table=table), reading)


def _with_line(schema: TableSchema) -> TableSchema:
    return replace(schema, columns=(_LINE, *schema.columns))


def _date_forms(schema: TableSchema) -> dict[str, str]:
    """How the dates of a table are spelled, where a file has them as dates and not as text."""
    return {
        column.name: column.date_format
        for column in schema.columns
        if column.type in {ColumnType.DATE, ColumnType.DATETIME}
    }

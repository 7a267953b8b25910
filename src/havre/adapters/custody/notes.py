"""What a custodian notes of each ceremony that it took part in: nothing secret, for its record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from havre.adapters.custody.files import write_durably
from havre.domain.ceremony_record import CeremonyNote, encode_note, parse_note
from havre.errors import NotFound
from havre.values import parse_name


class CeremonyNotes:
    """One custodian's notes, in a folder. Its caller keeps other processes out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "notes"

    def add(self, note: CeremonyNote) -> None:
        """Keep a note; the same one again leaves it as it is."""
        write_durably(self._path(note.ceremony), encode_note(note))

    def find(self, ceremony: str) -> CeremonyNote:
        """Read the note of one ceremony.

        Raises:
            NotFound: this custodian took no shares of such a ceremony.
        """
        try:
            return parse_note(self._path(ceremony).read_bytes())
        except FileNotFoundError:
            raise NotFound(
                "This custodian took no shares in a ceremony of this name.",
                hint="`havre custodian ceremonies` lists those that it took part in.",
            ) from None

    def __iter__(self) -> Iterator[CeremonyNote]:
        """Read every note, oldest first."""
        paths = self._folder.glob("*.json") if self._folder.exists() else ()
        notes = [parse_note(path.read_bytes()) for path in paths]
        yield from sorted(notes, key=lambda note: (note.accepted_at, note.ceremony))

    def _path(self, ceremony: str) -> Path:
        return self._folder / f"{parse_name(ceremony)}.json"

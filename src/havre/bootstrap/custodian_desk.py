"""What a custodian's operator does in its directory, beside answering: looking back, printing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from havre.adapters.custody.files import alone, write_durably
from havre.adapters.custody.notes import CeremonyNotes
from havre.adapters.custody.shares import ShareStore
from havre.adapters.paper.record import record_html, record_text
from havre.adapters.paper.words import LANGUAGES
from havre.bootstrap.epoch_desk import TerminalDesk
from havre.bootstrap.reaching import open_mirror
from havre.bootstrap.reports import Row
from havre.bootstrap.tokens import open_token
from havre.domain.ceremony_record import CeremonyRecord, find_custodian, make_record
from havre.domain.following import Followed, follow
from havre.domain.trust import Role
from havre.errors import InvalidInput, Refused
from havre.values import instant_text

# How the record is written, by the end of the file's name.
_FORMS: dict[str, Callable[..., bytes]] = {".html": record_html, ".txt": record_text}


def list_ceremonies(folder: Path) -> list[Row]:
    """List the ceremonies that a custodian took shares in, oldest first."""
    _check_custodian(folder)
    return [
        {
            "ceremony": note.ceremony,
            "accepted_at": instant_text(note.accepted_at),
            "partitions": len(note.commitments),
            "epoch": note.epoch,
        }
        for note in CeremonyNotes(folder)
    ]


def begin_epoch(folder: Path, *, sheet: Path | None, language: str) -> Row:
    """Name the epoch that a custodian's store is in; begin the first one, or finish a turn.

    sheet: of a custodian with epoch keys on paper, a file in memory for a new sheet;
        null shows it on the terminal.

    Raises:
        Held: a person must do something, and nobody is at the terminal.
        Unprotected: the sheet would be written to a disk.
    """
    _check_custodian(folder)
    _check_language(language)
    token = open_token(folder, desk=TerminalDesk(sheet=sheet, language=language))
    store = ShareStore(folder, keys=token, custodian=token.name)
    with alone(folder, party=token.name):
        number, key_sha256 = store.begin_epoch()
    return {"epoch": number, "epoch_key": key_sha256, "held_on": token.config.epoch_key.value}


def write_record(folder: Path, ceremony: str, *, out: Path, language: str) -> Row:
    """Write the printable record of one ceremony, held against the custodian's copy of the log.

    out: a file that ends in `.html` or `.txt`; one that is there is replaced.
    language: `fr` or `en`.

    Raises:
        NotFound: the custodian took no shares of such a ceremony.
        Refused, NotGenuine: the log does not say what the custodian noted.
        InvalidInput: another language or another kind of file.
    """
    form = _FORMS.get(out.suffix)
    if form is None:
        raise InvalidInput("A record is a page in .html or .txt.", hint="Say --out record.html.")
    _check_language(language)
    record = _read_record(folder, ceremony)
    write_durably(out, form(record, language=language))
    return {
        "ceremony": record.note.ceremony,
        "custodian": record.custodian.name,
        "partitions": len(record.lines),
        "digest": record.digest,
        "file": out.name,
    }


def _read_record(folder: Path, ceremony: str) -> CeremonyRecord:
    _check_custodian(folder)
    token = open_token(folder)
    note = CeremonyNotes(folder).find(ceremony)
    roots, mirror = token.trust_roots(), open_mirror(folder)
    # The copy lay on a disk: it is verified anew, from the first entry to a head that the log signed.
    entries = mirror.reader.entries(0, mirror.held())
    followed, events = follow(Followed(), entries, note=mirror.newest_note(), roots=roots)
    return make_record(
        note,
        custodian=find_custodian(roots, name=token.name),
        roots=roots,
        events=events,
        head=followed.head,
    )


def _check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise InvalidInput("A page is printed in fr or en.")


def _check_custodian(folder: Path) -> None:
    role = open_token(folder).config.role
    if role not in (Role.CUSTODIAN, Role.ESCROW):
        raise Refused(
            f"A party of role {role.value} takes no part in ceremonies.",
            hint="Name a custodian's directory with --party or HAVRE_PARTY.",
        )

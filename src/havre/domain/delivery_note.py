"""The delivery note: what a holder signs about what it sends.

The counts in it are not public; the log has a commitment to the whole note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from havre.domain.delivery import FileCount, Span
from havre.domain.statements import Opened, open_statement
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput
from havre.formats.canonical import Json
from havre.values import Digest, ObjectId, parse_digest, parse_name, parse_object_id

PREDICATE_DELIVERY_NOTE = "havre/v1/delivery-note"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryNote:
    """What the note says.

    landing: opaque id of the landing partition to whose key everything is sealed.
    manifest: the object that lists the delivery's tables; it is one of `objects`.
    objects: every object of the delivery, with the SHA-256 of its ciphertext.
    delimiter: what parted the columns, so that a row can be written as its line again.
    corrects: the delivery of the same holder whose rows these replace, or null.
    covers: the days that the delivery is about, or null when its holder did not say.
    """

    delivery: str
    dataset: str
    landing: str
    manifest: ObjectId
    objects: Mapping[ObjectId, Digest]
    delimiter: str
    files: Sequence[FileCount]
    corrects: str | None = None
    covers: Span | None = None


def note_predicate(note: DeliveryNote) -> dict[str, Json]:
    """Spell a note's predicate; what came later and says nothing is left out."""
    later: dict[str, Json] = {}
    if note.corrects is not None:
        later["corrects"] = note.corrects
    if note.covers is not None:
        later["covers"] = dict(note.covers.texts)
    return {
        **later,
        "dataset": note.dataset,
        "delimiter": note.delimiter,
        "files": [count_words(file) for file in note.files],
        "landing": note.landing,
        "manifest": note.manifest,
        "objects": {str(name): str(sha256) for name, sha256 in note.objects.items()},
    }


def count_words(file: FileCount) -> dict[str, Json]:
    """Spell what a note says of one file."""
    return {
        "constants": list(file.constants),
        "lines": file.lines,
        "notes": list(file.notes),
        "path": file.path,
        "sent": file.sent,
        "set_aside": dict(file.set_aside),
        "table": file.table,
    }


def read_count(words: Mapping[str, Any]) -> FileCount:
    """Read what a note says of one file.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: something is missing or misspelled.
    """
    return FileCount(
        str(words["path"]),
        str(words["table"]),
        int(words["lines"]),
        int(words["sent"]),
        {str(reason): int(count) for reason, count in words["set_aside"].items()},
        tuple(str(each) for each in words["notes"]),
        tuple(str(each) for each in words["constants"]),
    )


def open_note(envelope: bytes, *, roots: TrustRoots) -> tuple[DeliveryNote, Opened]:
    """Make sure that a holder signed a note for this log, and read it.

    Raises:
        InvalidInput, NotGenuine, WrongContext, MissingSignature: as `open_statement`.
    """
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_DELIVERY_NOTE,
        origin=roots.origin,
        required={Role.HOLDER: 1},
    )
    return parse_note(opened.statement.subject, opened.statement.predicate), opened


def parse_note(subject: str, predicate: Mapping[str, Any]) -> DeliveryNote:
    """Read a note's predicate strictly.

    subject: the delivery's name.

    Raises:
        InvalidInput: something is missing or misspelled.
    """
    try:
        objects = {
            parse_object_id(name): parse_digest(sha256)
            for name, sha256 in predicate["objects"].items()
        }
        note = DeliveryNote(
            delivery=parse_name(subject),
            dataset=parse_name(predicate["dataset"]),
            landing=parse_object_id(predicate["landing"]),
            manifest=parse_object_id(predicate["manifest"]),
            objects=objects,
            delimiter=str(predicate["delimiter"]),
            files=tuple(read_count(file) for file in predicate["files"]),
            corrects=parse_corrects(predicate),
            covers=_covers(predicate.get("covers")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidInput("A delivery note misses something, or spells it otherwise.") from None
    if note.manifest not in note.objects:
        raise InvalidInput("A delivery note does not list its own manifest.")
    return note


def parse_corrects(predicate: Mapping[str, Any]) -> str | None:
    """Read which delivery a note says that it corrects; null when it corrects none.

    Raises:
        InvalidInput: what stands there is no name.
    """
    corrects = predicate.get("corrects")
    return None if corrects is None else parse_name(str(corrects))


def _covers(said: Any) -> Span | None:
    if said is None:
        return None
    return Span(date.fromisoformat(said["first_day"]), date.fromisoformat(said["last_day"]))

"""What the log says of people who object; `domain.events` reads and spells it like any other entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from havre.domain.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OppositionsUpdated(Event):
    """A register of people who object has a new version: a whole list, in place of the one before.

    register: short name of the holder who keeps it; holder: key id it was signed with.
    version: greater than that of the version before.
    root: of the Merkle tree over the list's salted leaves (`domain.oppositions`).
    people: length of the list, a whole hundred: it is filled up with leaves of nobody.
    every_hours: how often a version comes, whether or not anything has changed; the
        next one does not come earlier, so that none comes because of one person.
    partition, manifest_sha256: where the list lies, sealed.
    """

    kind: ClassVar[str] = "OppositionsUpdated"
    register: str
    holder: str
    delivery: str
    version: int
    root: str
    people: int
    every_hours: int
    partition: str
    manifest_sha256: str

"""The record of a ceremony for one custodian: what it took in, held against the log.

The record is printed, signed by whoever was present and kept apart from every
machine. Nothing on it is secret: ids without a meaning, commitments, key ids. It
does not say which partition an id stands for, because the log does not either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from havre.domain.events import Event, PartitionsCreated
from havre.domain.key_events import PartitionsReshared, ResharingOrdered
from havre.domain.transparency import Head
from havre.domain.trust import Party, Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.canonical import encode_canonical, parse_canonical
from havre.values import (
    instant_text,
    parse_digest,
    parse_instant,
    parse_name,
    parse_object_id,
)

FORMAT = "havre/v1/ceremony-note"
_FIELDS = ["accepted_at", "ceremony", "commitments", "epoch", "epoch_key", "format"]


@dataclass(frozen=True, slots=True)
class CeremonyNote:
    """What a custodian notes when it has taken a ceremony's shares in.

    accepted_at: by its own clock.
    epoch, epoch_key: under which the shares lie; number, and SHA-256 of the public key.
    commitments: opaque partition id to the commitment that its own share opens.
    """

    ceremony: str
    accepted_at: datetime
    epoch: int
    epoch_key: str
    commitments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CeremonyRecord:
    """What the printed page says.

    custodian: who keeps the shares. custodians: everybody who got some, by name.
    threshold: how many of them open a partition together.
    entries: indexes of the log's entries that name the partitions, in order.
    head: the log's head as the custodian followed it.
    """

    note: CeremonyNote
    origin: str
    custodian: Party
    custodians: tuple[str, ...]
    threshold: int
    entries: tuple[int, ...]
    head: Head

    @property
    def lines(self) -> list[str]:
        """One line a partition, `id commitment`, in order of id."""
        return [f"{name} {digest}" for name, digest in sorted(self.note.commitments.items())]

    @property
    def digest(self) -> str:
        """The SHA-256 of the lines, each with its newline: what `sha256sum` computes of them."""
        return hashlib.sha256("".join(f"{line}\n" for line in self.lines).encode()).hexdigest()


def encode_note(note: CeremonyNote) -> bytes:
    """Write a note as canonical JSON."""
    return encode_canonical(
        {
            "accepted_at": instant_text(note.accepted_at),
            "ceremony": note.ceremony,
            "commitments": {**note.commitments},
            "epoch": note.epoch,
            "epoch_key": note.epoch_key,
            "format": FORMAT,
        }
    )


def parse_note(document: bytes) -> CeremonyNote:
    """Read a note strictly.

    Raises:
        InvalidInput: not of this form.
    """
    body = parse_canonical(document)
    if not isinstance(body, dict) or sorted(body) != _FIELDS or body["format"] != FORMAT:
        raise InvalidInput(f"A ceremony's note is not of the form {FORMAT}.")
    epoch, commitments = body["epoch"], body["commitments"]
    if type(epoch) is not int or not isinstance(commitments, dict):
        raise InvalidInput(f"A ceremony's note is not of the form {FORMAT}.")
    return CeremonyNote(
        parse_name(str(body["ceremony"])),
        parse_instant(str(body["accepted_at"])),
        epoch,
        parse_digest(str(body["epoch_key"])),
        {
            str(parse_object_id(name)): str(parse_digest(str(digest)))
            for name, digest in commitments.items()
        },
    )


def make_record(
    note: CeremonyNote, *, custodian: Party, roots: TrustRoots, events: Sequence[Event], head: Head
) -> CeremonyRecord:
    """Hold a custodian's note against the log, for the page that is signed.

    events: the log as the custodian followed it, from the first entry.

    Raises:
        Refused: the log does not name every partition of the note.
        NotGenuine: the log has another commitment for this custodian.
    """
    found = list(_named(note, events, roots))
    ours = [each for each in found if each.given(note, custodian.name)]
    _check_logged(note, found, custodian=custodian.name)
    return CeremonyRecord(
        note,
        roots.origin,
        custodian,
        tuple(sorted({name for each in ours for shares in each.of(note) for name in shares})),
        max((each.threshold for each in ours), default=roots.custodian_threshold),
        tuple(sorted({each.index for each in ours})),
        head,
    )


def _check_logged(note: CeremonyNote, found: Sequence[_Named], *, custodian: str) -> None:
    logged = {name for each in found for name in each.shares}
    given = {name for each in found for name in each.given(note, custodian)}
    if missing := note.commitments.keys() - logged:
        raise Refused(
            f"The log names no key pair for {len(missing)} of the"
            f" {len(note.commitments)} partitions of this ceremony.",
            hint="It was cut short, or this custodian has not followed the log yet.",
        )
    if wrong := note.commitments.keys() - given:
        raise NotGenuine(
            f"The log has other commitments for {len(wrong)} of this custodian's shares.",
            hint="Sign nothing, and tell the auditor.",
        )


@dataclass(frozen=True, slots=True)
class _Named:
    """An entry that gives shares: commitments by partition and custodian, how many open one."""

    index: int
    shares: Mapping[str, Mapping[str, str]]
    threshold: int

    def of(self, note: CeremonyNote) -> list[Mapping[str, str]]:
        """The shares of those partitions that a note names."""
        return [self.shares[name] for name in self.shares.keys() & note.commitments.keys()]

    def given(self, note: CeremonyNote, custodian: str) -> list[str]:
        """The partitions of which a custodian's share that the note has is this entry's."""
        return [
            name
            for name in self.shares.keys() & note.commitments.keys()
            if self.shares[name].get(custodian) == note.commitments[name]
        ]


def _named(note: CeremonyNote, events: Sequence[Event], roots: TrustRoots) -> Iterator[_Named]:
    """List the entries that give shares of a note's partitions: when they were made, or shared anew."""
    orders = {
        index: each for index, each in enumerate(events) if isinstance(each, ResharingOrdered)
    }
    for index, event in enumerate(events):
        if isinstance(event, PartitionsCreated):
            later = [order.threshold_before for at, order in orders.items() if at > index]
            named = _Named(index, event.shares, (later or [roots.custodian_threshold])[0])
        elif isinstance(event, PartitionsReshared) and event.order in orders:
            named = _Named(index, event.shares, orders[event.order].threshold)
        else:
            continue
        if named.of(note):
            yield named


def find_custodian(roots: TrustRoots, *, name: str) -> Party:
    """Find a custodian or escrow in its own roots.

    Raises:
        Refused: the roots name no such custodian.
    """
    for role in (Role.CUSTODIAN, Role.ESCROW):
        for party in roots.with_role(role):
            if party.name == name:
                return party
    raise Refused(f"The trust roots name no custodian {name}.")

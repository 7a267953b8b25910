"""When a log's head is believed: the log's signature, enough witnesses, fresh enough.

Pure rules over a signed note's bytes, the reader's own trust roots and the
reader's own clock. The proofs are `crypto.merkle`, the spelling is `formats.notes`.

One origin for the life of a log; the key that signs may change by a handover,
which the controller signs (`docs/protocols.md`, section 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from havre.crypto.signatures import check_signature
from havre.domain.events import Handover
from havre.domain.handover import check_handover, first_size_of
from havre.domain.trust import Party, Role, TrustRoots
from havre.errors import NotGenuine, Refused
from havre.formats.notes import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    NoteSignature,
    SignedNote,
    cosigned_message,
    parse_checkpoint,
    parse_cosignature,
    parse_note,
    short_key_id,
)

# A quarter of an hour, and two minutes of clocks that disagree.
MAX_AGE_S = 900
MAX_AHEAD_S = 120
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotWitnessed(NotGenuine):
    """Too few witnesses stand behind a head."""


class NotFresh(Refused):
    """Nobody can tell whether a head is still the newest."""


@dataclass(frozen=True, slots=True)
class Head:
    """How many entries a log has, and the root over them."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Cosigned:
    """One witness's word: who, and when by its own clock (seconds since 1970)."""

    witness: Party
    unix_time: int

    @property
    def at(self) -> datetime:
        """The same moment, UTC."""
        return _EPOCH + timedelta(seconds=self.unix_time)


@dataclass(frozen=True, slots=True)
class LogKeys:
    """Which key signs the log's heads, by their size.

    changes: from which size on a key holds; the first is 0, in order.
    """

    changes: tuple[tuple[int, bytes], ...]

    def key_for(self, size: int) -> bytes:
        """Find the key that signs a head of this size."""
        return [key for first, key in self.changes if first <= size][-1]


def log_keys(roots: TrustRoots, handovers: Iterable[tuple[int, Handover]]) -> LogKeys:
    """Work out who signs the log, from the roots and the handovers on the log.

    handovers: index and entry, in order.

    Raises:
        NotGenuine, Refused, InvalidInput: the controller did not sign one of them.
    """
    changes = [(0, roots.with_role(Role.HUB)[0].key)]
    for index, handover in handovers:
        log_key = check_handover(handover, index=index, roots=roots)
        changes.append((first_size_of(handover, index=index), log_key))
    return LogKeys(tuple(changes))


def check_log_signature(note: SignedNote, *, roots: TrustRoots, keys: LogKeys) -> Checkpoint:
    """Make sure that the log signed a head, and return it.

    Raises:
        NotGenuine: another origin, or no signature by the key of this size.
        InvalidInput: the text is no checkpoint.
    """
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != roots.origin:
        raise NotGenuine("A checkpoint is of another log.")
    key = keys.key_for(checkpoint.size)
    wanted = short_key_id(roots.origin, key, kind=ED25519)
    for line in note.signatures:
        if line.name == roots.origin and line.short_id == wanted:
            check_signature(line.signature, note.text.encode(), public=key)
            return checkpoint
    raise NotGenuine("A checkpoint is not signed by the log.")


def check_cosignature(line: NoteSignature, text: str, *, witness: Party) -> Cosigned:
    """Make sure that a witness signed this head at the time it says.

    Raises:
        NotGenuine: it did not.
        InvalidInput: the line has another length.
    """
    unix_time, signature = parse_cosignature(line.signature)
    message = cosigned_message(text, unix_time=unix_time)
    check_signature(signature, message, public=witness.key)
    return Cosigned(witness, unix_time)


def cosigners(note: SignedNote, *, roots: TrustRoots) -> list[Cosigned]:
    """List the witnesses of these roots who stand behind a head, each once.

    Lines of strangers are passed over, as the format wants; a line that claims
    to be a known witness's and is not raises.

    Raises:
        NotGenuine: a known witness's line does not verify.
    """
    found: dict[str, Cosigned] = {}
    for witness in roots.with_role(Role.WITNESS):
        wanted = short_key_id(witness.name, witness.key, kind=COSIGNATURE_V1)
        for line in note.signatures:
            if line.name == witness.name and line.short_id == wanted:
                found[witness.name] = check_cosignature(line, note.text, witness=witness)
    return list(found.values())


def check_head(document: bytes, *, roots: TrustRoots, keys: LogKeys) -> tuple[Head, list[Cosigned]]:
    """Make sure that a published head is the log's and that enough witnesses say so.

    Returns the head, and the witnesses behind it.

    Raises:
        NotWitnessed: fewer than q witnesses, with their number.
        NotGenuine, InvalidInput: the note is amiss.
    """
    note = parse_note(document)
    checkpoint = check_log_signature(note, roots=roots, keys=keys)
    behind = cosigners(note, roots=roots)
    if len(behind) < roots.quorum:
        raise NotWitnessed(
            f"{len(behind)} witnesses stand behind the log's head; {roots.quorum} are needed.",
            hint="Ask the log's operator for a checkpoint with all its cosignatures.",
        )
    return Head(checkpoint.size, checkpoint.root), behind


def check_fresh(
    behind: Iterable[Cosigned], *, roots: TrustRoots, now: datetime, max_age_s: int = MAX_AGE_S
) -> None:
    """Make sure that a head is the newest as far as anybody can tell.

    The age is that of the q-th newest cosignature, so that f liars cannot make
    an old head look new. What lies more than two minutes ahead is passed over.

    now: the reader's own clock.

    Raises:
        NotFresh: too few witnesses have cosigned lately, with the age in seconds.
    """
    today = int(now.timestamp())
    ages = sorted(today - cosigned.unix_time for cosigned in behind)
    counted = [age for age in ages if age >= -MAX_AHEAD_S]
    if len(counted) < roots.quorum:
        raise NotFresh("Too many cosignatures lie in the future of this clock.")
    age_s = counted[roots.quorum - 1]
    if age_s > max_age_s:
        raise NotFresh(
            f"The log's head was last cosigned {age_s} seconds ago; {max_age_s} are allowed.",
            hint="Fetch the log anew; if it stays old, its operator may be hiding a newer one.",
        )

"""The only writer of the public log: an act exists from the moment its checkpoint is published.

The order is that of `docs/protocols.md`, section 1. Each step is durable before
the next, and each can be taken again: a hub killed between any two finishes, at
its next start, exactly what it had begun.

A witness may be late, silent or lying: its answer counts only when its
signature verifies, and those that did not answer are named.

Several processes may act at once. An entry that names another one, or counts on
something not having happened yet, is right only if nothing comes between the
reading of the log and the recording: such acts are taken inside `Journal.alone`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from havre.application.asking import Asking, Patience
from havre.crypto.merkle import consistency_proof, inclusion_proof
from havre.domain.events import Event, Handover, encode_event, parse_event
from havre.domain.following import Followed, follow_entries
from havre.domain.handover import HandedOver
from havre.domain.transparency import Head, check_cosignature, check_log_signature
from havre.domain.trust import Party, Role, TrustRoots
from havre.errors import NotFound, NotGenuine, Refused, Unavailable
from havre.formats.notes import (
    ED25519,
    Checkpoint,
    NoteSignature,
    SignedNote,
    checkpoint_text,
    encode_note,
    parse_checkpoint,
    parse_note,
    short_key_id,
)
from havre.ports.log import LogMirror, LogStore
from havre.ports.records import Document, OutboxRow, Records
from havre.ports.tokens import Token
from havre.ports.witness import HandoverProof, Witness


class TooFewWitnesses(Unavailable):
    """A quorum is missing: no new act until those named answer."""


class Journal:
    """Takes acts, and returns when the world can see them.

    mirrors: those outside the hub who keep every entry; one must acknowledge.
    patience: how long anybody is waited for, and the rest once enough have answered.
    """

    def __init__(
        self,
        *,
        store: LogStore,
        records: Records,
        token: Token,
        roots: TrustRoots,
        witnesses: Sequence[Witness],
        mirrors: Sequence[LogMirror],
        patience: Patience | None = None,
    ) -> None:
        self._store = store
        self._records = records
        self._token = token
        self._roots = roots
        self._mirrors = mirrors
        self._patience = patience or Patience()
        self._cosigners = _Cosigners(
            store, witnesses=witnesses, roots=roots, patience=self._patience
        )
        self._followed = Followed()
        self._locked = False

    @property
    def complaints(self) -> dict[str, str]:
        """What witnesses that did not cosign the last head said, by name."""
        return dict(self._cosigners.complaints)

    def record(self, *events: Event, documents: Sequence[Document] = ()) -> tuple[int, ...]:
        """Put acts on the log, with the private documents that belong to them.

        An act whose event id is on the log already is not put there twice.

        Returns the entries' indexes, when the checkpoint over them is published.

        Raises:
            Unavailable: too few witnesses or no mirror answered; the acts are
                kept, not visible, and go out with the next record or resume.
            HandedOver: the log was handed over; nothing is kept.
            Refused: an event id is taken by another act.
            NotGenuine: the log's files were altered, or are older than what others saw.
        """
        rows = [OutboxRow(event.event_id, encode_event(event)) for event in events]
        # Nothing gets into the outbox but under the lock: else it could go out
        # between another process's reading and its recording.
        with self._lock():
            self.check_ours()
            self._records.commit(rows, documents)
            self._finish()
        return tuple(self._records.index_of(row.event_id) for row in rows)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other writer out, with the log caught up, until the context ends.

        What is read of the log inside stays true until what follows from it is
        recorded. It may be entered again inside itself.

        For short acts: whoever waits at this door may want to revoke a permit.
        So keys may be asked for inside, and nothing is done with them.

        Raises:
            Unavailable, Refused, NotGenuine: as `resume`; nothing was done.
        """
        with self._lock():
            self._finish()
            yield

    def check_ours(self) -> None:
        """Make sure that this host's key signs what comes next; asked before long work begins.

        Raises:
            HandedOver: the log was handed over to another host.
            NotGenuine: the log's files were altered, or are older than what the records know.
        """
        with self._lock():
            self._catch_up()
            self._check_key()

    def hand_over(self, last_words: Callable[[int], Sequence[Event]]) -> int:
        """Put the last acts under this key on the log, all of them in one head or none.

        last_words: the acts, a handover last, for the size that the log has: a
            handover is signed for one place, and at another it would spoil the
            log for ever. So they do not go through the outbox, where another
            process's act could come before them.

        Returns the index of the first.

        Raises:
            HandedOver: it was handed over before.
            Unavailable: too few witnesses or no mirror answered; if a head was
                signed already, it goes out with the next resume.
        """
        with self.alone():
            self._check_key()
            size = self._followed.size
            self._publish(self._append([encode_event(event) for event in last_words(size)]))
            self._catch_up()
        return size

    def resume(self) -> None:
        """Finish whatever was begun: a pending checkpoint first, then the outbox.

        Raises:
            Unavailable: too few witnesses or no mirror answered; they are named.
            HandedOver: acts wait, and the log was handed over to another host.
            NotGenuine: the log's files were altered, or are older than what others saw.
        """
        with self.alone():
            pass

    def renew(self) -> None:
        """Have the published head cosigned anew, so that a reader sees it is still the newest.

        After a handover it is the newest no more, and stays as it is.

        Raises:
            NotFound: nothing was published yet.
            Unavailable: too few witnesses answered; the old head stays.
        """
        with self.alone():
            if self._handed_over():
                return
            note = parse_note(self._store.checkpoint())
            ours = tuple(line for line in note.signatures if line.name == self._roots.origin)
            self._publish(encode_note(SignedNote(note.text, ours)))

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the log's lock; whoever holds it in this process goes straight in."""
        if self._locked:
            yield
            return
        with self._store.exclusive():
            self._locked = True
            try:
                yield
            finally:
                self._locked = False

    def _finish(self) -> None:
        """Publish what was begun: a pending checkpoint first, then the outbox."""
        waiting = self._store.pending()
        if waiting is not None:
            self._publish(waiting)
        self._catch_up()
        while rows := _first_batch(self._records.pending()):
            self._publish(self._append([row.entry for row in rows]))
            self._catch_up()

    def _append(self, entries: Sequence[bytes]) -> bytes:
        """Store entries, sign the head over them, and store that before anybody sees it."""
        start = self._followed.size
        size = start + len(entries)
        self._check_key()
        # Before a new head is signed: a hub that was set back in time must not
        # sign a second history.
        self._check_mirrors_saw_no_more(start)
        self._cosigners.check_saw_no_more(start)
        root = self._store.append(entries, at=start)
        signed = self._sign(Checkpoint(self._roots.origin, size, root))
        self._store.put_pending(signed)
        return signed

    def _handed_over(self) -> bool:
        keys = self._followed.keys(self._roots)
        return keys.key_for(self._followed.size + 1) != self._token.public

    def _check_key(self) -> None:
        if not self._handed_over():
            return
        for index, handover in reversed(self._followed.handovers):
            raise HandedOver(handover, index=index)
        raise Refused(
            "The log is signed by another key than this host has.",
            hint="Compare the hub's own directory of keys with the trust roots.",
        )

    def _catch_up(self) -> None:
        """Bring records that are behind the log up to it; its entries are the truth."""
        head = self._published()
        known = self._records.published_size()
        if max(known, self._followed.size) > head.size:
            raise NotGenuine(
                f"The records know {known} entries and the log has {head.size}: it was cut off.",
                hint="Do not go on. Restore the log from a custodian's mirror.",
            )
        fresh = self._store.entries(self._followed.size, head.size)
        followed, _ = follow_entries(self._followed, fresh)
        if followed.head != head:
            raise NotGenuine("The log's files do not lead to its own head: they were altered.")
        self._followed = followed
        if known < head.size:
            entries = self._store.entries(known, head.size)
            ids = [parse_event(entry).event_id for entry in entries]
            self._records.commit(list(map(OutboxRow, ids, entries)))
            self._records.mark_published(ids, first_index=known)

    def _published(self) -> Head:
        try:
            checkpoint = parse_checkpoint(parse_note(self._store.checkpoint()).text)
        except NotFound:
            return Followed().head
        return Head(checkpoint.size, checkpoint.root)

    def _sign(self, checkpoint: Checkpoint) -> bytes:
        text = checkpoint_text(checkpoint)
        short_id = short_key_id(self._roots.origin, self._token.public, kind=ED25519)
        line = NoteSignature(self._roots.origin, short_id, self._token.sign(text.encode()))
        return encode_note(SignedNote(text, (line,)))

    def _publish(self, signed: bytes) -> None:
        """Mirror, cosign, publish; signed bytes are used as they are stored."""
        self._mirror(signed)
        note = parse_note(signed)
        cosigned = self._cosigners.collect(signed)
        self._store.publish(encode_note(SignedNote(note.text, (*note.signatures, *cosigned))))

    def _mirror(self, signed: bytes) -> None:
        """Have the entries kept outside the hub before any witness sees the head."""
        size = parse_checkpoint(parse_note(signed).text).size
        acknowledged, refusals = 0, []
        asking = Asking(
            {each.name: partial(self._extend, each, size, signed) for each in self._mirrors},
            patience=self._patience,
        )
        for said in asking:
            if said.refusal is None:
                acknowledged += 1
                asking.hurry()
            else:
                refusals.append(said.refusal.message)
        if not acknowledged:
            raise Unavailable(
                "Nobody outside the hub keeps a copy of the log."
                # Often every one says the same: once is enough.
                f" {' '.join(dict.fromkeys(refusals))}".rstrip(),
                hint="Start at least one custodian, then run the command again.",
            )

    def _extend(self, mirror: LogMirror, size: int, signed: bytes) -> None:
        held = mirror.held()
        mirror.extend(held, self._store.entries(min(held, size), size), note=signed)

    def _check_mirrors_saw_no_more(self, size: int) -> None:
        """Stop when a mirror shows a longer head under the log's own signature."""
        asking = Asking(
            {each.name: partial(self._longer_note, each, size) for each in self._mirrors},
            patience=self._patience,
        )
        for said in asking:
            if said.refusal is None:
                asking.hurry()
            if said.answer is not None:
                raise NotGenuine(
                    f"A mirror keeps more of the log than the {size} entries that are here.",
                    hint="The log was set back. Restore it from the mirror before you go on.",
                )

    def _longer_note(self, mirror: LogMirror, size: int) -> bytes | None:
        """Ask a mirror for a longer head that the log signed; null when it has none."""
        note = mirror.newest_note() if mirror.held() > size else None
        # Without the signature it is only a claim, and one mirror must not be able to
        # stop a hub by a claim.
        return note if note is not None and self._is_longer(note, size) else None

    def _is_longer(self, note: bytes, size: int) -> bool:
        keys = self._followed.keys(self._roots)
        return check_log_signature(parse_note(note), roots=self._roots, keys=keys).size > size


class _Desk(Protocol):
    """A use case that records acts."""

    _journal: Journal


_D = TypeVar("_D", bound=_Desk)
_P = ParamSpec("_P")
_R = TypeVar("_R")


def taken_alone(act: Callable[Concatenate[_D, _P], _R]) -> Callable[Concatenate[_D, _P], _R]:
    """Take a use case's act inside `Journal.alone`, from its first line to its last."""

    @wraps(act)
    def alone(self: _D, /, *args: _P.args, **named: _P.kwargs) -> _R:
        with self._journal.alone():
            return act(self, *args, **named)

    return alone


class _Cosigners:
    """The witnesses of one log, as its journal sees them.

    complaints: what those said that did not cosign the last head, by name.
    """

    def __init__(
        self,
        store: LogStore,
        *,
        witnesses: Sequence[Witness],
        roots: TrustRoots,
        patience: Patience,
    ) -> None:
        self._store = store
        self._witnesses = witnesses
        self._roots = roots
        self._patience = patience
        self.complaints: dict[str, str] = {}

    def check_saw_no_more(self, size: int) -> None:
        """Stop when more witnesses than may lie have seen a longer log.

        Raises:
            NotGenuine: naming them.
        """
        ahead, answered = [], 0
        asking = self._asking(lambda witness: witness.size_seen(self._roots.origin))
        for said in asking:
            if said.answer is None:
                continue
            answered += 1
            if said.answer > size:
                ahead.append(said.name)
            if answered == self._roots.quorum:
                asking.hurry()
        if len(ahead) > self._roots.faulty_witnesses:
            raise NotGenuine(
                f"These witnesses saw more of the log than the {size} entries that are here:"
                f" {', '.join(sorted(ahead))}.",
                hint="The log was set back. Restore it from a custodian's mirror.",
            )

    def collect(self, signed: bytes) -> list[NoteSignature]:
        """Ask every witness for a cosignature of a signed head.

        Returns at least a quorum of lines, each verified.

        Raises:
            TooFewWitnesses: naming each that did not cosign.
        """
        checkpoint = parse_checkpoint(parse_note(signed).text)
        self.complaints = {}
        lines: list[NoteSignature] = []
        asking = self._asking(lambda witness: self._ask(witness, signed, checkpoint))
        for said in asking:
            if said.answer is None:
                self.complaints[said.name] = said.refusal.message if said.refusal else ""
                continue
            lines.append(said.answer)
            if len(lines) == self._roots.quorum:
                asking.hurry()
        if len(lines) < self._roots.quorum:
            why = " ".join(f"{name}: {text}" for name, text in sorted(self.complaints.items()))
            raise TooFewWitnesses(
                f"{len(lines)} witnesses cosigned, {self._roots.quorum} are needed. {why}",
                hint="The act is kept and goes out when they answer: run the command again.",
            )
        self.complaints |= {name: late.message for name, late in asking.late().items()}
        return sorted(lines, key=lambda line: line.name)

    def _asking(self, question: Callable[[Witness], _R]) -> Asking[_R]:
        """Put a question to every witness at once."""
        return Asking(
            {each.name: partial(question, each) for each in self._witnesses},
            patience=self._patience,
        )

    def _ask(self, witness: Witness, signed: bytes, checkpoint: Checkpoint) -> NoteSignature:
        """Ask one witness, and check its answer: one that lies must not spoil the note."""
        party = self._party(witness.name)
        seen = witness.size_seen(self._roots.origin)
        if seen > checkpoint.size:
            raise NotGenuine(f"It saw {seen} entries, and the log has {checkpoint.size}.")
        node = _NodeAt(self._store, checkpoint.size)
        line = witness.cosign(
            signed,
            old_size=seen,
            proof=consistency_proof(seen, size=checkpoint.size, node=node),
            handovers=self._handovers(seen, checkpoint.size, node=node),
        )
        check_cosignature(line, parse_note(signed).text, witness=party)
        return line

    def _party(self, name: str) -> Party:
        for party in self._roots.with_role(Role.WITNESS):
            if party.name == name:
                return party
        raise NotGenuine("It is no witness of these trust roots.")

    def _handovers(self, seen: int, size: int, *, node: _NodeAt) -> list[HandoverProof]:
        """Prove each change of the log's key from the last entry that a witness saw on."""
        first = max(0, seen - 1)
        proofs = []
        for index, entry in enumerate(self._store.entries(first, size), start=first):
            if isinstance(parse_event(entry), Handover):
                proof = inclusion_proof(index, size=size, node=node)
                proofs.append(HandoverProof(entry, index, tuple(proof)))
        return proofs


class _NodeAt:
    """Reads subtree hashes of a log at one size."""

    def __init__(self, store: LogStore, size: int) -> None:
        self._store, self._size = store, size

    def __call__(self, level: int, index: int) -> bytes:
        return self._store.node(level, index, size=self._size)


def _first_batch(rows: Iterable[OutboxRow]) -> list[OutboxRow]:
    """Take rows up to a handover: what comes after it is under another key."""
    batch: list[OutboxRow] = []
    for row in rows:
        batch.append(row)
        if isinstance(parse_event(row.entry), Handover):
            break
    return batch

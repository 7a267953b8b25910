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

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from havre.application.asking import Patience
from havre.application.outside import Copies, Cosigners
from havre.domain.events import Event, encode_event, parse_event
from havre.domain.following import Followed, follow_entries
from havre.domain.handover import HandedOver, up_to_change
from havre.domain.transparency import Head
from havre.domain.trust import TrustRoots
from havre.errors import NotFound, NotGenuine, Refused
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
from havre.ports.witness import Witness


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
        patience = patience or Patience()
        self._cosigners = Cosigners(store, witnesses=witnesses, roots=roots, patience=patience)
        self._copies = Copies(store, mirrors=mirrors, roots=roots, patience=patience)
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

    def recover(self, recovery: Callable[[int], Event]) -> int:
        """Go on with a log whose host was lost: the recovery is the first entry under this key.

        recovery: for the size that the log has here; not through the outbox, as a
            handover is not. Returns its index.

        Raises:
            Refused: this key signs the log already, or the recovery is for another.
            NotGenuine: mirrors or witnesses have more of the log than is here.
            Unavailable: too few witnesses or no mirror answered.
        """
        with self._lock():
            self._settle()
            if not self._handed_over():
                raise Refused("This host's key signs the log already: nothing is to be recovered.")
            size = self._followed.size
            entry = encode_event(recovery(size))
            after, _ = follow_entries(self._followed, [entry])
            if after.keys(self._roots).key_for(size + 1) != self._token.public:
                raise Refused("The controller's recovery is for the key of another host.")
            self._publish(self._put_head([entry]))
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
            NotGenuine: others saw more of the log than is here.
        """
        with self.alone():
            if self._handed_over():
                return
            self._check_not_set_back()
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
        self._settle()
        while entries := up_to_change(row.entry for row in self._records.pending()):
            self._publish(self._append(entries))
            self._catch_up()

    def _settle(self) -> None:
        waiting = self._store.pending()
        if waiting is not None:
            self._publish(waiting)
        self._catch_up()

    def _append(self, entries: Sequence[bytes]) -> bytes:
        """Store entries, sign the head over them, and store that before anybody sees it."""
        self._check_key()
        return self._put_head(entries)

    def _put_head(self, entries: Sequence[bytes]) -> bytes:
        start = self._followed.size
        size = start + len(entries)
        # Before a new head is signed: a hub that was set back in time must not
        # sign a second history.
        self._check_not_set_back()
        root = self._store.append(entries, at=start)
        signed = self._sign(Checkpoint(self._roots.origin, size, root))
        self._store.put_pending(signed)
        return signed

    def _check_not_set_back(self) -> None:
        """Make sure that nobody outside has seen more of the log than is here."""
        self._copies.check_saw_no_more(self._followed.size, keys=self._followed.keys(self._roots))
        self._cosigners.check_saw_no_more(self._followed.size)

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
        self._copies.extend(signed)
        note = parse_note(signed)
        cosigned = self._cosigners.collect(signed)
        self._store.publish(encode_note(SignedNote(note.text, (*note.signatures, *cosigned))))


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

"""The only writer of the public log: an act exists from the moment its checkpoint is published.

The order is that of `docs/protocols.md`, section 1. Each step is durable before
the next, and each can be taken again: a hub killed between any two finishes, at
its next start, exactly what it had begun.
"""

from __future__ import annotations

from collections.abc import Sequence

from havre.crypto.merkle import consistency_proof, inclusion_proof, tree_root
from havre.domain.events import Event, Handover, encode_event, parse_event
from havre.domain.transparency import Head, LogKeys, check_cosignature
from havre.domain.trust import Role, TrustRoots
from havre.errors import HavreError, NotFound, NotGenuine, Unavailable
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


class Journal:
    """Takes acts, and returns when the world can see them.

    mirrors: those outside the hub who keep every entry; one must acknowledge.
    keys: who signs the log's heads, as far as the log is known.
    """

    def __init__(
        self,
        *,
        store: LogStore,
        records: Records,
        token: Token,
        roots: TrustRoots,
        keys: LogKeys,
        witnesses: Sequence[Witness],
        mirrors: Sequence[LogMirror],
    ) -> None:
        self._store = store
        self._records = records
        self._token = token
        self._roots = roots
        self._keys = keys
        self._witnesses = witnesses
        self._mirrors = mirrors

    def record(self, *events: Event, documents: Sequence[Document] = ()) -> tuple[int, ...]:
        """Put acts on the log, with the private documents that belong to them.

        Returns the entries' indexes, when the checkpoint over them is published.

        Raises:
            Unavailable: too few witnesses or no mirror answered; the acts are
                kept, not visible, and go out with the next record or resume.
        """
        rows = [OutboxRow(event.event_id, encode_event(event)) for event in events]
        self._records.commit(rows, documents)
        placed = self.resume()
        return tuple(placed[row.event_id] for row in rows)

    def resume(self) -> dict[str, int]:
        """Finish whatever was begun: a pending checkpoint first, then the outbox.

        Returns the index of every event that went out now.

        Raises:
            Unavailable: too few witnesses or no mirror answered.
            NotGenuine: the records are ahead of the log, which cannot be.
        """
        placed: dict[str, int] = {}
        with self._store.exclusive():
            waiting = self._store.pending()
            if waiting is not None:
                self._publish(waiting)
            placed |= self._mark_what_is_out()
            rows = self._records.pending()
            if rows:
                size = self._published().size
                entries = [row.entry for row in rows]
                root = self._store.append(entries, at=size)
                signed = self._sign(Checkpoint(self._roots.origin, size + len(rows), root))
                self._store.put_pending(signed)
                self._publish(signed)
                placed |= self._mark_what_is_out()
        return placed

    def _mark_what_is_out(self) -> dict[str, int]:
        """Bring records that are behind the log up to it; its entries are the truth."""
        known, size = self._records.published_size(), self._published().size
        if known > size:
            raise NotGenuine(
                f"The records know {known} entries and the log has {size}: it was cut off.",
                hint="Do not go on. Restore the log from a custodian's mirror.",
            )
        entries = self._store.entries(known, size)
        ids = [parse_event(entry).event_id for entry in entries]
        self._records.commit(
            [OutboxRow(event_id, entry) for event_id, entry in zip(ids, entries, strict=True)]
        )
        self._records.mark_published(ids, first_index=known)
        return {event_id: known + place for place, event_id in enumerate(ids)}

    def _published(self) -> Head:
        try:
            checkpoint = parse_checkpoint(parse_note(self._store.checkpoint()).text)
        except NotFound:
            return Head(0, tree_root(0, node=_no_node))
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
        cosigned = self._collect(signed, parse_checkpoint(note.text))
        self._store.publish(encode_note(SignedNote(note.text, (*note.signatures, *cosigned))))

    def _mirror(self, signed: bytes) -> None:
        size = parse_checkpoint(parse_note(signed).text).size
        acknowledged = 0
        for mirror in self._mirrors:
            try:
                held = mirror.held()
                mirror.extend(held, self._store.entries(held, size), note=signed)
                acknowledged += 1
            except (NotGenuine, Unavailable):
                continue
        if not acknowledged:
            raise Unavailable(
                "Nobody outside the hub acknowledged a copy of the log.",
                hint="Start at least one custodian, then run the command again.",
            )

    def _collect(self, signed: bytes, checkpoint: Checkpoint) -> list[NoteSignature]:
        lines: list[NoteSignature] = []
        silent: list[str] = []
        for witness in self._witnesses:
            try:
                lines.append(self._ask(witness, signed, checkpoint))
            except HavreError:
                silent.append(witness.name)
        if len(lines) < self._roots.quorum:
            raise Unavailable(
                f"{len(lines)} witnesses cosigned, {self._roots.quorum} are needed;"
                f" missing: {', '.join(sorted(silent))}.",
                hint="The act is kept and goes out when they answer: run the command again.",
            )
        return lines

    def _ask(self, witness: Witness, signed: bytes, checkpoint: Checkpoint) -> NoteSignature:
        """Ask one witness, and check its answer: one that lies must not spoil the note."""
        seen = witness.size_seen(self._roots.origin)
        if seen > checkpoint.size:
            raise NotGenuine(f"Witness {witness.name} saw a longer log than there is.")
        line = witness.cosign(
            signed,
            old_size=seen,
            proof=consistency_proof(seen, size=checkpoint.size, node=self._node(checkpoint.size)),
            handover=self._handover(seen),
        )
        party = next(
            party for party in self._roots.with_role(Role.WITNESS) if party.name == witness.name
        )
        check_cosignature(line, parse_note(signed).text, witness=party)
        return line

    def _handover(self, seen: int) -> HandoverProof | None:
        """Prove the change of the log's key to a witness that saw exactly up to it."""
        if seen == 0 or self._keys.key_for(seen) == self._keys.key_for(seen + 1):
            return None
        entry = self._store.entries(seen - 1, seen)[0]
        if not isinstance(parse_event(entry), Handover):
            return None
        proof = inclusion_proof(seen - 1, size=seen, node=self._node(seen))
        return HandoverProof(entry, seen - 1, tuple(proof))

    def _node(self, size: int) -> _NodeAt:
        return _NodeAt(self._store, size)


class _NodeAt:
    """Reads subtree hashes of a log at one size."""

    def __init__(self, store: LogStore, size: int) -> None:
        self._store, self._size = store, size

    def __call__(self, level: int, index: int) -> bytes:
        return self._store.node(level, index, size=self._size)


def _no_node(_level: int, _index: int) -> bytes:
    raise NotFound("An empty log has no hashes.")

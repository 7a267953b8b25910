"""Those outside the hub without whom no act is published: witnesses, and keepers of copies.

Part of the journal, which alone asks them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from havre.application.asking import Asking, Patience
from havre.crypto.merkle import consistency_proof, inclusion_proof
from havre.domain.events import Handover, parse_event
from havre.domain.transparency import LogKeys, check_cosignature, check_log_signature
from havre.domain.trust import Party, Role, TrustRoots
from havre.errors import NotGenuine, Unavailable
from havre.formats.notes import Checkpoint, NoteSignature, parse_checkpoint, parse_note
from havre.ports.log import LogMirror, LogStore
from havre.ports.witness import HandoverProof, Witness

_R = TypeVar("_R")


class TooFewWitnesses(Unavailable):
    """A quorum is missing: no new act until those named answer."""


class Copies:
    """The keepers of copies of one log, as its journal sees them."""

    def __init__(
        self,
        store: LogStore,
        *,
        mirrors: Sequence[LogMirror],
        roots: TrustRoots,
        patience: Patience,
    ) -> None:
        if len({each.name for each in mirrors}) != len(mirrors):
            raise ValueError("Two keepers of a copy have one name: one would not be asked.")
        self._store = store
        self._mirrors = mirrors
        self._roots = roots
        self._patience = patience

    def extend(self, signed: bytes) -> None:
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

    def check_saw_no_more(self, size: int, *, keys: LogKeys) -> None:
        """Stop when a mirror shows a longer head under the log's own signature."""
        asking = Asking(
            {each.name: partial(self._longer_note, each, size, keys) for each in self._mirrors},
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

    def _longer_note(self, mirror: LogMirror, size: int, keys: LogKeys) -> bytes | None:
        """Ask a mirror for a longer head that the log signed; null when it has none."""
        note = mirror.newest_note() if mirror.held() > size else None
        # Without the signature it is only a claim, and one mirror must not be able to
        # stop a hub by a claim.
        return note if note is not None and self._is_longer(note, size, keys) else None

    def _is_longer(self, note: bytes, size: int, keys: LogKeys) -> bool:
        return check_log_signature(parse_note(note), roots=self._roots, keys=keys).size > size


class Cosigners:
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
        if len({each.name for each in witnesses}) != len(witnesses):
            raise ValueError("Two witnesses have one name: one would not be asked.")
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

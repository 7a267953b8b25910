"""What every witness promises (`ports.witness`).

An adapter's test imports `*` from here and gives a fixture `stage`: a log that
signs, and a witness that has seen nothing yet.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from fakes.log import MemoryLog
from fakes.parties import START, Cast, Hands, SetClock
from havre.crypto.merkle import consistency_proof, inclusion_proof
from havre.crypto.random import new_object_id
from havre.domain.events import CatalogueImported, Handover, Recovery, encode_event
from havre.domain.handover import handover_statement, recovery_statement
from havre.domain.permit_signing import Ground
from havre.domain.statements import Statement, sign_statement
from havre.domain.transparency import check_cosignature
from havre.domain.withdrawal import PREDICATE_DECISION
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.notes import (
    ED25519,
    Checkpoint,
    NoteSignature,
    SignedNote,
    checkpoint_text,
    encode_note,
    parse_note,
    short_key_id,
)
from havre.ports.counters import DecisionKeeper
from havre.ports.witness import HandoverProof, Witness


class KeepingWitness(Witness, DecisionKeeper, Protocol):
    """A witness that also keeps decisions."""


@dataclass
class Stage:
    """A log that grows in memory and signs what it is told to, beside one witness."""

    witness: KeepingWitness
    cast: Cast
    clock: SetClock
    log: MemoryLog = field(default_factory=MemoryLog)
    size: int = 0

    def grow(self, *entries: bytes) -> None:
        self.log.append(entries, at=self.size)
        self.size += len(entries)

    def note(self, *, signer: str = "hub", origin: str | None = None) -> bytes:
        name = origin or self.cast.roots.origin
        root = self.log.append([], at=self.size)
        text = checkpoint_text(Checkpoint(name, self.size, root))
        hands = self.cast[signer]
        short_id = short_key_id(name, hands.public, kind=ED25519)
        return encode_note(
            SignedNote(text, (NoteSignature(name, short_id, hands.sign(text.encode())),))
        )

    def ask(self, note: bytes, *, handovers: tuple[HandoverProof, ...] = ()) -> NoteSignature:
        seen = self.witness.size_seen(self.cast.roots.origin)
        proof = consistency_proof(seen, size=self.size, node=self.node)
        return self.witness.cosign(note, old_size=seen, proof=proof, handovers=handovers)

    def node(self, level: int, index: int) -> bytes:
        return self.log.node(level, index, size=self.size)

    def hand_over(self, to: str, *, signer: str = "controller") -> int:
        """Append a handover; returns its index."""
        index = self.size
        public = self.cast[to].public
        statement = handover_statement(public, index=index, origin=self.cast.roots.origin)
        envelope = sign_statement(statement, [self.cast[signer]])
        event = Handover(
            event_id=new_object_id(),
            at=START,
            log_key=public.hex(),
            statement=base64.b64encode(envelope).decode(),
        )
        self.grow(encode_event(event))
        return index

    def recover(self, to: str, *, signer: str = "controller", at: int | None = None) -> int:
        """Append a recovery; returns its index. at: the place that the controller signed for."""
        index = self.size
        public, origin = self.cast[to].public, self.cast.roots.origin
        statement = recovery_statement(
            public, index=index if at is None else at, origin=origin, backup_sha256="0" * 64
        )
        event = Recovery(
            event_id=new_object_id(),
            at=START,
            log_key=public.hex(),
            statement=base64.b64encode(sign_statement(statement, [self.cast[signer]])).decode(),
            backup_sha256="0" * 64,
        )
        self.grow(encode_event(event))
        return index

    def proof(self, index: int) -> HandoverProof:
        found = inclusion_proof(index, size=self.size, node=self.node)
        return HandoverProof(self.log.entries(index, index + 1)[0], index, tuple(found))


def new_host(stage: Stage, name: str = "new-host") -> str:
    stage.cast.people[name] = Hands(name)
    return name


def test_a_head_that_continues_the_last_one_is_cosigned(stage: Stage) -> None:
    for entry in (b"one", b"two", b"three"):
        stage.grow(entry)
        note = stage.note()
        line = stage.ask(note)
        party = next(p for p in stage.cast.roots.parties if p.name == stage.witness.name)
        cosigned = check_cosignature(line, parse_note(note).text, witness=party)

        assert cosigned.unix_time == int(stage.clock.now().timestamp())

    assert stage.witness.size_seen(stage.cast.roots.origin) == 3


def test_an_unchanged_head_is_cosigned_anew(stage: Stage) -> None:
    stage.grow(b"one")
    first = stage.ask(stage.note())
    stage.clock.move(minutes=5)

    assert stage.ask(stage.note()).signature != first.signature


def test_another_head_of_the_same_size_is_a_fork(stage: Stage) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    stage.size = 0
    stage.grow(b"another")

    with pytest.raises(NotGenuine, match="fork"):
        stage.ask(stage.note())


def test_a_shorter_log_is_refused(stage: Stage) -> None:
    stage.grow(b"one", b"two")
    stage.ask(stage.note())
    stage.size = 0
    stage.grow(b"one")

    with pytest.raises(NotGenuine):
        stage.witness.cosign(stage.note(), old_size=2, proof=[])


def test_a_rewritten_past_is_refused_and_what_was_seen_stays(stage: Stage) -> None:
    stage.grow(b"one", b"two")
    stage.ask(stage.note())
    stage.size = 0
    stage.grow(b"one", b"other", b"three")

    with pytest.raises(NotGenuine):
        stage.ask(stage.note())

    assert stage.witness.size_seen(stage.cast.roots.origin) == 2


def test_a_wrong_idea_of_what_it_saw_is_refused(stage: Stage) -> None:
    stage.grow(b"one", b"two")

    with pytest.raises(Refused):
        stage.witness.cosign(stage.note(), old_size=1, proof=[])


def test_a_head_that_the_log_did_not_sign_is_refused(stage: Stage) -> None:
    stage.grow(b"one")

    with pytest.raises(NotGenuine):
        stage.ask(stage.note(signer="researcher"))


def test_a_head_of_another_log_is_refused(stage: Stage) -> None:
    stage.grow(b"one")

    with pytest.raises(NotGenuine):
        stage.ask(stage.note(origin="elsewhere.example/log"))


def test_after_a_handover_the_new_key_signs(stage: Stage) -> None:
    index = stage.hand_over(new_host(stage))
    stage.ask(stage.note(), handovers=(stage.proof(index),))
    stage.grow(b"at the new host")

    stage.ask(stage.note(signer="new-host"), handovers=(stage.proof(index),))

    assert stage.witness.size_seen(stage.cast.roots.origin) == index + 2


def test_after_a_handover_the_old_key_signs_no_more(stage: Stage) -> None:
    index = stage.hand_over(new_host(stage))
    stage.ask(stage.note(), handovers=(stage.proof(index),))
    stage.grow(b"the old host goes on")

    with pytest.raises(NotGenuine):
        stage.ask(stage.note(signer="hub"))


def test_a_witness_that_slept_through_a_handover_catches_up(stage: Stage) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    stage.grow(b"two")
    index = stage.hand_over(new_host(stage))
    stage.grow(b"at the new host")

    stage.ask(stage.note(signer="new-host"), handovers=(stage.proof(index),))

    assert stage.witness.size_seen(stage.cast.roots.origin) == 4


def test_a_handover_that_the_controller_did_not_sign_is_refused(stage: Stage) -> None:
    index = stage.hand_over(new_host(stage), signer="hub")
    stage.grow(b"more")

    with pytest.raises((NotGenuine, Refused)):
        stage.ask(stage.note(signer="new-host"), handovers=(stage.proof(index),))


def test_a_handover_that_is_not_on_the_log_is_refused(stage: Stage) -> None:
    index = stage.hand_over(new_host(stage))
    genuine = stage.proof(index)
    stage.size = 0
    stage.grow(b"another entry in its place", b"more")

    with pytest.raises(NotGenuine):
        stage.ask(stage.note(signer="new-host"), handovers=(genuine,))


def test_an_old_handover_does_not_bring_an_old_key_back(stage: Stage) -> None:
    first = stage.hand_over(new_host(stage, "second-host"))
    stage.grow(b"a")
    stage.ask(stage.note(signer="second-host"), handovers=(stage.proof(first),))
    second = stage.hand_over(new_host(stage, "third-host"))
    stage.ask(stage.note(signer="second-host"), handovers=(stage.proof(second),))
    stage.grow(b"b")
    stage.ask(stage.note(signer="third-host"))
    stage.grow(b"the second host again")

    with pytest.raises(NotGenuine):
        stage.ask(stage.note(signer="second-host"), handovers=(stage.proof(first),))


def test_an_ordinary_entry_offered_as_a_handover_is_refused(stage: Stage) -> None:
    event = CatalogueImported(
        event_id=new_object_id(), at=START, catalogue_sha256="0" * 64, tables=1
    )
    stage.grow(encode_event(event))

    with pytest.raises(NotGenuine):
        stage.ask(stage.note(), handovers=(stage.proof(0),))


def decided(stage: Stage, state: str, *, by: str = "authority-1") -> bytes:
    text = {"reason": "a breach", "state": state, **Ground(4, START).fields}
    statement = Statement(PREDICATE_DECISION, stage.cast.roots.origin, "diabetes", text)
    return sign_statement(statement, [stage.cast[by]])


def test_an_authoritys_decision_is_kept_and_told_to_whoever_asks(stage: Stage) -> None:
    decisions = [decided(stage, state) for state in ("suspended", "revoked", "revoked")]

    assert {stage.witness.keep_decision(each) for each in decisions} == {"diabetes"}
    assert sorted(stage.witness.withdrawals()) == sorted(set(decisions))


def test_a_decision_by_nobody_who_may_is_not_kept(stage: Stage) -> None:
    for signed in (decided(stage, "revoked", by="researcher"), decided(stage, "granted"), b"{}"):
        with pytest.raises((Refused, NotGenuine, InvalidInput)):
            stage.witness.keep_decision(signed)

    assert list(stage.witness.withdrawals()) == []


# ------------------------------------------------------------ a host that was lost


def test_a_recovery_is_cosigned_under_the_new_key_at_once(stage: Stage) -> None:
    """A lost host has no last word: the head that ends with the recovery is the new key's."""
    stage.grow(b"one")
    stage.ask(stage.note())
    index = stage.recover(new_host(stage))

    stage.ask(stage.note(signer="new-host"), handovers=(stage.proof(index),))

    assert stage.witness.size_seen(stage.cast.roots.origin) == index + 1


def test_after_a_recovery_the_lost_hosts_key_signs_no_more(stage: Stage) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    index = stage.recover(new_host(stage))
    with pytest.raises(NotGenuine):
        stage.ask(stage.note(signer="hub"), handovers=(stage.proof(index),))
    stage.ask(stage.note(signer="new-host"), handovers=(stage.proof(index),))
    stage.grow(b"the lost host is back")

    with pytest.raises(NotGenuine):
        stage.ask(stage.note(signer="hub"))


def test_a_recovery_does_not_take_back_what_a_witness_saw(stage: Stage) -> None:
    """The new host has a log that lacks the last entry that this witness cosigned."""
    stage.grow(b"one", b"two")
    stage.ask(stage.note())
    stage.size = 1
    index = stage.recover(new_host(stage))

    with pytest.raises(NotGenuine):
        stage.ask(stage.note(signer="new-host"), handovers=(stage.proof(index),))

    assert stage.witness.size_seen(stage.cast.roots.origin) == 2


@pytest.mark.parametrize("amiss", ["signer", "place"])
def test_a_recovery_that_the_controller_did_not_sign_for_this_place_is_refused(
    stage: Stage, amiss: str
) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    host = new_host(stage)
    index = stage.recover(host, signer="hub") if amiss == "signer" else stage.recover(host, at=7)

    with pytest.raises((NotGenuine, Refused)):
        stage.ask(stage.note(signer="new-host"), handovers=(stage.proof(index),))


def test_a_host_that_was_lost_before_it_wrote_anything_is_recovered(stage: Stage) -> None:
    """And the handover to it, shown again, does not bring its key back."""
    handed = stage.hand_over(new_host(stage, "lost-host"))
    stage.ask(stage.note(), handovers=(stage.proof(handed),))
    index = stage.recover(new_host(stage, "third-host"))
    stage.ask(stage.note(signer="third-host"), handovers=(stage.proof(index),))
    stage.grow(b"the lost host is back")

    with pytest.raises(NotGenuine):
        stage.ask(stage.note(signer="lost-host"), handovers=(stage.proof(handed),))
    stage.ask(stage.note(signer="third-host"), handovers=(stage.proof(handed),))

"""What a witness's service answers: the same witness as in process, behind a desk."""

from __future__ import annotations

from havre.adapters.witness.local import LocalWitness
from havre.adapters.witness.wire import encode_cosignature_line, parse_head
from havre.domain.trust import Role
from havre.formats.canonical import encode_canonical
from havre.formats.wire import Message, to_base64
from havre.ports.channel import Act, Desk

_HUB = frozenset({Role.HUB})


class WitnessDesk:
    """Reads messages, asks the witness, writes its answers."""

    def __init__(self, witness: LocalWitness) -> None:
        self._witness = witness

    @property
    def acts(self) -> Desk:
        """Everything that can be asked, and by whom."""
        return {
            "size-seen": Act(self._size_seen, _HUB),
            "cosign": Act(self._cosign, _HUB),
            "keep-decision": Act(self._keep_decision, _HUB | {Role.AUTHORITY}, direct=True),
            "withdrawals": Act(self._withdrawals, frozenset(Role)),
        }

    def _size_seen(self, body: bytes) -> bytes:
        origin = Message(body, "origin").text("origin")
        return encode_canonical({"size": self._witness.size_seen(origin)})

    def _cosign(self, body: bytes) -> bytes:
        note, old_size, proof, handovers = parse_head(body)
        return encode_cosignature_line(
            self._witness.cosign(note, old_size=old_size, proof=proof, handovers=handovers)
        )

    def _keep_decision(self, body: bytes) -> bytes:
        envelope = Message(body, "envelope").binary("envelope")
        return encode_canonical({"permit": self._witness.keep_decision(envelope)})

    def _withdrawals(self, body: bytes) -> bytes:
        Message(body)
        kept = [to_base64(each) for each in self._witness.withdrawals()]
        return encode_canonical({"envelopes": [*kept]})

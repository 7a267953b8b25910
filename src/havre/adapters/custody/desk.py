"""What a custodian's service answers: the same custodian as in process, behind a desk."""

from __future__ import annotations

from havre.adapters.custody.local import LocalCustodian
from havre.adapters.custody.wire import encode_answer, parse_ceremony, parse_erasure, parse_request
from havre.domain.trust import Role
from havre.errors import NotGenuine
from havre.formats.canonical import encode_canonical
from havre.formats.wire import Message, to_base64
from havre.ports.channel import Act, Desk
from havre.ports.custody import SealedShares

_HUB = frozenset({Role.HUB})
# What a custodian publishes of itself: whoever it has pinned may read it.
_ANYBODY = frozenset(Role)


class CustodianDesk:
    """Reads messages, asks the custodian, writes its answers."""

    def __init__(self, custodian: LocalCustodian) -> None:
        self._custodian = custodian

    @property
    def acts(self) -> Desk:
        """Everything that can be asked, and by whom."""
        return {
            "begin-ceremony": Act(self._begin_ceremony, _HUB),
            "accept": Act(self._accept, _HUB),
            "release": Act(self._release, _HUB),
            "retire": Act(self._retire, _HUB),
            "confirm": Act(self._confirm, _HUB),
            "erase": Act(self._erase, _HUB),
            "revoke": Act(self._revoke, _HUB | {Role.AUTHORITY}, direct=True),
            "counter": Act(self._counter, _ANYBODY),
            "withdrawals": Act(self._withdrawals, _ANYBODY),
            "give-mandate": Act(self._give_mandate, _HUB | {Role.CONTROLLER}, direct=True),
        }

    def _begin_ceremony(self, body: bytes) -> bytes:
        ceremony = Message(body, "ceremony").text("ceremony")
        return encode_canonical({"key": to_base64(self._custodian.begin_ceremony(ceremony))})

    def _accept(self, body: bytes) -> bytes:
        message = Message(body, "ceremony", "custodian", "sealed")
        if message.text("custodian") != self._custodian.name:
            raise NotGenuine(f"Custodian {self._custodian.name} was sent another one's shares.")
        shares = SealedShares(self._custodian.name, message.binary("sealed"))
        kept = self._custodian.accept(message.text("ceremony"), shares)
        return encode_canonical({"partitions": [*kept]})

    def _release(self, body: bytes) -> bytes:
        return encode_answer(self._custodian.release(parse_request(body)))

    def _erase(self, body: bytes) -> bytes:
        certificate = self._custodian.erase(parse_erasure(body))
        return encode_canonical({"certificate": to_base64(certificate)})

    def _confirm(self, body: bytes) -> bytes:
        acceptance = self._custodian.confirm(parse_ceremony(body))
        return encode_canonical({"acceptance": to_base64(acceptance)})

    def _retire(self, body: bytes) -> bytes:
        certificate = self._custodian.retire(parse_ceremony(body))
        return encode_canonical({"certificate": to_base64(certificate)})

    def _revoke(self, body: bytes) -> bytes:
        envelope = Message(body, "envelope").binary("envelope")
        return encode_canonical({"permit": self._custodian.revoke(envelope)})

    def _give_mandate(self, body: bytes) -> bytes:
        self._custodian.give_mandate(Message(body, "envelope").binary("envelope"))
        return encode_canonical({})

    def _counter(self, body: bytes) -> bytes:
        page = self._custodian.counter(Message(body, "first").number("first"))
        return encode_canonical(
            {
                "head": to_base64(page.head),
                "receipts": [to_base64(receipt) for receipt in page.receipts],
            }
        )

    def _withdrawals(self, body: bytes) -> bytes:
        Message(body)
        kept = [to_base64(each) for each in self._custodian.withdrawals()]
        return encode_canonical({"envelopes": [*kept]})

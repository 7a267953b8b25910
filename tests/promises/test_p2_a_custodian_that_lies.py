"""P2: what a custodian gives is opened and compared before it counts; a bad answer has a name.

One of three custodians lies, in every way there is: the third is asked in its
place. When nobody is left to ask, the opening fails and says who lied and how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fakes.hub_keys import DCIR_2021, SECRET, HubKeys
from havre.adapters.custody.local import LocalCustodian
from havre.crypto.sealing import PartitionKey, seal_key
from havre.domain.custody import ShareRequest
from havre.domain.erasure_check import ErasureRequest
from havre.domain.events import KeysReleased, events_of
from havre.domain.receipt import Receipt, open_receipt, sign_receipt
from havre.domain.resharing import CeremonyRequest
from havre.domain.statements import Statement, sign_statement
from havre.errors import NotFound, NotGenuine, Refused
from havre.formats.canonical import Json, encode_canonical
from havre.ports.custody import SealedShares, ShareAnswer, share_context

LIAR = "custodian-1"


@dataclass
class Lie:
    """One false answer in the making: whatever the liar has to hand."""

    hub: HubKeys
    custodian: LocalCustodian
    request: ShareRequest
    answer: ShareAnswer

    @property
    def receipt(self) -> Receipt:
        return open_receipt(self.answer.receipt, roots=self.hub.roots, custodian=LIAR)

    def sealed(self, partition: str, content: bytes, *, to: bytes = b"") -> bytes:
        context = share_context(
            origin=self.hub.roots.origin,
            index=self.request.index,
            partition=partition,
            custodian=LIAR,
        )
        return seal_key(content, to=to or self.request.one_time_key, info=context)

    def all_shares(self, content: bytes) -> ShareAnswer:
        shares = {name: self.sealed(name, content) for name in self.answer.shares}
        return replace(self.answer, shares=shares)

    def changed(self, **fields: Json) -> ShareAnswer:
        """The true shares, with these fields in place of theirs."""
        shares = {
            name: self.sealed(
                name, encode_canonical({**self.custodian._shares.open(name), **fields})
            )
            for name in self.answer.shares
        }
        return replace(self.answer, shares=shares)

    def signed(self, receipt: Receipt, *, by: str = LIAR) -> ShareAnswer:
        envelope = sign_receipt(
            receipt, origin=self.hub.roots.origin, signer=self.hub.custodian(by)._token
        )
        return replace(self.answer, receipt=envelope)


@dataclass
class Liar:
    """A custodian that gives something else than it should."""

    hub: HubKeys
    lie: Callable[[Lie], ShareAnswer]
    name: str = LIAR

    def begin_ceremony(self, ceremony: str) -> bytes:
        return self.hub.custodian(LIAR).begin_ceremony(ceremony)

    def accept(self, ceremony: str, shares: SealedShares) -> list[str]:
        return [*self.hub.custodian(LIAR).accept(ceremony, shares)]

    def revoke(self, envelope: bytes) -> str:
        return self.hub.custodian(LIAR).revoke(envelope)

    def erase(self, request: ErasureRequest) -> bytes:
        return self.hub.custodian(LIAR).erase(request)

    def confirm(self, request: CeremonyRequest) -> bytes:
        return self.hub.custodian(LIAR).confirm(request)

    def retire(self, request: CeremonyRequest) -> bytes:
        return self.hub.custodian(LIAR).retire(request)

    def release(self, request: ShareRequest) -> ShareAnswer:
        custodian = self.hub.custodian(LIAR)
        return self.lie(Lie(self.hub, custodian, request, custodian.release(request)))


def a_share_that_is_no_json(lie: Lie) -> ShareAnswer:
    return lie.all_shares(b"no json")


def a_share_without_fields(lie: Lie) -> ShareAnswer:
    return lie.all_shares(b"{}")


def a_share_that_is_a_list(lie: Lie) -> ShareAnswer:
    return lie.all_shares(b"[]")


def a_share_whose_words_are_a_number(lie: Lie) -> ShareAnswer:
    return lie.changed(words=7)


def a_share_with_a_short_salt(lie: Lie) -> ShareAnswer:
    return lie.changed(salt="00")


def a_share_with_a_salt_of_letters(lie: Lie) -> ShareAnswer:
    return lie.changed(salt="zz" * 32)


def a_share_of_other_words(lie: Lie) -> ShareAnswer:
    return lie.changed(words="academic acid")


def a_share_that_calls_a_dataset_a_secret(lie: Lie) -> ShareAnswer:
    return lie.changed(text="secret/stage-2/1")


def a_share_for_another_key(lie: Lie) -> ShareAnswer:
    other = PartitionKey.generate().public
    shares = {name: lie.sealed(name, b"{}", to=other) for name in lie.answer.shares}
    return replace(lie.answer, shares=shares)


def a_share_of_no_bytes(lie: Lie) -> ShareAnswer:
    return replace(lie.answer, shares=dict.fromkeys(lie.answer.shares, b""))


def the_shares_of_two_partitions_swapped(lie: Lie) -> ShareAnswer:
    first, second = lie.answer.shares
    contents = [encode_canonical({**lie.custodian._shares.open(n)}) for n in (second, first)]
    shares = {n: lie.sealed(n, c) for n, c in zip((first, second), contents, strict=True)}
    return replace(lie.answer, shares=shares)


def no_share_at_all(lie: Lie) -> ShareAnswer:
    return replace(lie.answer, shares={})


def one_share_too_few(lie: Lie) -> ShareAnswer:
    (name, share), *_ = lie.answer.shares.items()
    return replace(lie.answer, shares={name: share})


def one_share_too_many(lie: Lie) -> ShareAnswer:
    return replace(lie.answer, shares={**lie.answer.shares, "a" * 32: b""})


def a_receipt_of_junk(lie: Lie) -> ShareAnswer:
    return replace(lie.answer, receipt=b"junk")


def a_receipt_for_another_request(lie: Lie) -> ShareAnswer:
    return lie.signed(replace(lie.receipt, request=1))


def a_receipt_for_fewer_partitions(lie: Lie) -> ShareAnswer:
    return lie.signed(replace(lie.receipt, partitions=lie.receipt.partitions[:1]))


def a_receipt_signed_by_another_custodian(lie: Lie) -> ShareAnswer:
    return lie.signed(lie.receipt, by="custodian-2")


def a_receipt_in_another_custodians_name(lie: Lie) -> ShareAnswer:
    return lie.signed(replace(lie.receipt, custodian="custodian-2"))


def a_receipt_of_another_log(lie: Lie) -> ShareAnswer:
    envelope = sign_receipt(
        lie.receipt, origin="elsewhere.example/log", signer=lie.custodian._token
    )
    return replace(lie.answer, receipt=envelope)


def another_statement_in_place_of_the_receipt(lie: Lie) -> ShareAnswer:
    statement = Statement("havre/v1/job", lie.hub.roots.origin, lie.receipt.subject, {})
    return replace(lie.answer, receipt=sign_statement(statement, [lie.custodian._token]))


LIES: list[tuple[Callable[[Lie], ShareAnswer], str]] = [
    (a_share_that_is_no_json, "cannot be read"),
    (a_share_without_fields, "cannot be read"),
    (a_share_that_is_a_list, "cannot be read"),
    (a_share_whose_words_are_a_number, "cannot be read"),
    (a_share_with_a_short_salt, "cannot be read"),
    (a_share_with_a_salt_of_letters, "cannot be read"),
    (a_share_of_other_words, "did not commit to"),
    (a_share_that_calls_a_dataset_a_secret, "do not agree on what a partition is"),
    (a_share_for_another_key, "does not open"),
    (a_share_of_no_bytes, "does not open"),
    (the_shares_of_two_partitions_swapped, "did not commit to"),
    (no_share_at_all, "other shares than its receipt names"),
    (one_share_too_few, "other shares than its receipt names"),
    (one_share_too_many, "other shares than its receipt names"),
    (a_receipt_of_junk, ""),
    (a_receipt_for_another_request, "another request"),
    (a_receipt_for_fewer_partitions, "another request"),
    (a_receipt_signed_by_another_custodian, "signed by somebody else"),
    (a_receipt_in_another_custodians_name, "about something else"),
    (a_receipt_of_another_log, "another log"),
    (another_statement_in_place_of_the_receipt, ""),
]


@pytest.fixture
def hub(tmp_path: Path) -> HubKeys:
    return HubKeys(tmp_path)


def receipts(hub: HubKeys) -> list[Mapping[str, str]]:
    """Whose receipts stand on the log, request by request."""
    events = (each.event for each in hub.log.public().entries())
    return [event.receipts for event in events_of(events, KeysReleased)]


@pytest.mark.parametrize(("lie", "reason"), LIES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_bad_answer_is_named_and_the_next_custodian_is_asked(
    hub: HubKeys, lie: Callable[[Lie], ShareAnswer], reason: str
) -> None:
    wanted = hub.granted()
    release = hub.release([Liar(hub, lie), hub.custodian("custodian-2")])
    with pytest.raises(NotGenuine, match=f"1 custodians answered.* {LIAR}: .*{reason}"):
        release.open(wanted).__enter__()

    assert receipts(hub) == []

    release = hub.release([Liar(hub, lie), *hub.custodians()[1:]])
    with release.open(wanted) as keys:
        assert keys.secret(hub.known(SECRET).partition_id)

    assert reason in release.complaints[LIAR]
    assert [sorted(each) for each in receipts(hub)] == [["custodian-2", "custodian-3"]]


def test_a_custodian_that_says_no_is_no_liar(hub: HubKeys) -> None:
    wanted = replace(hub.granted(), purpose="look")

    with pytest.raises(Refused, match="0 custodians answered"):
        hub.release().open(wanted).__enter__()


def test_a_partition_that_the_log_does_not_know_is_not_asked_for(hub: HubKeys) -> None:
    wanted = hub.granted()
    stranger = replace(hub.known(DCIR_2021), partition_id="a" * 32)

    with pytest.raises(NotFound, match="does not say that a partition was made"):
        hub.release().open(replace(wanted, partitions=[stranger])).__enter__()

"""A custodian whose token is pulled out in the middle of anything has done all of it or nothing.

Real custodians in a real ceremony; one of them keeps its keys in SoftHSM.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from contract.suite_custody import shares_for
from fakes.hub_keys import DCIR_2021, HubKeys
from fakes.soft_hsm import PIN, SoftHsm, soft_hsm
from havre.adapters.tokens.cryptoki import Cryptoki, TokenAway
from havre.bootstrap.pins import forget_told
from havre.crypto.sealing import PartitionKey
from havre.domain.receipt import open_receipt
from havre.domain.statements import envelope_digest
from havre.errors import NotFound, NotGenuine, Refused, Unavailable
from havre.values import Partition, PartitionKind

pytestmark = pytest.mark.integration
NAME = "custodian-1"


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftHsm]:
    forget_told()
    monkeypatch.setenv("HAVRE_PIN_CUSTODIAN_1", PIN)
    with soft_hsm(tmp_path / "hsm") as bench:
        yield bench


@pytest.fixture
def hub(tmp_path: Path, hsm: SoftHsm) -> HubKeys:
    return HubKeys(tmp_path / "hub", {NAME: hsm.initialise(NAME).uri})


@contextmanager
def pulled_out_before(session: int, hsm: SoftHsm) -> Iterator[list[bool]]:
    """Pull the token out before the n-th time that it is spoken to; whether that came to pass."""
    true, left, pulled = Cryptoki.session, [session], [False]

    def counting(self: Cryptoki, **words: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            hsm.pull_out(NAME)
            pulled[0] = True
        return true(self, **words)

    Cryptoki.session = counting  # type: ignore[method-assign]
    try:
        yield pulled
    finally:
        Cryptoki.session = true  # type: ignore[method-assign]
        if pulled[0]:
            hsm.put_back(NAME)


def test_a_token_pulled_out_in_mid_ceremony_is_named_and_the_ceremony_goes_on(
    hub: HubKeys, hsm: SoftHsm
) -> None:
    custodian = hub.custodian(NAME)
    shares = shares_for(hub, custodian, "a" * 32)
    before = set(custodian._shares.partitions())
    hsm.pull_out(NAME)
    for each in (custodian, hub.custodian(NAME)):
        with pytest.raises(Unavailable, match="The token custodian-1 is not there"):
            each.accept("again", shares)
    hsm.put_back(NAME)

    assert set(hub.custodian(NAME)._shares.partitions()) == before
    assert list(custodian.accept("again", shares)) == ["a" * 32]
    assert set(hub.custodian(NAME)._shares.partitions()) == before | {"a" * 32}


def test_a_ceremony_that_loses_a_token_anywhere_makes_nothing_and_can_be_held_again(
    hub: HubKeys, hsm: SoftHsm
) -> None:
    for session in range(1, 50):
        wanted = Partition(PartitionKind.LANDING, f"landing-{session:05d}0")
        with pulled_out_before(session, hsm) as pulled, suppress(TokenAway):
            hub.ceremonies().make([wanted])
        if not pulled[0]:
            break
        with pytest.raises(NotFound, match="no key pair"):
            hub.known(wanted)
        hub.ceremonies().make([wanted])
        assert hub.known(wanted)
    assert session > 3


def test_an_answer_during_which_the_token_is_lost_is_given_later_once_and_counted_once(
    hub: HubKeys, hsm: SoftHsm
) -> None:
    wanted = hub.granted()
    digests: list[str] = []
    for session in range(1, 50):
        request = hub.asked(PartitionKey.generate().public, wanted=wanted)
        counter = hub.root / NAME / "counter"
        before = counter.read_bytes() if counter.exists() else b""
        with pulled_out_before(session, hsm) as pulled, suppress(TokenAway):
            hub.custodian(NAME).release(request)
        if pulled[0]:
            assert (counter.read_bytes() if counter.exists() else b"") == before
            assert not (hub.root / NAME / "answers" / f"{request.index}.json").exists()
        answer = hub.custodian(NAME).release(request)
        receipt = open_receipt(answer.receipt, roots=hub.roots, custodian=NAME)
        assert (receipt.answers_before, receipt.previous) == (
            len(digests),
            digests[-1] if digests else "",
        )
        digests.append(envelope_digest(answer.receipt))
        if not pulled[0]:
            break
    assert session > 2


def test_a_turn_of_epochs_that_loses_the_token_anywhere_keeps_what_was_to_be_kept(
    hub: HubKeys, hsm: SoftHsm
) -> None:
    keep = hub.known(DCIR_2021).partition_id
    for session in range(1, 50):
        store = hub.custodian(NAME)._shares
        with pulled_out_before(session, hsm) as pulled, suppress(TokenAway):
            store.new_epoch([keep])
        again = hub.custodian(NAME)._shares
        assert keep in again.partitions()
        assert bool(again.history()) is (len(again.partitions()) == 1)
        if not pulled[0]:
            break
    again.new_epoch([keep])

    assert [*again.partitions()] == [keep]
    assert session > 3


def test_a_share_of_another_key_is_refused_and_the_ceremony_is_not_over(
    hub: HubKeys, hsm: SoftHsm
) -> None:
    """Shares that were sealed to another custodian's one-time key."""
    custodian = hub.custodian(NAME)
    theirs = shares_for(hub, hub.custodian("custodian-2"), "b" * 32)
    mine = shares_for(hub, custodian, "a" * 32)
    with pytest.raises(NotGenuine):
        custodian.accept("again", theirs)

    assert list(custodian.accept("again", mine)) == ["a" * 32]
    with pytest.raises(Refused, match="or it is over"):
        custodian.accept("again", mine)

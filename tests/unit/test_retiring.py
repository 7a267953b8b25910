"""When old shares are destroyed: not before everybody who is to hold new ones does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.parties import ORIGIN, Cast
from fakes.resharing_log import (
    HOLDERS,
    ONE,
    ORDER,
    TWO,
    asked,
    lent,
    ordered,
    reshared,
)
from havre.domain.acceptance import sign_acceptance
from havre.domain.events import (
    Event,
)
from havre.domain.resharing import (
    CeremonyRefused,
    CeremonyRequest,
    open_ceremony,
)
from havre.domain.retiring import check_retirement, new_shares, old_shares
from havre.domain.trust import encode_trust_roots
from havre.errors import NotGenuine


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


def accepted(cast: Cast, envelope: bytes, events: list[Event], **by: str) -> CeremonyRequest:
    """Acceptances of everybody; `by` lets one sign for another."""
    read = open_ceremony(envelope, roots=cast.roots)
    said = {
        name: sign_acceptance(
            new_shares(events, ORDER, custodian=name),
            order=ORDER,
            order_sha256=read.sha256,
            origin=ORIGIN,
            signer=cast[by.get(name.replace("-", "_"), name)],
        )
        for name in HOLDERS
    }
    return CeremonyRequest(ORDER, envelope, encode_trust_roots(cast.roots), said)


def retire(cast: Cast, request: CeremonyRequest, events: list[Event]) -> None:
    check_retirement(request, open_ceremony(request.order, roots=cast.roots), events=events)


def test_old_shares_are_destroyed_when_everybody_has_accepted(cast: Cast) -> None:
    envelope, events = ordered(cast)
    done = [*events, *lent(*HOLDERS[:2]), reshared(ONE, TWO)]

    retire(cast, accepted(cast, envelope, done), done)
    assert old_shares(done, ORDER, custodian="custodian-1") == dict.fromkeys(
        (ONE, TWO), "old of custodian-1"
    )


@pytest.mark.parametrize(
    "opened", [[], lent("custodian-1"), lent("custodian-1", "escrow"), [asked(ONE, TWO)]]
)
def test_old_shares_stay_when_too_few_opened_theirs_for_the_ceremony(
    cast: Cast, opened: list[Event]
) -> None:
    envelope, events = ordered(cast)
    made_up = [*events, *opened, reshared(ONE, TWO)]

    with pytest.raises(NotGenuine, match="no ceremony has opened"):
        retire(cast, accepted(cast, envelope, made_up), made_up)


def test_old_shares_stay_when_not_everybody_got_new_ones(cast: Cast) -> None:
    """Whoever got none of a partition accepts none of it."""
    envelope, events = ordered(cast)
    to_one = replace(reshared(TWO), shares={TWO: {"custodian-1": "new of custodian-1"}})
    done = [*events, *lent(*HOLDERS[:2]), reshared(ONE), to_one]

    with pytest.raises(NotGenuine, match="to others than"):
        retire(cast, accepted(cast, envelope, done), done)


def test_old_shares_stay_while_one_partition_has_no_new_ones(cast: Cast) -> None:
    envelope, events = ordered(cast)
    half = [*events, *lent(*HOLDERS[:2]), reshared(ONE)]

    with pytest.raises(CeremonyRefused, match="1 partitions have no new shares"):
        retire(cast, accepted(cast, envelope, half), half)


@pytest.mark.parametrize("name", HOLDERS)
def test_old_shares_stay_while_one_has_not_accepted(cast: Cast, name: str) -> None:
    envelope, events = ordered(cast)
    done = [*events, *lent(*HOLDERS[:2]), reshared(ONE, TWO)]
    whole = accepted(cast, envelope, done)
    said = {each: words for each, words in whole.acceptances.items() if each != name}

    with pytest.raises(CeremonyRefused, match=f"{name} has not"):
        retire(cast, replace(whole, acceptances=said), done)


def test_nobody_accepts_for_another(cast: Cast) -> None:
    envelope, events = ordered(cast)
    done = [*events, *lent(*HOLDERS[:2]), reshared(ONE, TWO)]

    with pytest.raises(NotGenuine, match="signed by somebody else"):
        retire(cast, accepted(cast, envelope, done, custodian_2="custodian-1"), done)
    with pytest.raises(NotGenuine, match="signed by somebody else"):
        retire(cast, accepted(cast, envelope, done, custodian_2="controller"), done)


def test_an_acceptance_of_other_shares_is_none(cast: Cast) -> None:
    envelope, events = ordered(cast)
    half, done = (
        [*events, *lent(*HOLDERS[:2]), reshared(ONE)],
        [*events, *lent(*HOLDERS[:2]), reshared(ONE, TWO)],
    )

    with pytest.raises(NotGenuine, match="accepted other shares"):
        retire(cast, accepted(cast, envelope, half), done)


def test_trust_roots_that_the_order_does_not_name_are_refused(cast: Cast) -> None:
    envelope, events = ordered(cast)
    done = [*events, *lent(*HOLDERS[:2]), reshared(ONE, TWO)]
    other = replace(cast.roots, custodian_threshold=3)
    request = replace(accepted(cast, envelope, done), trust=encode_trust_roots(other))

    with pytest.raises(NotGenuine, match="not those that the ceremony's order names"):
        retire(cast, request, done)

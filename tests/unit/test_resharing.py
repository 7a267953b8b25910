"""Whom a ceremony's order, an acceptance and new trust roots are believed of, and what for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.parties import ORIGIN, START, Cast
from fakes.resharing_log import (
    KEY,
    ONE,
    ORDER,
    TWO,
    asked,
    logged,
    made,
    order_of,
    ordered,
    reshared,
    signed,
)
from havre.crypto.random import new_object_id
from havre.domain.custody import CustodianView, ReleaseRefused, ShareRequest, check_release
from havre.domain.events import (
    Event,
    KeysRequested,
)
from havre.domain.key_events import ErasureOrdered
from havre.domain.key_states import list_to_reshare, read_key_states
from havre.domain.resharing import (
    CeremonyRefused,
    check_ceremony,
    check_no_ceremony,
    open_ceremony,
)
from havre.domain.statements import Statement, sign_statement
from havre.domain.succession import check_succession
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.values import Partition, PartitionKind


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


def test_a_controller_and_an_authority_of_one_house_are_not_two(cast: Cast) -> None:
    envelope = signed(cast, order_of(cast.roots))
    related = tuple(
        replace(party, operator="one house")
        if party.name in ("controller", "authority-1")
        else party
        for party in cast.roots.parties
    )

    with pytest.raises(CeremonyRefused, match="one house only"):
        open_ceremony(envelope, roots=replace(cast.roots, parties=related))


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 1},
        {"threshold": 4},
        {"log_size": 0},
        {"holders": ("custodian-2", "custodian-1")},
        {"holders": ("custodian-1", "custodian-1", "custodian-2")},
    ],
)
def test_an_order_whose_numbers_or_names_make_no_sense_is_not_written(
    cast: Cast, changes: Mapping[str, object]
) -> None:
    with pytest.raises(InvalidInput):
        signed(cast, order_of(cast.roots, **changes))


@pytest.mark.parametrize(
    "fields",
    [
        {"more": 1},
        {"holders": "custodian-1"},
        {"threshold": "2"},
        {"threshold": True},
        {"log_size": None},
        {"threshold": 1},
    ],
)
def test_an_order_that_is_spelled_otherwise_is_none(
    cast: Cast, fields: Mapping[str, object]
) -> None:
    genuine = open_ceremony(signed(cast, order_of(cast.roots)), roots=cast.roots)
    statement = genuine.opened.statement
    other = Statement(
        statement.predicate_type,
        ORIGIN,
        statement.subject,
        {**statement.predicate, **fields},  # type: ignore[dict-item]
    )
    envelope = sign_statement(other, [cast["controller"], cast["authority-1"]])

    with pytest.raises(InvalidInput):
        open_ceremony(envelope, roots=cast.roots)


@pytest.mark.parametrize("index", [-1, 0, 1, 3])
def test_an_order_counts_by_its_own_entry_on_the_log_only(cast: Cast, index: int) -> None:
    envelope, events = ordered(cast)

    with pytest.raises(CeremonyRefused, match="not on the log"):
        check_ceremony(index, envelope, events=events, roots=cast.roots)
    assert check_ceremony(ORDER, envelope, events=events, roots=cast.roots)


def test_another_signed_order_does_not_pass_for_the_one_on_the_log(cast: Cast) -> None:
    _, events = ordered(cast)
    other = signed(cast, order_of(cast.roots, name="b" * 32))

    with pytest.raises(CeremonyRefused, match="not the one that the log names"):
        check_ceremony(ORDER, other, events=events, roots=cast.roots)


@pytest.mark.parametrize(
    "changes",
    [
        {"order": "b" * 32},
        {"log_size": 1},
        {"holders": ("custodian-1", "custodian-2")},
        {"threshold": 3},
        {"trust_sha256": "1" * 64},
        {"previous_sha256": "1" * 64},
    ],
)
def test_an_entry_that_says_something_else_than_its_order_is_noticed(
    cast: Cast, changes: Mapping[str, object]
) -> None:
    envelope = signed(cast, order_of(cast.roots))
    events = [*made(), logged(cast, envelope, **changes)]

    with pytest.raises(NotGenuine, match="something else"):
        check_ceremony(ORDER, envelope, events=events, roots=cast.roots)


def test_an_order_about_entries_that_came_after_it_is_refused(cast: Cast) -> None:
    envelope = signed(cast, order_of(cast.roots, log_size=4))

    with pytest.raises(CeremonyRefused, match="longer log"):
        check_ceremony(ORDER, envelope, events=[*made(), logged(cast, envelope)], roots=cast.roots)


@pytest.mark.parametrize("late", [timedelta(days=31), -timedelta(hours=2)])
def test_an_order_waits_for_thirty_days_and_is_not_given_ahead(cast: Cast, late: timedelta) -> None:
    envelope = signed(cast, order_of(cast.roots))

    with pytest.raises(CeremonyRefused, match="within 30 days"):
        check_ceremony(
            ORDER,
            envelope,
            events=[*made(), logged(cast, envelope, at=START + late)],
            roots=cast.roots,
        )


def view_of(cast: Cast, envelope: bytes, events: list[Event], **changes: object) -> CustodianView:
    read = open_ceremony(envelope, roots=cast.roots)
    known = {
        name: Partition(PartitionKind.DATASET, "dcir", year)
        for name, year in ((ONE, 2023), (TWO, 2024))
    }
    view = CustodianView(
        roots=cast.roots,
        events=events,
        partitions=known,
        revoked=frozenset(),
        mandate=None,
        now=START,
        attended=frozenset({read.sha256}),
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def answer(
    cast: Cast, envelope: bytes, events: list[Event], *, index: int = ORDER + 1, **view: object
) -> KeysRequested:
    """Ask a custodian for an entry of a log; it is the last one but where that is said."""
    brought = {hashlib.sha256(envelope).hexdigest(): envelope} if envelope else {}
    request = ShareRequest(index, KEY, brought, {})
    genuine = envelope or signed(cast, order_of(cast.roots))
    return check_release(request, view_of(cast, genuine, events, **view))


def test_a_custodian_gives_its_shares_for_what_the_order_is_about(cast: Cast) -> None:
    envelope, events = ordered(cast)

    assert answer(cast, envelope, [*events, asked(ONE, TWO)]).order == ORDER


@pytest.mark.parametrize(
    "changes", [{"purpose": "extract"}, {"purpose": "run"}, {"permit": 1}, {"deliveries": (1,)}]
)
def test_a_ceremonys_order_opens_nothing_for_another_purpose(
    cast: Cast, changes: Mapping[str, object]
) -> None:
    envelope, events = ordered(cast)

    with pytest.raises(ReleaseRefused, match="for nothing else"):
        answer(cast, envelope, [*events, asked(ONE, **changes)])


def test_a_request_whose_order_comes_after_it_is_refused(cast: Cast) -> None:
    envelope, events = ordered(cast)

    with pytest.raises(CeremonyRefused, match="not the one that the log names"):
        answer(cast, envelope, [*made(), asked(ONE, order=3), events[ORDER]], index=2)


def test_an_order_that_is_not_brought_along_is_refused(cast: Cast) -> None:
    _, events = ordered(cast)

    with pytest.raises(CeremonyRefused, match="not the one that the log names"):
        answer(cast, b"", [*events, asked(ONE)])


def test_an_order_that_rests_on_trust_roots_that_this_custodian_has_not_is_refused(
    cast: Cast,
) -> None:
    order = order_of(cast.roots, trust_sha256="1" * 64, previous_sha256="2" * 64)
    envelope = signed(cast, order)

    with pytest.raises(ReleaseRefused, match="other trust roots than these") as refusal:
        answer(cast, envelope, [*made(), logged(cast, envelope), asked(ONE)])
    assert "havre keys adopt" in refusal.value.hint


def test_nobody_gives_shares_for_an_order_that_his_people_have_not_looked_at(cast: Cast) -> None:
    envelope, events = ordered(cast)

    with pytest.raises(ReleaseRefused, match="Nobody here has looked") as refusal:
        answer(cast, envelope, [*events, asked(ONE)], attended=frozenset())
    assert "havre keys attend" in refusal.value.hint


def test_an_old_order_opens_nothing_any_more(cast: Cast) -> None:
    envelope, events = ordered(cast)
    now = START + timedelta(days=31)

    with pytest.raises(ReleaseRefused, match="too old"):
        answer(cast, envelope, [*events, asked(ONE, at=now)], now=now)


def test_what_has_new_shares_is_not_given_a_second_time(cast: Cast) -> None:
    envelope, events = ordered(cast)

    with pytest.raises(ReleaseRefused, match="no longer, about 1 of"):
        answer(cast, envelope, [*events, reshared(ONE), asked(ONE, TWO)], index=4)


def test_what_was_made_after_the_order_is_not_what_it_is_about(cast: Cast) -> None:
    envelope = signed(cast, order_of(cast.roots, log_size=1))

    with pytest.raises(ReleaseRefused, match="not, or no longer, about 2 of"):
        answer(cast, envelope, [*made(), logged(cast, envelope), asked(ONE, TWO)])


def test_what_is_ordered_erased_gets_no_new_shares(cast: Cast) -> None:
    _, events = ordered(cast)
    erased = ErasureOrdered(
        event_id=new_object_id(),
        at=START,
        order="c" * 32,
        ground="permit-ended",
        permit="diabetes",
        partitions=(ONE,),
        statement_sha256="0" * 64,
        signers=(),
    )

    assert list_to_reshare([*events, erased], log_size=2) == [TWO]


def test_new_shares_without_an_order_count_for_nothing(cast: Cast) -> None:
    state = read_key_states([*made(), reshared(ONE, order=7)])[ONE]

    assert state.holders["custodian-1"] == "old of custodian-1"
    assert state.former == []


def test_a_half_done_ceremony_holds_up_others_for_thirty_days(cast: Cast) -> None:
    _, events = ordered(cast)

    with pytest.raises(CeremonyRefused, match="half done"):
        check_no_ceremony([*events, reshared(ONE)], now=START)
    check_no_ceremony([*events, reshared(ONE, TWO)], now=START)
    check_no_ceremony([*events, reshared(ONE)], now=START + timedelta(days=31))


def test_an_entry_that_says_how_many_opened_a_key_says_what_the_trust_roots_said(
    cast: Cast,
) -> None:
    envelope = signed(cast, order_of(cast.roots, trust_sha256="1" * 64))

    check_ceremony(ORDER, envelope, events=[*made(), logged(cast, envelope)], roots=cast.roots)
    with pytest.raises(NotGenuine, match="another number of shares"):
        check_ceremony(
            ORDER,
            envelope,
            events=[*made(), logged(cast, envelope, threshold_before=3)],
            roots=cast.roots,
        )


def change_role(name: str, role: Role) -> Callable[[TrustRoots], TrustRoots]:
    def changed(roots: TrustRoots) -> TrustRoots:
        parties = [replace(e, role=role) if e.name == name else e for e in roots.parties]
        return replace(roots, parties=tuple(parties))

    return changed


@pytest.mark.parametrize("role", [Role.ESCROW, Role.WITNESS, Role.AUTHORITY])
def test_a_custodian_stays_one_or_becomes_a_former_one(cast: Cast, role: Role) -> None:
    with pytest.raises(Refused):
        check_succession(cast.roots, change_role("custodian-1", role)(cast.roots))


def test_a_former_custodian_does_not_come_back_by_a_ceremony(cast: Cast) -> None:
    before = change_role("custodian-3", Role.FORMER)(cast.roots)

    check_succession(cast.roots, before)
    with pytest.raises(Refused, match="cannot become custodian"):
        check_succession(before, cast.roots)

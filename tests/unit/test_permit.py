"""A permit is read strictly, covers what it names, and moves as its table says."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from havre.domain.events import PermitMoved
from havre.domain.permit import OutsidePermit, Permit
from havre.domain.permit_states import (
    NEXT,
    RENEWAL_DAYS,
    NotInForce,
    PermitState,
    check_in_force,
    check_move,
    replay_permit,
)
from havre.domain.permit_text import parse_application, parse_permit, permit_predicate
from havre.errors import InvalidInput, Refused
from havre.values import parse_partition

APPLICATION = """
[permit]
name = "diabetes"
title = "Diabetes by region"
purpose = "Describe the incidence of diabetes."
applicant = "researcher"
people = ["researcher"]
period = [2021-01-01, 2023-12-31]
starts_on = 2026-01-01
ends_on = 2027-12-31
environment_sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

[population]
birth_years = [1930, 2003]

[tables.dcir.ER_PRS_F]
columns = ["BEN_NIR_PSA", "PFS_EXE_NUM"]
true_keys = ["PFS_EXE_NUM"]
"""
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def a_permit() -> Permit:
    return replace(parse_application(APPLICATION.encode()), years={"dcir": (2021, 2022)})


def moved(state: PermitState, predecessor: int | None) -> PermitMoved:
    return PermitMoved(
        event_id="0" * 32,
        at=NOW,
        permit="diabetes",
        state=state.value,
        predecessor=predecessor,
        statement_sha256="0" * 64,
        signers=(),
    )


def test_a_permit_reads_back_from_its_own_predicate() -> None:
    assert parse_permit(permit_predicate(a_permit())) == a_permit()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "diabetes"', 'name = "Diabetes!"'),
        ('purpose = "Describe the incidence of diabetes."', 'purpose = " "'),
        ("[permit]", '[permit]\nsponsor = "somebody"'),
        ("[population]", "[people_of]"),
        ("[2021-01-01, 2023-12-31]", "[2023-12-31, 2021-01-01]"),
        ("ends_on = 2027-12-31", "ends_on = 2025-12-31"),
        ("ends_on = 2027-12-31", 'ends_on = "soon"'),
        ('people = ["researcher"]', "people = []"),
        ('true_keys = ["PFS_EXE_NUM"]', 'true_keys = ["ETA_NUM"]'),
        ("birth_years = [1930, 2003]", "birth_years = [2003, 1930]"),
        ('"aaaa', '"AAAA'),
        ("[permit]", "[permit"),
    ],
)
def test_an_application_with_a_fault_is_refused(old: str, new: str) -> None:
    assert old in APPLICATION

    with pytest.raises(InvalidInput):
        parse_application(APPLICATION.replace(old, new).encode())


def test_a_predicate_with_one_more_field_is_refused() -> None:
    with pytest.raises(InvalidInput, match="extra"):
        parse_permit({**permit_predicate(a_permit()), "extra": 1})


@pytest.mark.parametrize(
    ("partition", "within"),
    [
        ("dataset/dcir/2021/1", True),
        ("dataset/dcir/2021/7", True),
        ("dataset/dcir/2023/1", False),
        ("dataset/pmsi-mco/2021/1", False),
        ("project/diabetes/1", True),
        ("project/other/1", False),
        ("secret/pp-diabetes/1", True),
        ("secret/stage-2/1", False),
        ("landing/dcir-2021/1", False),
    ],
)
def test_a_permit_covers_its_own_partitions_and_no_others(partition: str, within: bool) -> None:
    if within:
        a_permit().covers(parse_partition(partition))
        return
    with pytest.raises(OutsidePermit, match=partition):
        a_permit().covers(parse_partition(partition))


@pytest.mark.parametrize(("start", "end"), list(itertools.product(PermitState, PermitState)))
def test_a_permit_moves_only_as_its_table_says(start: PermitState, end: PermitState) -> None:
    if end in NEXT[start]:
        check_move(start, end)
        return
    with pytest.raises(Refused):
        check_move(start, end)


def test_every_state_has_a_row() -> None:
    assert set(NEXT) == set(PermitState)


@pytest.mark.parametrize("final", [PermitState.REVOKED, PermitState.EXPIRED, PermitState.REFUSED])
def test_what_is_over_stays_over(final: PermitState) -> None:
    assert NEXT[final] == frozenset()


def test_the_log_tells_where_a_permit_stands() -> None:
    entries = [
        (3, moved(PermitState.SUBMITTED, None)),
        (5, moved(PermitState.ASSESSMENT, 3)),
        (9, moved(PermitState.GRANTED, 5)),
    ]

    state, index, _ = replay_permit(entries)

    assert (state, index) == (PermitState.GRANTED, 9)


def test_an_entry_that_skips_its_predecessor_is_refused() -> None:
    entries = [(3, moved(PermitState.SUBMITTED, None)), (9, moved(PermitState.ASSESSMENT, 2))]

    with pytest.raises(Refused, match="entry before"):
        replay_permit(entries)


@pytest.mark.parametrize(
    ("state", "now", "reason"),
    [
        (PermitState.SUSPENDED, NOW, "suspended"),
        (PermitState.GRANTED, datetime(2025, 12, 31, tzinfo=UTC), "begins"),
        (PermitState.GRANTED, datetime(2028, 1, 1, tzinfo=UTC), "ended"),
        (PermitState.GRANTED, NOW + timedelta(days=RENEWAL_DAYS, seconds=1), "renewed"),
    ],
)
def test_a_permit_out_of_force_opens_nothing(
    state: PermitState, now: datetime, reason: str
) -> None:
    with pytest.raises(NotInForce, match=reason):
        check_in_force(a_permit(), state=state, decided_at=NOW, now=now)


def test_a_permit_is_in_force_until_its_last_day() -> None:
    last_day = datetime(2027, 12, 31, 23, 59, tzinfo=UTC)

    check_in_force(
        a_permit(), state=PermitState.GRANTED, decided_at=last_day - timedelta(days=1), now=last_day
    )

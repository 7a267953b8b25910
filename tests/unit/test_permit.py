"""A permit is read strictly, covers what it names, and moves as its table says."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havre.domain import disclosure
from havre.domain.events import PermitMoved
from havre.domain.permit import LEAST_COUNT, OUTPUT_KINDS, OutputRules, OutsidePermit, Permit
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
from havre.formats.canonical import Json
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


# What is wrong with an application, and how it is named.
FAULTS = [
    ('name = "diabetes"', 'name = "Diabetes!"', "spelling.*: name"),
    ('name = "diabetes"\n', "", r"\[permit\] lacks name"),
    ('purpose = "Describe the incidence of diabetes."', 'purpose = " "', "purpose is empty"),
    ("[permit]", '[permit]\nsponsor = "somebody"', r"\[permit\] has no key sponsor"),
    ("[population]", "[people_of]", "no section or key people_of"),
    ("[population]", "[permit.population]", r"section of its own: \[population\]"),
    ("[population]", "[permit.output]\nmin_count = 50\n[population]", r"own: \[output\]"),
    ("[tables.dcir", "[permit.tables.dcir", r"own: \[tables.DATASET.TABLE\]"),
    ("[permit]", "[permit]\nyears = {dcir = [2000]}", "years, they are worked out"),
    ("[permit]", "[permit]\nmin_count = 50", r"min_count, it belongs in \[output\]"),
    ("[population]", "[output]\nsecret = 1\n[population]", r"\[output\] has no key secret"),
    ("[population]", "[population]\nmin_count = 50", r"belongs in \[output\]"),
    ("true_keys", "true_key", r"\[tables.dcir.ER_PRS_F\] has no key true_key"),
    ("columns =", "cols =", r"\[tables.dcir.ER_PRS_F\] lacks columns"),
    ("[2021-01-01, 2023-12-31]", "[2023-12-31, 2021-01-01]", "ends before it begins"),
    ("[2021-01-01, 2023-12-31]", "[2021-01-01]", "spelling.*: period"),
    ("[2021-01-01, 2023-12-31]", "[0001-01-01, 9999-12-31]", "longer than 100 years"),
    ("ends_on = 2027-12-31", "ends_on = 2025-12-31", "ends before it begins"),
    ("ends_on = 2027-12-31", 'ends_on = "soon"', "ends_on is not a day"),
    ("ends_on = 2027-12-31", "ends_on = 2027-12-31T10:00:00", "ends_on is not a day"),
    ('people = ["researcher"]', "people = []", "nobody who may use it"),
    ('people = ["researcher"]', 'people = ["a", "a"]', "stands twice"),
    ('people = ["researcher"]', 'people = "researcher"', "people is not a list of texts"),
    ('true_keys = ["PFS_EXE_NUM"]', 'true_keys = ["ETA_NUM"]', "not among the columns"),
    ('["BEN_NIR_PSA", "PFS', '["BEN_NIR_PSA", "BEN_NIR_PSA", "PFS', "a column .* stands twice"),
    ("birth_years = [1930, 2003]", "birth_years = [2003, 1930]", "years of birth"),
    ("birth_years = [1930, 2003]", "birth_years = [-5, 2003]", "years of birth"),
    ("birth_years = [1930, 2003]", 'departments = ["", "01"]', "a department"),
    ("birth_years = [1930, 2003]", 'departments = ["01", "01"]', "a department"),
    ("[population]", "[output]\nmin_count = 1\n[population]", "shown is below 11"),
    ("[population]", "[output]\nmin_count = 10\n[population]", "shown is below 11"),
    ("[population]", "[output]\nmin_count = 1" + "0" * 400 + "\n[population]", "output"),
    ("[population]", "[output]\nmin_count = 1" + "0" * 9000 + "\n[population]", "not TOML"),
    ("[population]", "[output]\nmin_count = true\n[population]", "min_count is not a whole"),
    ("[population]", '[output]\nkinds = ["everything"]\n[population]', "table, figure, text"),
    ("[population]", "[output]\nkinds = []\n[population]", "table, figure, text"),
    ('"aaaa', '"AAAA', "spelling.*: environment_sha256"),
    ("Diabetes by region", "\\u001b[2Jharmless", "not seen"),
    ("Diabetes by region", "a\\u202eb", "not seen"),
    ("Diabetes by region", "a\\u2066b", "not seen"),
    ("Diabetes by region", "a\\nstate  granted", "line end"),
    ("Diabetes by region", "a" * 201, "more than 200 characters"),
    ("Describe the incidence", "a\\u200bb", "not seen"),
    ('"BEN_NIR_PSA"', '"BEN_\\u202eNIR"', "not seen"),
    ("[permit]", "[permit", "not TOML"),
    ("[permit]", "a = " + "[" * 3_000 + "\n[permit]", "too deep"),
]


@pytest.mark.parametrize(("old", "new", "named"), FAULTS)
def test_an_application_with_a_fault_is_refused(old: str, new: str, named: str) -> None:
    assert old in APPLICATION

    with pytest.raises(InvalidInput, match=named) as refusal:
        parse_application(APPLICATION.replace(old, new).encode())

    assert refusal.value.message.isprintable()


@pytest.mark.parametrize(
    "document",
    [
        "permit = 5",
        "tables = 5",
        "population = 5",
        "output = 5",
        "[tables]\ndcir = 5",
        "[tables.dcir]\nER_PRS_F = 5",
        "[[permit]]\nname = 'a'",
        '"\\u001b[2J" = 1',
        '[permit]\n"\\u202e" = 1',
        "",
        "[" * 3_000,
    ],
)
def test_an_application_of_any_shape_is_refused_in_words(document: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_application(document.encode())

    assert refusal.value.message.isprintable()
    assert refusal.value.hint


def test_every_fault_of_a_form_is_named_at_once() -> None:
    document = APPLICATION.replace("title", "titel").replace("[population]", "[permit.population]")

    with pytest.raises(InvalidInput) as refusal:
        parse_application(document.encode())

    for fault in ("has no key titel", "lacks title", "has no key population"):
        assert fault in refusal.value.message


def test_a_title_may_be_french() -> None:
    title = "Diabète\u00a0: où\u202f? L\u2019incidence par région"

    asked = parse_application(APPLICATION.replace("Diabetes by region", title).encode())

    assert asked.title == title


def test_a_permit_says_nothing_of_its_output_and_gets_the_strictest() -> None:
    assert parse_application(APPLICATION.encode()).output == OutputRules(LEAST_COUNT, ("table",))


def test_the_kinds_of_a_permit_are_those_that_are_checked() -> None:
    assert set(OUTPUT_KINDS) == set(disclosure._ENDINGS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("output", {"kinds": ["table"], "min_count": 1}),
        ("output", {"kinds": ["everything"], "min_count": 11}),
        ("output", {"kinds": ["table"], "min_count": 11, "more": 1}),
        ("title", "\u001b[2J"),
        ("purpose", "a\u202eb"),
    ],
)
def test_a_signed_permit_is_held_to_the_same_rules(field: str, value: Json) -> None:
    """An authority may have signed it elsewhere: a custodian reads it and opens nothing."""
    with pytest.raises(InvalidInput):
        parse_permit({**permit_predicate(a_permit()), field: value})


@given(document=st.text() | st.binary().map(lambda drawn: drawn.decode("latin-1")))
def test_no_text_at_all_is_more_than_refused(document: str) -> None:
    with pytest.raises(InvalidInput):
        parse_application(document.encode("utf-8", "surrogatepass"))


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


UPKEEP = """
[permit]
name = "compact-dcir"
title = "Files of 2021 and 2022 put together"
purpose = "Monthly deliveries left many small files."
applicant = "controller"
people = ["hub"]
starts_on = 2026-01-01
ends_on = 2026-01-14

[upkeep]
kind = "compact"
datasets = ["dcir"]
years = [2022, 2021]
"""


def test_a_permit_for_upkeep_reaches_what_its_form_says_and_grants_nothing() -> None:
    permit = parse_application(UPKEEP.encode())

    assert permit.years == {"dcir": (2021, 2022)}
    assert not permit.tables
    assert parse_permit(permit_predicate(permit)) == permit


def test_a_permit_for_rows_set_aside_reaches_those_and_the_second_secret() -> None:
    text = UPKEEP.replace('"compact"', '"quarantine"').replace("years = [2022, 2021]", "")
    permit = parse_application(text.encode())

    permit.covers(parse_partition("dataset/dcir-aside/0/1"))
    permit.covers(parse_partition("secret/stage-2/1"))
    for beyond in ("dataset/dcir/2021/1", "secret/pp-compact-dcir/1", "project/compact-dcir/1"):
        with pytest.raises(OutsidePermit):
            permit.covers(parse_partition(beyond))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[upkeep]", "[population]\ndepartments = []\n[upkeep]", "no section or key population"),
        ("[upkeep]", "[tables.dcir.ER_PRS_F]\ncolumns = []\n[upkeep]", "section or key tables"),
        ("starts_on", "period = [2021-01-01, 2021-12-31]\nstarts_on", "no key period"),
        ('kind = "compact"', "", "lacks kind"),
        ('"compact"', '"repair"', "no such kind"),
        ('"compact"', '"quarantine"', "have no years"),
        ("years = [2022, 2021]", "", "names no year"),
        ("2022, 2021", "2021, 2021", "a year twice"),
        ('["dcir"]', '["dcir", "dcir"]', "a dataset twice"),
        ('["dcir"]', "[]", "reaches no partition"),
        ('["dcir"]', '["oppositions"]', "register of oppositions"),
        ("2026-01-14", "2026-01-15", "more than 14 days"),
        ('["hub"]', "[]", "nobody who may use it"),
    ],
)
def test_a_form_for_upkeep_that_says_too_much_or_too_little_is_refused(
    old: str, new: str, fault: str
) -> None:
    assert old in UPKEEP

    with pytest.raises(InvalidInput, match=fault):
        parse_application(UPKEEP.replace(old, new).encode())

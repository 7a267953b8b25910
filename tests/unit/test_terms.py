"""Terms: the table, the days, and what runs; the page, the words and the verifier say the same."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from havre.adapters.pages.words import LANGUAGES, word
from havre.application.clock import told_roles
from havre.domain.clock_events import NoticeGiven, ProjectDeleted
from havre.domain.duties import (
    Duty,
    Known,
    Stage,
    Superseded,
    last_moment,
    list_duties,
    notice_stage,
    untold,
)
from havre.domain.events import (
    CatalogueImported,
    DeliveryChecked,
    DeliveryReceived,
    Event,
    ExtractMade,
    OutputReleased,
    PermitMoved,
    VersionPublished,
)
from havre.domain.key_events import ErasureOrdered, KeysErased
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.permit import OutputRules, Permit, Population
from havre.domain.terms import TERMS, TermName, add_months

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "clock.md"
START = datetime(2027, 1, 31, 12, tzinfo=UTC)
LAST_DAY = date(2028, 3, 31)
PERMIT = Permit(
    name="study",
    title="t",
    purpose="p",
    applicant="researcher",
    people=("researcher",),
    period=(date(2023, 1, 1), date(2023, 12, 31)),
    starts_on=date(2027, 1, 1),
    ends_on=LAST_DAY,
    tables=(),
    population=Population(),
    output=OutputRules(11, ("table",)),
    environment_sha256="0" * 64,
    years={},
)


class Told:
    """A log, told entry by entry."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, Event]] = []

    def say(self, kind: type[Event], *, days: int = 0, **fields: Any) -> int:
        index, at = len(self.entries), START + timedelta(days=days)
        self.entries.append((index, kind(event_id=f"{index:032x}", at=at, **fields)))
        return index

    def move(self, *states: str, days: int = 0) -> int:
        for state in states:
            moves = [i for i, each in self.entries if isinstance(each, PermitMoved)]
            index = self.say(
                PermitMoved,
                days=days,
                permit="study",
                state=state,
                predecessor=moves[-1] if moves else None,
                statement_sha256="0" * 64,
                signers=(),
            )
        return index

    def extract(self) -> int:
        return self.say(
            ExtractMade,
            permit="study",
            partition="a" * 32,
            versions={},
            plan_commitment="",
            manifest_sha256="",
            rows=0,
        )

    def duties(self, **known: Any) -> dict[TermName, Duty]:
        given = {"projects": {"study"}, "shown": range(100), **known}
        found = list_duties(Known(self.entries, {"study": PERMIT}, **given))
        return {each.term: each for each in found}


@pytest.fixture
def told() -> Told:
    return Told()


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)


# ---------------------------------------------------------------- days


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2027-01-31", 1, "2027-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2027-11-30", 3, "2028-02-29"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2027-05-15", 18, "2028-11-15"),
        ("2027-12-31", 12, "2028-12-31"),
    ],
)
def test_a_month_that_has_not_the_day_ends_with_its_last(start: str, months: int, end: str) -> None:
    assert add_months(at(start), months) == at(end)


def test_working_days_leave_weekends_out() -> None:
    # From a Friday: six whole weeks of five days each.
    assert TERMS[TermName.PUBLICATION].end(at("2027-01-01")) == at("2027-02-12")
    assert TERMS[TermName.PUBLICATION].end(at("2027-01-02")) == at("2027-02-12")


def test_the_last_day_of_a_permit_is_included() -> None:
    assert last_moment(PERMIT) == datetime(2028, 4, 1, tzinfo=UTC)


# ---------------------------------------------------------------- what runs


def test_an_application_is_to_be_decided_within_three_months(told: Told) -> None:
    told.move("submitted", "assessment")

    duty = told.duties()[TermName.APPLICATION]
    assert (duty.index, duty.due_at) == (0, at("2027-04-30"))


@pytest.mark.parametrize("last", ["granted", "refused"])
def test_a_decision_ends_that_term(told: Told, last: str) -> None:
    told.move("submitted", "assessment", last)

    assert TermName.APPLICATION not in told.duties()


def test_a_grant_is_to_be_renewed_provided_for_and_ended(told: Told) -> None:
    told.move("submitted", "assessment", "granted")

    duties = told.duties()
    assert duties[TermName.RENEWAL].due_at == START + timedelta(days=90)
    assert duties[TermName.DATA].due_at == at("2027-03-31")
    assert duties[TermName.END].due_at == last_moment(PERMIT)
    assert set(duties) == {TermName.RENEWAL, TermName.DATA, TermName.END}


def test_a_renewal_moves_its_own_term_and_no_other(told: Told) -> None:
    told.move("submitted", "assessment", "granted")
    told.move("granted", days=80)

    duties = told.duties()
    assert duties[TermName.RENEWAL].due_at == START + timedelta(days=170)
    assert duties[TermName.DATA].index == 2


def test_what_ends_before_needs_no_renewal(told: Told) -> None:
    told.move("submitted", "assessment", "granted", days=400)

    assert TermName.RENEWAL not in told.duties()


def test_an_extract_ends_the_term_for_data(told: Told) -> None:
    told.move("submitted", "assessment", "granted")
    told.extract()

    assert TermName.DATA not in told.duties()


def test_a_suspension_is_to_be_settled_within_four_weeks(told: Told) -> None:
    told.move("submitted", "assessment", "granted", "suspended")

    duties = told.duties()
    assert duties[TermName.HEARING].due_at == START + timedelta(days=28)
    assert TermName.RENEWAL not in duties


def test_what_is_over_is_deleted_and_its_results_are_published(told: Told) -> None:
    told.move("submitted", "assessment", "granted")
    told.extract()
    told.move("revoked", days=3)

    duties = told.duties()
    over = START + timedelta(days=3)
    assert duties[TermName.DELETION].since == over
    assert duties[TermName.DELETION].due_at == add_months(over, 6)
    assert duties[TermName.RESULTS].due_at == add_months(over, 18)


def test_a_late_clock_does_not_make_a_term_longer(told: Told) -> None:
    told.move("submitted", "assessment", "granted")
    told.move("expired", days=1000)

    assert told.duties()[TermName.DELETION].since == last_moment(PERMIT)


def test_results_are_owed_only_where_data_were_provided(told: Told) -> None:
    told.move("submitted", "assessment", "granted", "revoked")

    assert TermName.RESULTS not in told.duties()


def test_a_release_and_a_deletion_end_their_terms(told: Told) -> None:
    told.move("submitted", "assessment", "granted")
    told.extract()
    told.say(
        OutputReleased, request="r", permit="study", job="j", files={}, manifest_sha256="0" * 64
    )
    ended = told.move("revoked")
    told.say(ProjectDeleted, permit="study", ended=ended, erased=0, statement_sha256="0" * 64)

    assert told.duties() == {}


def test_a_project_without_keys_needs_no_deletion(told: Told) -> None:
    told.move("submitted", "assessment", "granted", "revoked")

    assert told.duties(projects=frozenset()) == {}


def test_decisions_that_are_not_on_the_site_are_to_be_published(told: Told) -> None:
    told.move("submitted", "assessment", "granted", "revoked")

    known = Known(told.entries, {"study": PERMIT}, shown={2})
    found = [each.index for each in list_duties(known) if each.term is TermName.PUBLICATION]
    assert found == [3]


def deliver(told: Told, *, name: str = "d", partition: str = "b" * 32) -> None:
    told.say(
        DeliveryReceived,
        delivery=name,
        holder="h",
        partition=partition,
        note_commitment="",
        objects={},
    )


def check(told: Told, *, name: str = "d", days: int = 0) -> None:
    told.say(
        DeliveryChecked,
        days=days,
        delivery=name,
        outcome="accepted",
        rows_accepted=0,
        rows_set_aside=0,
        report_commitment="",
    )


def version(told: Told) -> None:
    told.say(VersionPublished, dataset="dcir", parent=None, manifests={}, rows=0)


def test_what_landed_is_erased_ninety_days_after_its_check(told: Told) -> None:
    deliver(told)
    check(told, days=5)
    version(told)

    duty = told.duties()[TermName.DELIVERY]
    assert duty.since == START + timedelta(days=95)
    assert duty.stage(duty.since - timedelta(seconds=1)) is Stage.RUNNING
    assert duty.stage(duty.since) is Stage.DUE


def test_what_is_in_no_version_or_not_wholly_checked_stays(told: Told) -> None:
    deliver(told)
    assert told.duties() == {}
    check(told)
    assert told.duties() == {}
    deliver(told, name="other")
    version(told)
    assert told.duties() == {}


def test_what_was_ordered_erased_is_asked_for_until_it_is_closed(told: Told) -> None:
    deliver(told)
    check(told)
    version(told)
    order = told.say(
        ErasureOrdered,
        order="c" * 32,
        ground="taken-in",
        permit="",
        partitions=("b" * 32,),
        statement_sha256="",
        signers=(),
    )

    assert list(told.duties()) == [TermName.ORDER]
    told.say(KeysErased, order=order, certificates={})
    assert told.duties() == {}


def test_a_superseded_generation_is_erased_ninety_days_after_its_successor(told: Told) -> None:
    old = Superseded("d" * 32, "dataset/dcir-aside/0/1", 0, START)

    duty = told.duties(superseded=[old])[TermName.ASIDE]
    assert duty.since == START + timedelta(days=90)


def update(told: Told, *, every_hours: int, days: int = 0, number: int = 1) -> None:
    told.say(
        OppositionsUpdated,
        days=days,
        register="holder",
        holder="h",
        delivery="d",
        version=number,
        root="0" * 64,
        people=100,
        every_hours=every_hours,
        partition="e" * 32,
        manifest_sha256="",
    )


def test_lists_of_who_objects_are_owed_by_their_rhythm_and_by_the_month(told: Told) -> None:
    update(told, every_hours=168)
    update(told, every_hours=168, days=7, number=2)

    duties = told.duties()
    assert duties[TermName.REGISTER].due_at == START + timedelta(days=15)
    assert duties[TermName.ANSWER].due_at == add_months(START + timedelta(days=7), 1)


def test_the_newest_catalogue_is_to_be_verified_within_a_year(told: Told) -> None:
    told.say(CatalogueImported, catalogue_sha256="", tables=1)
    told.say(CatalogueImported, days=9, catalogue_sha256="", tables=1)

    assert told.duties()[TermName.DESCRIPTION].index == 1


# ---------------------------------------------------------------- notices


def test_a_term_is_told_once_ahead_and_once_when_it_is_past(told: Told) -> None:
    told.move("submitted")
    duty = told.duties()[TermName.APPLICATION]
    early, near, late = (duty.due_at + timedelta(days=days) for days in (-31, -30, 1))

    assert untold([duty], [], now=early) == []
    assert untold([duty], [], now=near) == [duty]
    ahead = notice(duty, near)
    assert untold([duty], [ahead], now=near) == []
    assert untold([duty], [ahead], now=late) == [duty]
    assert untold([duty], [ahead, notice(duty, late)], now=late) == []


def notice(duty: Duty, now: datetime) -> NoticeGiven:
    return NoticeGiven(
        event_id="f" * 32,
        at=now,
        term=duty.term.value,
        about=duty.about,
        since=duty.index,
        due_at=duty.due_at,
        stage=str(notice_stage(duty, now)),
        to=told_roles(duty),
    )


def test_a_notice_of_the_term_before_is_another(told: Told) -> None:
    told.move("submitted", "assessment", "granted")
    before = told.duties()[TermName.RENEWAL]
    told.move("granted", days=85)
    after = told.duties()[TermName.RENEWAL]
    given = notice(before, before.due_at)

    assert untold([after], [given], now=after.due_at) == [after]


def test_what_the_hub_does_today_is_not_announced(told: Told) -> None:
    duty = Duty(TermName.DELETION, "study", 0, START)

    assert notice_stage(duty, START) is None
    assert notice_stage(duty, add_months(START, 6) + timedelta(1)) is Stage.OVERDUE
    assert told_roles(duty) == ("custodian",)


def test_what_the_hub_alone_owes_is_told_to_the_controller() -> None:
    assert told_roles(Duty(TermName.PUBLICATION, "study", 0, START)) == ("controller",)


# ---------------------------------------------------------------- what is said of it


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_stage_and_role_is_said_in_each_language(language: str) -> None:
    roles = {each for term in TERMS for each in told_roles(Duty(term, "", 0, START))}
    keys = [f"term-{term.value}" for term in TERMS]
    keys += ["notice-ahead", "notice-overdue", *(f"told-{role}" for role in roles)]

    assert [key for key in keys if word(key, language, "x") == key] == []


@pytest.mark.parametrize("name", TERMS)
def test_the_page_says_what_the_table_says(name: TermName) -> None:
    row = TERMS[name]
    cells = (
        f"`{name.value}`",
        row.means,
        row.since,
        row.length,
        f"{row.ahead_days} days" if row.ahead_days else "–",
        ", ".join(role.value for role in row.owed_by),
        row.source,
    )

    assert f"| {' | '.join(cells)} |" in PAGE.read_text(encoding="utf-8").splitlines()


def verifier() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_log", ROOT / "tools/verify_log.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their own module up.

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_verifier_has_every_term_and_no_other() -> None:
    assert set(verifier().TERMS) == {term.value for term in TERMS}


@pytest.mark.parametrize("name", TERMS)
def test_the_verifier_ends_a_term_on_the_same_day(name: TermName) -> None:
    _, length = verifier().TERMS[name.value]
    row, waits = TERMS[name], 90 if name in (TermName.DELIVERY, TermName.ASIDE) else 0

    if length is None:
        return
    assert length == (row.months, row.days + waits, row.working_days)
    assert verifier()._end(START, *length) == replace(row).end(START + timedelta(days=waits))

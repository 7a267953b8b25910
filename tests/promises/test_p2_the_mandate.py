"""P2: without a permit nothing is opened but a delivery, signed by its holder, under the
controller's standing mandate. Every missing piece, one at a time, is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.hub_keys import DCIR_2021, OTHER_LANDING, SECRET
from fakes.landed import FILE_KEY, Landed
from havre.adapters.custody import local
from havre.application.vault.keys import KeysWanted
from havre.domain.custody import (
    MANDATE_DAYS,
    MANDATE_OPENINGS,
)
from havre.domain.statements import envelope_digest
from havre.errors import HavreError, Refused


@pytest.fixture
def landed(tmp_path: Path) -> Landed:
    return Landed(tmp_path)


def test_a_delivery_that_its_holder_signed_is_opened(landed: Landed) -> None:
    assert landed.open(landed.delivered()) == FILE_KEY


def no_mandate(landed: Landed) -> KeysWanted:
    for custodian in landed.hub.custodians():
        (landed.hub.root / custodian.name / "mandate.json").unlink()
    return landed.delivered()


def a_mandate_that_has_ended(landed: Landed) -> KeysWanted:
    landed.hub.log.clock.move(days=MANDATE_DAYS)
    return landed.delivered()


def a_mandate_that_has_not_begun(landed: Landed) -> KeysWanted:
    landed.hub.log.clock.move(days=1)
    landed.give_mandate()
    landed.hub.log.clock.move(days=-1)
    return landed.delivered()


def a_dataset_that_the_mandate_does_not_name(landed: Landed) -> KeysWanted:
    landed.give_mandate(datasets=["pmsi"])
    return landed.delivered()


def more_releases_than_a_day_allows(landed: Landed) -> KeysWanted:
    landed.give_mandate(daily=1)
    landed.open(landed.delivered())
    return landed.receive(landed.note("d2", landing=OTHER_LANDING), "d2", landing=OTHER_LANDING)


def a_note_signed_by_the_hub(landed: Landed) -> KeysWanted:
    return landed.receive(landed.note(by="hub"))


def a_note_of_another_holder_than_the_log_says(landed: Landed) -> KeysWanted:
    return landed.receive(landed.note(), holder="researcher")


def a_note_that_was_not_brought_along(landed: Landed) -> KeysWanted:
    return replace(landed.delivered(), documents={})


def a_note_without_its_salt(landed: Landed) -> KeysWanted:
    return replace(landed.delivered(), salts={})


def another_note_than_the_one_on_the_log(landed: Landed) -> KeysWanted:
    wanted = landed.delivered()
    other = landed.note(dataset="pmsi")
    return replace(wanted, documents={envelope_digest(other): other})


def a_note_about_another_delivery(landed: Landed) -> KeysWanted:
    return landed.receive(landed.note("d2"))


def a_note_sealed_to_another_landing_partition(landed: Landed) -> KeysWanted:
    return landed.receive(landed.note(landing=OTHER_LANDING))


def a_delivery_into_the_lake(landed: Landed) -> KeysWanted:
    return landed.receive(landed.note(landing=DCIR_2021), landing=DCIR_2021)


def a_year_of_the_lake_besides(landed: Landed) -> KeysWanted:
    wanted = landed.delivered()
    return replace(wanted, partitions=[*wanted.partitions, landed.hub.known(DCIR_2021)])


def a_projects_secret_besides(landed: Landed) -> KeysWanted:
    wanted = landed.delivered()
    return replace(wanted, partitions=[*wanted.partitions, landed.hub.known(SECRET)])


def another_deliverys_landing_partition(landed: Landed) -> KeysWanted:
    return replace(landed.delivered(), partitions=[landed.hub.known(OTHER_LANDING)])


def one_delivery_named_twice(landed: Landed) -> KeysWanted:
    wanted = landed.delivered()
    return replace(wanted, deliveries=wanted.deliveries * 2)


def an_entry_that_is_no_delivery(landed: Landed) -> KeysWanted:
    return replace(landed.delivered(), deliveries=(0,))


def a_delivery_that_comes_later(landed: Landed) -> KeysWanted:
    wanted = landed.delivered()
    return replace(wanted, deliveries=(wanted.deliveries[0] + 1,))


def a_delivery_taken_in_before(landed: Landed) -> KeysWanted:
    wanted = landed.delivered()
    landed.open(wanted)
    landed.take_in()
    return wanted


def a_delivery_opened_too_often(landed: Landed) -> KeysWanted:
    wanted = landed.delivered()
    for _ in range(MANDATE_OPENINGS):
        landed.open(wanted)
    return wanted


def the_same_delivery_received_again(landed: Landed) -> KeysWanted:
    landed.delivered()
    return landed.delivered()


def another_delivery_into_a_used_landing_partition(landed: Landed) -> KeysWanted:
    landed.delivered()
    return landed.receive(landed.note("d2"), "d2")


def another_purpose(landed: Landed) -> KeysWanted:
    return replace(landed.delivered(), purpose="extract")


MISSING: list[tuple[Callable[[Landed], KeysWanted], str]] = [
    (no_mandate, "has no mandate"),
    (a_mandate_that_has_ended, "has ended"),
    (a_mandate_that_has_not_begun, "has not begun"),
    (a_dataset_that_the_mandate_does_not_name, "does not name this delivery's dataset"),
    (more_releases_than_a_day_allows, "daily number of releases is used up"),
    (a_note_signed_by_the_hub, "1 of role holder"),
    (a_note_of_another_holder_than_the_log_says, "another holder"),
    (a_note_that_was_not_brought_along, "not brought along"),
    (a_note_without_its_salt, "not brought along"),
    (another_note_than_the_one_on_the_log, "not the one on the log"),
    (a_note_about_another_delivery, "about another delivery"),
    (a_note_sealed_to_another_landing_partition, "about another delivery or landing"),
    (a_delivery_into_the_lake, "no landing partition"),
    (a_year_of_the_lake_besides, "the second secret only"),
    (a_projects_secret_besides, "the second secret only"),
    (another_deliverys_landing_partition, "the second secret only"),
    (one_delivery_named_twice, "each delivery once"),
    (an_entry_that_is_no_delivery, "as a delivery's is none"),
    (a_delivery_that_comes_later, "as a delivery's is none"),
    (a_delivery_taken_in_before, "taken in under the mandate before"),
    (a_delivery_opened_too_often, "opened 3 times today"),
    (the_same_delivery_received_again, "stands on the log before"),
    (another_delivery_into_a_used_landing_partition, "stands on the log before"),
    (another_purpose, "for ingestion only"),
]


@pytest.mark.parametrize(
    ("missing", "reason"), MISSING, ids=lambda value: getattr(value, "__name__", "")
)
def test_what_is_missing_keeps_every_delivery_closed(
    landed: Landed, missing: Callable[[Landed], KeysWanted], reason: str
) -> None:
    wanted = missing(landed)

    with pytest.raises(HavreError, match=f"0 custodians answered.*{reason}"):
        landed.open(wanted)


def test_a_hub_that_died_may_open_a_delivery_again(landed: Landed) -> None:
    wanted = landed.delivered()

    assert [landed.open(wanted) for _ in range(2)] == [FILE_KEY, FILE_KEY]


def test_the_count_of_a_day_is_over_the_next_day(landed: Landed) -> None:
    wanted = more_releases_than_a_day_allows(landed)
    with pytest.raises(Refused, match="used up"):
        landed.open(wanted)
    landed.hub.release().close_abandoned()
    landed.hub.log.clock.move(days=1, seconds=1)

    assert landed.open(wanted) == FILE_KEY


def test_these_tests_would_notice_a_custodian_that_checks_nothing(
    landed: Landed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breach, planted: with the rule gone, the hub opens a delivery that it signed itself."""
    wanted = a_note_signed_by_the_hub(landed)
    monkeypatch.setattr(local, "check_release", lambda request, view: view.events[request.index])

    assert landed.open(wanted) == FILE_KEY


def test_a_mandate_that_the_controller_did_not_sign_replaces_none(landed: Landed) -> None:
    with pytest.raises(Refused, match="controller"):
        landed.give_mandate(by="hub")

    assert landed.open(landed.delivered()) == FILE_KEY


def test_an_older_mandate_does_not_come_back(landed: Landed) -> None:
    """A hub that kept a wider one would go on with it until it ends."""
    begun = landed.hub.log.clock.now()
    landed.hub.log.clock.move(days=1)
    landed.give_mandate(datasets=["pmsi"])
    landed.hub.log.clock.move(days=-1)
    assert landed.hub.log.clock.now() == begun
    with pytest.raises(Refused, match="has a later mandate"):
        landed.give_mandate()
    landed.hub.log.clock.move(days=1)

    with pytest.raises(Refused, match="does not name this delivery's dataset"):
        landed.open(landed.delivered())

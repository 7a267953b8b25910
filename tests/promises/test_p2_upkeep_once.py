"""P2: upkeep opens what its own permit names, for what it says, once; each missing piece is named.

What the text of such a permit may not say is tried on the custodians too: they read it by
themselves, whatever the hub let through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import count

import pytest

from fakes.hub_keys import DCIR_2021, DCIR_2022, PERMIT, PROJECT, SECRET, STAGE_2, HubKeys
from havre.application.vault.keys import KeysWanted
from havre.crypto.random import new_object_id
from havre.crypto.sealing import seal_key
from havre.domain import custody, permit_text
from havre.domain.events import KeysRequested, PermitMoved, VersionPublished
from havre.domain.permit import OutputRules, Permit, Population
from havre.domain.permit_signing import open_permit
from havre.domain.permit_states import PermitState
from havre.domain.statements import envelope_digest
from havre.domain.upkeep import UPKEEP_OPENINGS, UpkeepKind
from havre.errors import HavreError, InvalidInput
from havre.values import Partition, PartitionKind

FILE_KEY = bytes(range(32))
ASIDE = Partition(PartitionKind.DATASET, "dcir-aside", 0)
COMPACT = Permit(
    name="compact-dcir",
    title="Files of 2021 put together",
    purpose="Put the small files of 2021 together.",
    applicant="controller",
    people=("hub",),
    period=(date(2026, 5, 25), date(2026, 6, 7)),
    starts_on=date(2026, 5, 25),
    ends_on=date(2026, 6, 7),
    tables=(),
    population=Population(),
    output=OutputRules(11, ()),
    environment_sha256="",
    years={"dcir": (2021,)},
    upkeep=UpkeepKind.COMPACT,
)
QUARANTINE = replace(
    COMPACT, name="aside-dcir", years={"dcir-aside": (0,)}, upkeep=UpkeepKind.QUARANTINE
)


# One hub for all: what is on its log about one permit says nothing about another.
_NAMES = (f"upkeep-{number}" for number in count())


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> HubKeys:
    made = HubKeys(tmp_path_factory.mktemp("hub"))
    made.ceremonies().make([ASIDE])
    return made


def granted(
    hub: HubKeys,
    permit: Permit = COMPACT,
    *partitions: Partition,
    purpose: str = "",
    by: tuple[str, ...] = ("authority-1", "authority-2"),
) -> KeysWanted:
    """A permit of a new name on the log, and a request for what it covers."""
    permit = replace(permit, name=next(_NAMES))
    signed = hub.signed(permit, by=by)
    way = (PermitState.SUBMITTED, PermitState.ASSESSMENT, PermitState.GRANTED)
    reached = {UpkeepKind.COMPACT: (DCIR_2021,), UpkeepKind.QUARANTINE: (ASIDE, STAGE_2)}
    default = reached[permit.upkeep] if permit.upkeep else (DCIR_2021, SECRET)
    return KeysWanted(
        purpose=purpose or (permit.upkeep.value if permit.upkeep else "extract"),
        partitions=[hub.known(each) for each in partitions or default],
        permit=hub.move(signed, *way, permit=permit.name),
        documents={envelope_digest(signed): signed},
    )


def opened(hub: HubKeys, wanted: KeysWanted) -> bytes:
    """Have a file key of the first partition opened, the whole way from the log to the key room."""
    known = wanted.partitions[0]
    sealed = seal_key(FILE_KEY, to=known.public_key, info=b"context")
    with hub.release().open(wanted) as keys:
        return keys.unwrap(known.partition_id, sealed, b"context")


def name_of(hub: HubKeys, wanted: KeysWanted) -> str:
    moved = hub.log.public().entries()[wanted.permit or 0].event
    assert isinstance(moved, PermitMoved)
    return moved.permit


def publish(hub: HubKeys, wanted: KeysWanted) -> None:
    """Put a version on the log that was made under a permit."""
    hub.journal.record(
        VersionPublished(
            event_id=new_object_id(),
            at=hub.log.clock.now(),
            dataset="dcir",
            parent=None,
            manifests={},
            rows=0,
            permit=name_of(hub, wanted),
        )
    )


@pytest.mark.parametrize("permit", [COMPACT, QUARANTINE], ids=lambda each: str(each.name))
def test_a_permit_for_upkeep_opens_what_it_names(hub: HubKeys, permit: Permit) -> None:
    assert opened(hub, granted(hub, permit)) == FILE_KEY


def test_a_hub_that_died_may_open_it_again_but_not_for_ever(hub: HubKeys) -> None:
    wanted = granted(hub)

    assert [opened(hub, wanted) for _ in range(UPKEEP_OPENINGS)] == [FILE_KEY] * UPKEEP_OPENINGS
    with pytest.raises(HavreError, match="opened 3 times, and no more"):
        opened(hub, wanted)


def one_signature(hub: HubKeys) -> KeysWanted:
    return granted(hub, by=("authority-1",))


def a_version_made_under_it(hub: HubKeys) -> KeysWanted:
    wanted = granted(hub)
    publish(hub, wanted)
    return wanted


def a_renewal_after_its_version(hub: HubKeys) -> KeysWanted:
    wanted = a_version_made_under_it(hub)
    name = name_of(hub, wanted)
    signed = hub.signed(replace(COMPACT, name=name), about=wanted.permit)
    again = hub.move(signed, PermitState.GRANTED, after=wanted.permit, permit=name)
    return replace(wanted, permit=again, documents={envelope_digest(signed): signed})


def a_request_that_stands_open(hub: HubKeys) -> KeysWanted:
    wanted = granted(hub)
    hub.journal.record(
        KeysRequested(
            event_id=new_object_id(),
            at=hub.log.clock.now(),
            permit=wanted.permit,
            deliveries=(),
            partitions=(hub.known(DCIR_2021).partition_id,),
            purpose="compact",
            plan_commitment="",
            one_time_key_sha256="0" * 64,
        )
    )
    return wanted


def its_last_day_over(hub: HubKeys) -> KeysWanted:
    earlier = replace(COMPACT, starts_on=date(2026, 5, 20), ends_on=date(2026, 5, 31))
    return granted(hub, replace(earlier, period=(earlier.starts_on, earlier.ends_on)))


def an_extract(hub: HubKeys) -> KeysWanted:
    return granted(hub, purpose="extract")


def a_run(hub: HubKeys) -> KeysWanted:
    return granted(hub, COMPACT, PROJECT, purpose="run")


def the_other_kind(hub: HubKeys) -> KeysWanted:
    return granted(hub, COMPACT, purpose="quarantine")


def a_projects_permit_for_compaction(hub: HubKeys) -> KeysWanted:
    return granted(hub, PERMIT, DCIR_2021, purpose="compact")


def a_projects_permit_for_rows_set_aside(hub: HubKeys) -> KeysWanted:
    return granted(hub, PERMIT, DCIR_2021, purpose="quarantine")


def a_year_that_it_does_not_name(hub: HubKeys) -> KeysWanted:
    return granted(hub, COMPACT, DCIR_2022)


def the_second_secret_for_compaction(hub: HubKeys) -> KeysWanted:
    return granted(hub, COMPACT, DCIR_2021, STAGE_2)


def the_lake_for_rows_set_aside(hub: HubKeys) -> KeysWanted:
    return granted(hub, QUARANTINE, ASIDE, DCIR_2021)


def a_projects_secret_for_rows_set_aside(hub: HubKeys) -> KeysWanted:
    return granted(hub, QUARANTINE, ASIDE, SECRET)


def an_applicant_who_is_a_researcher(hub: HubKeys) -> KeysWanted:
    return granted(hub, replace(COMPACT, applicant="researcher"))


def people_who_are_not_the_hub(hub: HubKeys) -> KeysWanted:
    return granted(hub, replace(COMPACT, people=("researcher",)))


MISSING: list[tuple[Callable[[HubKeys], KeysWanted], str]] = [
    (one_signature, "1 of role authority"),
    (a_version_made_under_it, "has been used"),
    (a_renewal_after_its_version, "has been used"),
    (a_request_that_stands_open, "being opened already"),
    (its_last_day_over, "ended on"),
    (an_extract, "is for upkeep: compact"),
    (a_run, "is for upkeep: compact"),
    (the_other_kind, "is for upkeep: compact"),
    (a_projects_permit_for_compaction, "is a project's"),
    (a_projects_permit_for_rows_set_aside, "is a project's"),
    (a_year_that_it_does_not_name, "does not cover"),
    (the_second_secret_for_compaction, "opens no secret partition"),
    (the_lake_for_rows_set_aside, "does not cover"),
    (a_projects_secret_for_rows_set_aside, "does not cover"),
    (an_applicant_who_is_a_researcher, "asked for by the controller"),
    (people_who_are_not_the_hub, "done by the hub"),
]


@pytest.mark.parametrize(
    ("missing", "reason"), MISSING, ids=lambda value: getattr(value, "__name__", "")
)
def test_what_is_missing_keeps_every_share_closed(
    hub: HubKeys, missing: Callable[[HubKeys], KeysWanted], reason: str
) -> None:
    wanted = missing(hub)

    with pytest.raises(HavreError, match=f"0 custodians answered.*{reason}"):
        opened(hub, wanted)


@pytest.mark.parametrize(
    ("permit", "reason"),
    [
        (replace(COMPACT, ends_on=date(2026, 6, 8)), "more than 14 days"),
        (replace(COMPACT, years={}), "reaches no partition"),
        (replace(COMPACT, years={"oppositions": (0,)}), "register of oppositions"),
        (replace(COMPACT, years={"dcir-aside": (0,)}), "reaches rows that were set aside"),
        (replace(QUARANTINE, years={"dcir": (2021,)}), "for rows set aside and reaches others"),
        (replace(PERMIT, years={"dcir-aside": (0,)}), "reaches rows that were set aside"),
    ],
    ids=["15 days", "nothing", "oppositions", "aside", "the lake", "a project"],
)
def test_a_text_that_no_permit_may_have_is_none_though_two_signed_it(
    hub: HubKeys, monkeypatch: pytest.MonkeyPatch, permit: Permit, reason: str
) -> None:
    signed = hub.signed(permit)

    with pytest.raises(InvalidInput, match=reason):
        open_permit(signed, roots=hub.roots)
    # The breach, planted: with the rule gone, such a permit is one.
    monkeypatch.setattr(permit_text, "_refuse", lambda _: None)
    assert open_permit(signed, roots=hub.roots).permit.years == permit.years


def test_these_tests_would_notice_a_custodian_that_counts_nothing(
    hub: HubKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breach, planted: with the rule gone, a permit for upkeep opens again after its version."""
    wanted = a_version_made_under_it(hub)
    monkeypatch.setattr(custody, "check_upkeep_unused", lambda *_: None)

    assert opened(hub, wanted) == FILE_KEY

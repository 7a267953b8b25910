"""A generation takes no more writes after its days or its openings, and readers take all of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fakes.parties import START
from havre.bootstrap.key_rules import parse_rotation_rule, read_rotation_rule
from havre.crypto.random import new_object_id
from havre.domain.events import Event, KeysRequested, PartitionsCreated, VersionPublished
from havre.domain.key_events import ErasureOrdered
from havre.domain.key_states import read_key_states
from havre.domain.rotation import (
    Generation,
    RotationRule,
    list_due,
    list_generations,
    list_open,
    next_generation,
)
from havre.errors import InvalidInput
from havre.values import Partition, PartitionKind

RULE = RotationRule(days=30, openings=3)
FIRST, SECOND = (Partition(PartitionKind.DATASET, "dcir", 2023, n) for n in (1, 2))
ASIDE = Partition(PartitionKind.DATASET, "dcir-aside", 0)
PROJECT = Partition(PartitionKind.PROJECT, "diabetes")


def made(*partitions: Partition, at: datetime = START) -> PartitionsCreated:
    ids = [named(each) for each in partitions]
    return PartitionsCreated(
        event_id=new_object_id(),
        at=at,
        public_keys=dict.fromkeys(ids, "0" * 64),
        shares={each: {"custodian-1": "0" * 64} for each in ids},
    )


def named(partition: Partition) -> str:
    return f"{partition.name}-{partition.generation}"


def written(partition: Partition, *, at: datetime = START) -> VersionPublished:
    return VersionPublished(
        event_id=new_object_id(),
        at=at,
        dataset="dcir",
        parent=None,
        manifests={named(partition): "0" * 64},
        rows=0,
    )


def opened(partition: Partition) -> KeysRequested:
    return KeysRequested(
        event_id=new_object_id(),
        at=START,
        permit=1,
        deliveries=(),
        partitions=(named(partition),),
        purpose="extract",
        plan_commitment="",
        one_time_key_sha256="",
    )


def asked(
    rule: Callable[..., list[Generation]], events: list[Event], *, days: int = 0
) -> list[str]:
    known = {named(each): each for each in (FIRST, SECOND, ASIDE, PROJECT)}
    states = read_key_states(events)
    there = {name: each for name, each in known.items() if name in states}
    found = rule(
        list_generations(there, states), events, rule=RULE, now=START + timedelta(days=days)
    )
    return [each.partition.text for each in found]


def test_a_generation_that_was_never_used_does_not_age() -> None:
    events: list[Event] = [made(FIRST, ASIDE)]

    assert asked(list_due, events, days=400) == []
    assert asked(list_open, events, days=400) == [FIRST.text, ASIDE.text]


@pytest.mark.parametrize(("days", "due"), [(29, []), (30, [FIRST.text, ASIDE.text])])
def test_a_generation_is_due_so_many_days_after_its_first_write(days: int, due: list[str]) -> None:
    events: list[Event] = [made(FIRST, ASIDE), written(FIRST), written(FIRST, at=START)]

    assert asked(list_due, events, days=days) == due


@pytest.mark.parametrize(("times", "due"), [(2, []), (3, [FIRST.text])])
def test_a_generation_is_due_after_so_many_openings(times: int, due: list[str]) -> None:
    events: list[Event] = [made(FIRST), *(opened(FIRST) for _ in range(times))]

    assert asked(list_due, events) == due


def test_a_successor_is_open_and_what_it_follows_is_neither_open_nor_due() -> None:
    events: list[Event] = [made(FIRST), written(FIRST), made(SECOND)]

    assert asked(list_due, events, days=31) == []
    assert asked(list_open, events, days=31) == [SECOND.text]


def test_a_generation_that_is_due_is_not_open_and_no_older_one_comes_back() -> None:
    events: list[Event] = [made(FIRST), made(SECOND), written(SECOND)]

    assert asked(list_open, events, days=31) == []


def test_behind_a_generation_that_is_ordered_erased_no_older_one_is_written_to_again() -> None:
    order = ErasureOrdered(
        event_id=new_object_id(),
        at=START,
        order="0" * 32,
        ground="decided",
        permit="",
        partitions=(named(SECOND),),
        statement_sha256="",
        signers=(),
    )

    events: list[Event] = [made(FIRST), made(SECOND), order]
    assert asked(list_open, events) == []
    assert asked(list_due, events) == [SECOND.text]


def test_a_number_is_never_given_twice() -> None:
    assert next_generation(FIRST, [FIRST, SECOND, ASIDE]).generation == 3


def test_a_project_has_no_generation_to_come() -> None:
    assert asked(list_open, [made(PROJECT)]) == []


def test_the_rule_is_read_from_the_hubs_own_file(tmp_path: Path) -> None:
    (tmp_path / "havre.toml").write_text("[keys]\nrotate_after_openings = 5\n")

    assert read_rotation_rule(tmp_path) == RotationRule(days=30, openings=5)


@pytest.mark.parametrize(
    "told",
    [
        {"rotate_after_days": 0},
        {"rotate_after_days": "30"},
        {"rotate_after_days": True},
        {"rotate_after_weeks": 3},
    ],
)
def test_a_rule_in_another_spelling_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="section keys"):
        parse_rotation_rule(told)

"""When a generation of keys takes no more writes: after so many openings, or so many days.

Whoever kept a seed from one run reads all that is sealed to that generation,
before and after. A new generation bounds the "after" and loses nothing: readers
take the union of all.

Only partitions of the lake have generations to come. A project's lives as long
as its permit, a delivery's is used once, and a secret that changed would name
every person anew.

Source: `docs/protocols.md`, section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from havre.domain.events import Event, VersionPublished
from havre.domain.key_states import KeyState
from havre.domain.upkeep import ASIDE_SUFFIX
from havre.values import Partition, PartitionKind


@dataclass(frozen=True, slots=True)
class RotationRule:
    """How long a generation is written to.

    days: from the first write to it. openings: requests for its keys.
    """

    days: int = 30
    openings: int = 100


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation: its partition, its opaque id, and where its keys stand."""

    partition: Partition
    partition_id: str
    state: KeyState

    @property
    def place(self) -> tuple[str, int | None]:
        """What all generations of one partition share: the dataset and the year."""
        return self.partition.name, self.partition.year


def list_generations(
    partitions: Mapping[str, Partition], states: Mapping[str, KeyState]
) -> list[Generation]:
    """List the generations of the lake, erased ones too, in order of partition.

    partitions: opaque id to what it is.
    """
    return sorted(
        (
            Generation(partition, name, states[name])
            for name, partition in partitions.items()
            if partition.kind is PartitionKind.DATASET
        ),
        key=lambda each: (each.partition.name, each.partition.year or 0, each.partition.generation),
    )


def list_open(
    generations: Sequence[Generation],
    events: Sequence[Event],
    *,
    rule: RotationRule,
    now: datetime,
) -> list[Generation]:
    """List the generations that may be written to: of each place the newest, unless it is due."""
    due = {each.partition_id for each in list_due(generations, events, rule=rule, now=now)}
    return [each for each in newest_of(generations) if each.partition_id not in due]


def list_due(
    generations: Sequence[Generation],
    events: Sequence[Event],
    *,
    rule: RotationRule,
    now: datetime,
) -> list[Generation]:
    """List the newest generations that take no more writes, so that another one must be made.

    events: the log, from the first entry.

    One that is ordered erased has no open one behind it either: what was closed stays closed.
    One that nothing was ever written to and that was never opened has no age: its
    seed was whole nowhere since the ceremony.
    """
    return [
        each
        for each in newest_of(generations)
        if not each.state.living
        or each.state.openings >= rule.openings
        or _written_for(each, events, now=now) >= timedelta(days=rule.days)
    ]


def newest_of(generations: Iterable[Generation]) -> list[Generation]:
    """Of each place, the newest generation."""
    newest = {
        each.place: each for each in sorted(generations, key=lambda one: one.partition.generation)
    }
    return list(newest.values())


def next_generation(partition: Partition, known: Iterable[Partition]) -> Partition:
    """Name the generation that comes after every one that ever was, erased ones too.

    >>> first = Partition(PartitionKind.DATASET, "dcir", 2023)
    >>> next_generation(first, [first]).text
    'dataset/dcir/2023/2'
    """
    same = (partition.kind, partition.name, partition.year)
    last = max(each.generation for each in known if (each.kind, each.name, each.year) == same)
    return replace(partition, generation=last + 1)


def _written_for(each: Generation, events: Sequence[Event], *, now: datetime) -> timedelta:
    first = each.state.written_at
    if each.partition.name.endswith(ASIDE_SUFFIX):
        # No entry names where rows that were set aside lie: they are written with a version.
        dataset = each.partition.name.removesuffix(ASIDE_SUFFIX)
        first = next(
            (
                event.at
                for event in events[each.state.created :]
                if isinstance(event, VersionPublished) and event.dataset == dataset
            ),
            None,
        )
    return now - first if first else timedelta()

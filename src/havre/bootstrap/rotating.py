"""New generations of keys, wired: what is due, and what a person asks for."""

from __future__ import annotations

from collections.abc import Sequence

from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.application.rotation import Generations, Rotation
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.key_rules import read_rotation_rule
from havre.domain.key_states import KeyState, read_key_states
from havre.errors import InvalidInput
from havre.values import parse_partition


def generations(hub: OpenHub) -> Generations:
    """The generations of a hub's lake."""
    rule = read_rotation_rule(hub.place.folder)
    return Generations(hub.records, log=hub.log, clock=hub.clock, rule=rule)


def rotation(hub: OpenHub) -> Rotation:
    """Whoever makes new generations."""
    catalogue = PartitionCatalogue(hub.records, log=hub.log)
    return Rotation(generations(hub), ceremonies=hub.ceremonies, catalogue=catalogue)


def rotate(hub: OpenHub, partitions: Sequence[str], *, due: bool) -> list[KnownPartition]:
    """Make new generations of what is named, and of everything that is due.

    Raises:
        InvalidInput: nothing is asked for.
    """
    if not partitions and not due:
        raise InvalidInput(
            "A rotation is of something.",
            hint="Name partitions such as dataset/dcir/2023/1, or say --due.",
        )
    named = rotation(hub).rotate([parse_partition(text) for text in partitions])
    return [*named, *(rotation(hub).rotate_due() if due else ())]


def rotate_before_writing(hub: OpenHub, dataset: str) -> None:
    """Make what a dataset needs to be written to, where its generations take no more writes.

    Raises:
        Unavailable: a custodian takes no part in the ceremony.
    """
    rotation(hub).rotate_due(dataset)


def list_key_rows(hub: OpenHub, *, everything: bool) -> list[dict[str, object]]:
    """What a command shows of the key pairs, in order of partition.

    everything: also those to which nothing was sealed and which were never opened.
    """
    states = read_key_states(logged.event for logged in hub.log.entries())
    now = hub.clock.now()
    due = {each.partition_id for each in generations(hub).list_due()}
    writable = {each.partition_id for each in generations(hub).writable()}
    return [
        {
            "partition": known.partition.text,
            "id": known.partition_id,
            "generation": known.partition.generation,
            "age_days": (now - states[known.partition_id].created_at).days,
            "openings": states[known.partition_id].openings,
            "state": _state(
                states[known.partition_id],
                due=known.partition_id in due,
                writable=known.partition_id in writable,
            ),
            "custodians": sorted(states[known.partition_id].holders),
        }
        for known in PartitionCatalogue(hub.records, log=hub.log).list_partitions()
        if everything or _is_used(states[known.partition_id])
    ]


def _is_used(state: KeyState) -> bool:
    return bool(state.openings or state.written_at or state.orders)


def _state(state: KeyState, *, due: bool, writable: bool) -> str:
    """In a word: open for writing, due for a successor, closed behind one, or at its end."""
    if state.erased is not None:
        return "erased"
    if not state.living:
        return "erasure ordered"
    if due:
        return "due"
    return "open" if writable else "closed"

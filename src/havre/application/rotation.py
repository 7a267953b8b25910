"""Rotation: new generations of the lake's keys, made in one batch under the standing mandate.

No data object is touched and no key is opened. Writers take the newest
generation; readers take all.
"""

from __future__ import annotations

from collections.abc import Sequence

from havre.application.audit import PublicLog
from havre.application.ceremony import Ceremonies, KnownPartition, PartitionCatalogue
from havre.domain.key_states import read_key_states
from havre.domain.rotation import (
    Generation,
    RotationRule,
    list_due,
    list_generations,
    list_open,
    next_generation,
)
from havre.domain.upkeep import aside_dataset
from havre.errors import Refused
from havre.ports.clock import Clock
from havre.ports.records import Records
from havre.values import Partition, PartitionKind


class Generations:
    """The generations of a hub's lake, by the log."""

    def __init__(
        self, records: Records, *, log: PublicLog, clock: Clock, rule: RotationRule
    ) -> None:
        self._catalogue = PartitionCatalogue(records, log=log)
        self._log = log
        self._clock = clock
        self._rule = rule

    def list_due(self) -> list[Generation]:
        """List those that take no more writes and have no successor yet."""
        events = [logged.event for logged in self._log.entries()]
        return list_due(self._generations(), events, rule=self._rule, now=self._clock.now())

    def writable(self) -> list[KnownPartition]:
        """List every partition that may be written to: of the lake's, the open generations only."""
        events = [logged.event for logged in self._log.entries()]
        generations = self._generations()
        chosen = list_open(generations, events, rule=self._rule, now=self._clock.now())
        open_ids = {each.partition_id for each in chosen}
        return [
            each
            for each in self._catalogue.list_living()
            if each.partition.kind is not PartitionKind.DATASET or each.partition_id in open_ids
        ]

    def _generations(self) -> list[Generation]:
        states = read_key_states(logged.event for logged in self._log.entries())
        known = {each.partition_id: each.partition for each in self._catalogue.list_partitions()}
        return list_generations(known, states)


class Rotation:
    """Makes new generations."""

    def __init__(
        self,
        generations: Generations,
        *,
        ceremonies: Ceremonies,
        catalogue: PartitionCatalogue,
    ) -> None:
        self._generations = generations
        self._ceremonies = ceremonies
        self._catalogue = catalogue

    def rotate_due(self, dataset: str | None = None) -> list[KnownPartition]:
        """Make a successor for every generation that is due, in one ceremony.

        dataset: only of this one and of its rows that are set aside.

        Returns the new ones; none when nothing is due.

        Raises:
            Unavailable: a custodian takes no part; the old generations stay closed.
        """
        own = () if dataset is None else (dataset, aside_dataset(dataset))
        due = [
            each.partition
            for each in self._generations.list_due()
            if dataset is None or each.partition.name in own
        ]
        return self.rotate(due)

    def rotate(self, partitions: Sequence[Partition]) -> list[KnownPartition]:
        """Make a successor for each of these partitions, whether it is due or not.

        Raises:
            Refused: a partition is none of the lake's.
        """
        if wrong := sorted({p.text for p in partitions if p.kind is not PartitionKind.DATASET}):
            raise Refused(
                f"Only partitions of the lake have generations to come: not {', '.join(wrong)}.",
                hint="A project or a secret ends with its permit.",
            )
        if not partitions:
            return []
        known = [each.partition for each in self._catalogue.list_partitions()]
        return self._ceremonies.make({next_generation(each, known) for each in partitions})

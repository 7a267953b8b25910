"""Making key pairs that nobody holds: drawn, split and shared out in one short process.

Batched ahead of need: writing to a partition needs only its public half, so a
year's partitions, and landing places for deliveries to come, are made together.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from havre.application.journal import Journal
from havre.crypto.random import new_object_id
from havre.domain.events import PartitionsCreated
from havre.errors import NotFound, Refused
from havre.formats.canonical import encode_canonical, parse_canonical
from havre.ports.clock import Clock
from havre.ports.custody import Custodian
from havre.ports.keyroom import KeyRoom, PartitionToMake, Recipient
from havre.ports.records import Document, Records
from havre.values import Partition, parse_partition

KIND_PARTITION = "partition"


@dataclass(frozen=True, slots=True)
class KnownPartition:
    """A partition that the catalogue knows: what it is, its opaque id, its public key."""

    partition: Partition
    partition_id: str
    public_key: bytes

    @property
    def public_sha256(self) -> str:
        """The SHA-256 of the public key, as it stands on the log."""
        return hashlib.sha256(self.public_key).hexdigest()


class PartitionCatalogue:
    """The public halves of every partition, from the hub's records."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def list_partitions(self) -> list[KnownPartition]:
        """List every partition, in order."""
        found = [_read(document) for document in self._records.list_documents(KIND_PARTITION)]
        return sorted(found, key=lambda known: known.partition.text)

    def find(self, partition: Partition) -> KnownPartition:
        """Find a partition's public half.

        Raises:
            NotFound: no key pair was made for it.
        """
        for known in self.list_partitions():
            if known.partition == partition:
                return known
        raise NotFound(
            f"There is no key pair for the partition {partition.text}.",
            hint="Hold a ceremony for it: `havre ceremony`.",
        )


class Ceremonies:
    """Holds ceremonies: every custodian takes part, or none is held."""

    def __init__(
        self,
        *,
        room: KeyRoom,
        custodians: Sequence[Custodian],
        threshold: int,
        journal: Journal,
        records: Records,
        clock: Clock,
        origin: str,
    ) -> None:
        self._room = room
        self._custodians = custodians
        self._threshold = threshold
        self._journal = journal
        self._records = records
        self._clock = clock
        self._origin = origin

    def make(self, partitions: Iterable[Partition]) -> list[KnownPartition]:
        """Make key pairs for partitions that have none.

        Custodians have stored their shares before the log says that the
        partitions exist; shares of a ceremony that was cut short open nothing.

        Raises:
            Refused: a partition has a key pair already.
            Unavailable: a custodian does not answer.
        """
        wanted = list(partitions)
        known = {each.partition for each in PartitionCatalogue(self._records).list_partitions()}
        if twice := sorted({each.text for each in wanted if each in known}):
            raise Refused(f"These partitions have a key pair already: {', '.join(twice)}.")
        ceremony = new_object_id()
        recipients = [
            Recipient(custodian.name, custodian.begin_ceremony(ceremony))
            for custodian in self._custodians
        ]
        made = self._room.make(
            [PartitionToMake(new_object_id(), partition.text) for partition in wanted],
            recipients=recipients,
            threshold=self._threshold,
            origin=self._origin,
            ceremony=ceremony,
        )
        sealed = {shares.custodian: shares for shares in made.sealed}
        for custodian in self._custodians:
            custodian.accept(ceremony, sealed[custodian.name])
        fresh = [
            KnownPartition(partition, partition_id, public_key)
            for partition, (partition_id, public_key) in zip(
                wanted, made.public_keys.items(), strict=True
            )
        ]
        self._publish(fresh, {key: dict(each) for key, each in made.commitments.items()})
        return fresh

    def _publish(
        self, fresh: Sequence[KnownPartition], commitments: dict[str, dict[str, str]]
    ) -> None:
        # An entry holds about two hundred partitions; larger ceremonies take several.
        for at in range(0, len(fresh), 100):
            batch = fresh[at : at + 100]
            self._journal.record(
                PartitionsCreated(
                    event_id=new_object_id(),
                    at=self._clock.now(),
                    public_keys={each.partition_id: each.public_sha256 for each in batch},
                    shares={each.partition_id: commitments[each.partition_id] for each in batch},
                ),
                documents=[_write(each) for each in batch],
            )


def _write(known: KnownPartition) -> Document:
    body = encode_canonical(
        {
            "partition": known.partition.text,
            "public_key": base64.b64encode(known.public_key).decode(),
        }
    )
    return Document(KIND_PARTITION, known.partition_id, body)


def _read(document: Document) -> KnownPartition:
    body = parse_canonical(document.body)
    if not isinstance(body, dict):
        raise NotFound("A partition's record cannot be read.")
    return KnownPartition(
        parse_partition(str(body["partition"])),
        document.name,
        base64.b64decode(str(body["public_key"])),
    )

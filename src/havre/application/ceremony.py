"""Making key pairs that nobody holds: drawn, split and shared out in one short process.

Batched ahead of need: writing to a partition needs only its public half, so a
year's partitions, and landing places for deliveries to come, are made together.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.journal import Journal
from havre.crypto.random import new_object_id
from havre.domain.events import PartitionsCreated, events_of
from havre.domain.key_states import read_key_states
from havre.errors import NotFound, NotGenuine, Refused
from havre.formats.canonical import encode_canonical, parse_canonical
from havre.ports.clock import Clock
from havre.ports.custody import Custodian
from havre.ports.keyroom import KeyRoom, PartitionToMake, Recipient
from havre.ports.records import Document, Records
from havre.values import Partition, parse_partition

KIND_PARTITION = "partition"
_MOST_SHOWN = 5


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
    """The public halves of every partition: from the hub's records, each compared with the log.

    The records alone are not believed: whoever puts a key of his own there would
    read, without any custodian, all that is written from then on.
    """

    def __init__(self, records: Records, *, log: PublicLog) -> None:
        self._records = records
        self._log = log

    def list_partitions(self) -> list[KnownPartition]:
        """List every partition that the log knows, in order.

        Raises:
            NotGenuine: a public key is another one than the log says.
        """
        events = (logged.event for logged in self._log.entries())
        logged = {
            partition: digest
            for created in events_of(events, PartitionsCreated)
            for partition, digest in created.public_keys.items()
        }
        found = [
            known
            for known in map(_read, self._records.list_documents(KIND_PARTITION))
            # A ceremony whose entry is not published yet has made nothing.
            if known.partition_id in logged
        ]
        if wrong := [known for known in found if known.public_sha256 != logged[known.partition_id]]:
            names = sorted(known.partition.text for known in wrong)
            shown = ", ".join(names[:_MOST_SHOWN]) + (", …" if names[_MOST_SHOWN:] else "")
            raise NotGenuine(
                f"The records hold other public keys than the log for {len(names)} partitions:"
                f" {shown}.",
                hint="Somebody has changed the records. Write nothing, and restore them.",
            )
        return sorted(found, key=lambda known: known.partition.text)

    def list_living(self) -> list[KnownPartition]:
        """List the partitions that nobody has ordered erased, in order.

        What is written to another one can be lost the moment after.
        """
        states = read_key_states(logged.event for logged in self._log.entries())
        return [each for each in self.list_partitions() if states[each.partition_id].living]

    def find(self, partition: Partition) -> KnownPartition:
        """Find a partition's public half.

        Raises:
            NotFound: no key pair was made for it.
            Refused: its keys are erased, or ordered to be.
            NotGenuine: a public key is another one than the log says.
        """
        for known in self.list_living():
            if known.partition == partition:
                return known
        if any(known.partition == partition for known in self.list_partitions()):
            raise Refused(
                f"The keys of {partition.text} are erased, or ordered to be.",
                hint="See `havre keys list`. What was sealed to them cannot be read again.",
            )
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
        log: PublicLog,
        records: Records,
        clock: Clock,
        origin: str,
    ) -> None:
        self._room = room
        self._custodians = custodians
        self._threshold = threshold
        self._journal = journal
        self._catalogue = PartitionCatalogue(records, log=log)
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
        self._check_have_none(wanted)
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
        with self._journal.alone():
            # Another ceremony may have made one of them while custodians took part in this.
            self._check_have_none(wanted)
            self._publish(fresh, {key: dict(each) for key, each in made.commitments.items()})
        return fresh

    def _check_have_none(self, wanted: Iterable[Partition]) -> None:
        known = {each.partition for each in self._catalogue.list_partitions()}
        if twice := sorted({each.text for each in wanted if each in known}):
            raise Refused(
                f"These partitions have a key pair already: {', '.join(twice)}.",
                hint="Run the command again: it makes what is still missing.",
            )

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
                documents=[
                    Document(
                        KIND_PARTITION,
                        each.partition_id,
                        encode_partition(each.partition, each.public_key),
                    )
                    for each in batch
                ],
            )


def encode_partition(partition: Partition, public_key: bytes) -> bytes:
    """Write what the records keep of a partition, under its opaque id."""
    return encode_canonical(
        {"partition": partition.text, "public_key": base64.b64encode(public_key).decode()}
    )


def _read(document: Document) -> KnownPartition:
    body = parse_canonical(document.body)
    if not isinstance(body, dict):
        raise NotFound("A partition's record cannot be read.")
    return KnownPartition(
        parse_partition(str(body["partition"])),
        document.name,
        base64.b64decode(str(body["public_key"])),
    )

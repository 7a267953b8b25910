"""At the hub: registers of people who object, taken in under the mandate; and which of them counts now.

A list is opened once, in the key room's memory: its root is worked out from what it
holds and goes on the log; its numbers get the second pseudonym and are sealed as
a table that every extract reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from havre.application.audit import PublicLog
from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.application.corrections import KIND_REPORT, KIND_REPORT_SALT
from havre.application.ingest_run import stage_2
from havre.application.journal import Journal
from havre.application.pseudonymise import Pseudonyms
from havre.application.rotation import Generations
from havre.application.vault.inventory import list_written
from havre.application.vault.keys import KeyRelease, OpenPartitions
from havre.application.vault.reading import LentKeys, ListedFile, ReadPlace, VaultReader
from havre.application.vault.sealing import (
    SealedManifest,
    VaultWriter,
    VersionWriter,
    WritePlace,
)
from havre.application.waiting import ReceivedDeliveries, WaitingDelivery, wanted_for
from havre.crypto.commitments import commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.domain.delivery_receipt import REPORT_LABEL
from havre.domain.events import DeliveryChecked, Event
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.opposition_list import ListHeader, RegisterTree, read_list
from havre.domain.oppositions import (
    LEAST_EVERY_HOURS,
    OPPOSITIONS_DATASET,
    REGISTER,
    check_follows,
    list_version,
    newest_registers,
)
from havre.domain.rotation import RotationRule
from havre.domain.trust import TrustRoots
from havre.errors import HavreError, InvalidInput, NotFound, Refused, Unavailable
from havre.formats.canonical import Json, encode_canonical
from havre.formats.manifest import ObjectKind
from havre.ports.clock import Clock
from havre.ports.records import Document, Records
from havre.values import ObjectId, Partition, PartitionKind

OPPOSITIONS_PARTITION = Partition(PartitionKind.DATASET, OPPOSITIONS_DATASET, 0)


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A version that counts from now on.

    index: of its entry on the log.
    """

    index: int
    update: OppositionsUpdated


@dataclass(frozen=True, slots=True)
class OppositionIntake:
    """What became of the lists that waited.

    held: by delivery, why it waits on. refused: by delivery, why it never counts.
    """

    taken: tuple[TakenIn, ...]
    held: Mapping[str, HavreError]
    refused: Mapping[str, HavreError]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTools:
    """What a list is taken in with.

    reader: opens the vault with the keys that are lent for the run.
    """

    vault: VaultWriter
    reader: Callable[[LentKeys], VaultReader]
    pseudonyms: Pseudonyms


@dataclass(frozen=True, slots=True)
class _Read:
    """A list that was opened: its header, and what was sealed from it."""

    header: ListHeader
    root: str
    manifest: SealedManifest


class OppositionRegisters:
    """Takes lists in."""

    def __init__(
        self,
        *,
        journal: Journal,
        log: PublicLog,
        records: Records,
        release: KeyRelease,
        tools: RegisterTools,
        roots: TrustRoots,
        clock: Clock,
        rotation: RotationRule,
        least_every_hours: int = LEAST_EVERY_HOURS,
    ) -> None:
        """Work for one hub.

        least_every_hours: a register that promises a version more often is refused;
            0 lets one come at any time, for trying out with made-up people.
        """
        self._journal = journal
        self._log = log
        self._records = records
        self._release = release
        self._tools = tools
        self._roots = roots
        self._clock = clock
        self._least_every_hours = least_every_hours
        self._partitions = PartitionCatalogue(records, log=log)
        self._generations = Generations(records, log=log, clock=clock, rule=rotation)
        self._received = ReceivedDeliveries(records=records, log=log, roots=roots, clock=clock)

    def take_in(self) -> OppositionIntake:
        """Take in every list that waits and is due; one that is not does not stop the others.

        Raises:
            NotFound: there is no key pair for the registers.
            Unavailable: custodians or the log do not answer now.
        """
        self._place()
        taken: list[TakenIn] = []
        held: dict[str, HavreError] = {}
        refused: dict[str, HavreError] = {}
        for each in self._received.waiting():
            if each.note.dataset != OPPOSITIONS_DATASET:
                continue
            try:
                self._check_follows(each)
                if left := self._received.opened_too_often([each]):
                    raise left[each.note.delivery]
                outcome = self._take(each)
            except Unavailable:
                raise
            except HavreError as fault:
                # Its trace would keep open what was being read.
                held[each.note.delivery] = fault.with_traceback(None)
                continue
            if isinstance(outcome, TakenIn):
                taken.append(outcome)
            else:
                refused[each.note.delivery] = outcome
        return OppositionIntake(tuple(taken), held, refused)

    def _place(self) -> WritePlace:
        """Find the open generation of the registers' partition.

        Raises:
            NotFound: there is none.
        """
        for each in self._generations.writable():
            own = replace(each.partition, generation=1)
            if own == OPPOSITIONS_PARTITION:
                return WritePlace(each.partition, each.partition_id, each.public_key)
        raise NotFound(
            "There is no open key pair for the registers of people who object.",
            hint="Hold a ceremony, `havre ceremony --dataset oppositions`,"
            " or make the next generation with `havre keys rotate --due`.",
        )

    def _check_follows(self, waiting: WaitingDelivery) -> None:
        """Refuse, before anything is opened, what is no next version or is not due."""
        register = waiting.holder.name
        version = list_version(waiting.note.delivery, register=register)
        if version is None:
            raise Refused(
                "The list is not named as the next version of its holder's register.",
                hint="Its holder sends it with `havre opposition deliver`.",
            )
        events = [logged.event for logged in self._log.entries()]
        check_follows(events, register=register, version=version, now=self._clock.now())

    def _take(self, waiting: WaitingDelivery) -> TakenIn | HavreError:
        partitions = self._partitions.list_partitions()
        wanted = wanted_for([waiting], partitions=partitions, stage_2=stage_2(partitions))
        with self._release.open(wanted) as keys:
            try:
                with self._tools.vault.batch():
                    read = self._read(waiting, keys, partitions=partitions)
            except InvalidInput as fault:
                # Opening it again would show the same: it is put aside for good.
                self._put_aside(waiting, fault)
                return fault
        with self._journal.alone():
            self._received.check_still_wait([waiting])
            self._check_follows(waiting)
            return self._record(waiting, read)

    def _read(
        self,
        waiting: WaitingDelivery,
        keys: OpenPartitions,
        *,
        partitions: Sequence[KnownPartition],
    ) -> _Read:
        landing = next(each for each in partitions if each.partition_id == waiting.note.landing)
        chunks = self._tools.reader(keys).open_bytes(
            waiting.note.manifest,
            kind=ObjectKind.OPPOSITIONS,
            place=ReadPlace(landing.partition, landing.partition_id),
            sha256=waiting.note.objects[waiting.note.manifest],
        )
        header, people = read_list(chunks)
        self._check_header(header, waiting)
        tree, numbers = RegisterTree(), set[str]()
        for person in people:
            tree.add(person.leaf)
            numbers.update(person.numbers)
        stream = self._tools.vault.texts({REGISTER.columns[0].name: sorted(numbers)})
        secret = keys.secret(stage_2(partitions).partition_id)
        table = self._tools.pseudonyms.for_lake(stream, schema=REGISTER, secret=secret)
        place = self._place()
        writer = VersionWriter(self._tools.vault, places={0: place})
        writer.add(table, delivery=waiting.note.delivery)
        (manifest,) = writer.close().manifests
        return _Read(header, tree.root, manifest)

    def _check_header(self, header: ListHeader, waiting: WaitingDelivery) -> None:
        register = waiting.holder.name
        version = list_version(waiting.note.delivery, register=register)
        said = (header.origin, header.register, header.version)
        if said != (self._roots.origin, register, version):
            raise InvalidInput("A list is of another hub, holder or version than its delivery.")
        if header.every_hours < self._least_every_hours:
            raise InvalidInput(
                f"A register comes at most every {self._least_every_hours} hours.",
                hint="So that no version comes because of one person.",
            )

    def _put_aside(self, waiting: WaitingDelivery, fault: HavreError) -> None:
        with self._journal.alone():
            self._received.check_still_wait([waiting])
            event, documents = self._checked(waiting, {"refused": fault.message}, people=0)
            self._journal.record(replace(event, outcome="refused"), documents=documents)

    def _record(self, waiting: WaitingDelivery, read: _Read) -> TakenIn:
        checked, documents = self._checked(waiting, {"root": read.root}, people=read.header.people)
        event_id, now = new_object_id(), self._clock.now()
        update = OppositionsUpdated(
            event_id=event_id,
            at=now,
            register=read.header.register,
            holder=waiting.event.holder,
            delivery=waiting.note.delivery,
            version=read.header.version,
            root=read.root,
            people=read.header.people,
            every_hours=read.header.every_hours,
            partition=read.manifest.partition_id,
            manifest_sha256=read.manifest.stored.sha256,
        )
        listing = list_written(
            (*read.manifest.files, read.manifest.stored),
            debts=self._tools.vault.take_debts(),
            act=event_id,
            at=now,
        )
        events: list[Event] = [checked, *listing.events, update]
        indexes = self._journal.record(
            *events, documents=[*documents, *listing.documents, read.manifest.document]
        )
        return TakenIn(indexes[-1], update)

    def _checked(
        self, waiting: WaitingDelivery, report: dict[str, Json], *, people: int
    ) -> tuple[DeliveryChecked, list[Document]]:
        body = encode_canonical({"delivery": waiting.note.delivery, **report})
        salt, event_id = new_salt(), new_object_id()
        event = DeliveryChecked(
            event_id=event_id,
            at=self._clock.now(),
            delivery=waiting.note.delivery,
            outcome="accepted",
            rows_accepted=people,
            rows_set_aside=0,
            report_commitment=commit_to(body, label=REPORT_LABEL, salt=salt),
        )
        return event, [
            Document(KIND_REPORT, event_id, body),
            Document(KIND_REPORT_SALT, event_id, salt),
        ]


@dataclass(frozen=True, slots=True)
class CountingRegisters:
    """The newest version of every register, as the log has them at one moment."""

    updates: Mapping[str, OppositionsUpdated]

    @property
    def roots(self) -> dict[str, str]:
        """Register to root, as an extract binds them."""
        return {name: update.root for name, update in sorted(self.updates.items())}

    @property
    def partitions(self) -> frozenset[str]:
        """The opaque ids of what must be opened to read them."""
        return frozenset(update.partition for update in self.updates.values())

    def list_files(
        self,
        reader: VaultReader,
        *,
        places: Mapping[str, ReadPlace],
        locations: Mapping[str, ObjectId],
    ) -> list[ListedFile]:
        """List the sealed tables of numbers, each compared with the log.

        places: by opaque id. locations: SHA-256 of a manifest to its object id.

        Raises:
            NotFound: nobody knows where a manifest is.
        """
        files: list[ListedFile] = []
        for update in self.updates.values():
            if update.manifest_sha256 not in locations:
                raise NotFound("Nobody knows where the register's list is that the log names.")
            place = places[update.partition]
            manifest = reader.read_manifest(
                locations[update.manifest_sha256], place=place, sha256=update.manifest_sha256
            )
            files += [ListedFile(place, entry) for entry in manifest.entries]
        return files


def counting_registers(entries: Iterable[tuple[int, Event]]) -> CountingRegisters:
    """Find the registers that count now."""
    newest = newest_registers(entries)
    return CountingRegisters({name: update for name, (_, update) in newest.items()})

"""A hub, wired: each part is made when it is first asked for, once a process.

What is slow to load (engines, table files) is imported where it is made, so that
a command that signs or lists answers at once.
"""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from havre.adapters.inbox.folder import InboxFolder
from havre.adapters.inbox.receipts import ReceiptFolder
from havre.adapters.keyroom.process import ProcessKeyRoom
from havre.adapters.log.files import LogFiles, LogFolder
from havre.adapters.machine.clock import SystemClock
from havre.adapters.objects.local import LocalObjects
from havre.adapters.outputs.folder import ShelfFolder
from havre.adapters.records.sql import SqlRecords, check_there, records_missing
from havre.application.audit import PublicLog
from havre.application.catalogue import CatalogueDesk
from havre.application.ceremony import Ceremonies
from havre.application.code_lists import CodeLists
from havre.application.contracts import ContractDesk
from havre.application.depart import Departure
from havre.application.extract import Extraction, ExtractTools
from havre.application.ingest import Ingestion
from havre.application.ingest_run import IngestTools
from havre.application.journal import Journal
from havre.application.outputs import OutputBundles
from havre.application.permits import Permits
from havre.application.pseudonymise import Pseudonyms
from havre.application.publish import Publication
from havre.application.receipts import ReceiptDesk
from havre.application.receive import ReceivingDesk
from havre.application.release import Releases
from havre.application.review import Reviews
from havre.application.run import RunTools, StudyRuns
from havre.application.vault.keys import KeyRelease
from havre.application.vault.landing import Landing
from havre.application.vault.reading import LentKeys, VaultReader
from havre.application.vault.sealing import VaultWriter
from havre.bootstrap.key_rules import read_rotation_rule
from havre.bootstrap.parties import ReachedCustodian, ReachedMirror, ReachedWitness
from havre.bootstrap.place import HubPlace, close_place, read_place
from havre.bootstrap.reaching import Reach
from havre.bootstrap.stores import open_objects
from havre.bootstrap.strangers import stranger_program, verifier_source
from havre.bootstrap.studies import study_library
from havre.bootstrap.tokens import PartyToken, open_token
from havre.domain.transparency import NotFresh, check_fresh, cosigners
from havre.domain.trust import TrustRoots
from havre.errors import NotFound
from havre.formats.notes import parse_note
from havre.ports.clock import Clock
from havre.ports.objects import ObjectStore
from havre.ports.sandbox import SandboxLimits

if TYPE_CHECKING:
    from havre.adapters.tables.parquet import ParquetTables

# Custodians believe a head for a quarter of an hour; a hub renews it before it is old.
_RENEW_AFTER_S = 8 * 60


class OpenHub:
    """One hub, as its own process sees it."""

    def __init__(
        self, folder: Path, *, place: HubPlace | None = None, clock: Clock | None = None
    ) -> None:
        """Open the hub in a directory.

        place: of a hub that is being founded, and has no `havre.toml` yet.
        clock: the system's, but in a rehearsal.

        Raises:
            NotFound: there is none.
        """
        self.place: HubPlace = place or read_place(folder)
        close_place(folder)
        self.clock: Clock = clock or SystemClock()
        self.reach = Reach(self.place.party, log=self.place.log, clock=self.clock)

    @cached_property
    def token(self) -> PartyToken:
        """The hub's own keys."""
        return open_token(self.place.party)

    @cached_property
    def roots(self) -> TrustRoots:
        """Whom the hub believes."""
        return self.token.trust_roots()

    @cached_property
    def records(self) -> SqlRecords:
        """The private records.

        Raises:
            Unavailable: they are missing, or empty, and the log says that there were some.
        """
        head = self.log.head()
        # The first entry, of the founding, is all that a hub without any document can have.
        if head is None or head.size <= 1:
            return SqlRecords(self.place.records_url)
        check_there(self.place.records_url)
        records = SqlRecords(self.place.records_url)
        if not records.list_kinds():
            raise records_missing()
        return records

    @cached_property
    def log(self) -> PublicLog:
        """The published log, read back."""
        return PublicLog(LogFolder(self.place.log), roots=self.roots)

    @cached_property
    def witnesses(self) -> list[ReachedWitness]:
        """Every witness, each with its own roots."""
        return [self.reach.witness(place) for place in self.place.witnesses]

    @cached_property
    def mirrors(self) -> list[ReachedMirror]:
        """The custodians' own copies of the log."""
        places = (*self.place.custodians, self.place.escrow)
        return [self.reach.mirror(place) for place in places]

    @cached_property
    def journal(self) -> Journal:
        """The only writer of the log."""
        return Journal(
            store=LogFiles(self.place.log, private=self.place.private),
            records=self.records,
            token=self.token,
            roots=self.roots,
            witnesses=self.witnesses,
            mirrors=self.mirrors,
        )

    @cached_property
    def custodians(self) -> list[ReachedCustodian]:
        """The daily custodians."""
        return [self.reach.custodian(place) for place in self.place.custodians]

    @cached_property
    def escrow(self) -> ReachedCustodian:
        """The sealed escrow, which takes part in ceremonies only."""
        return self.reach.escrow(self.place.escrow)

    @cached_property
    def key_room(self) -> ProcessKeyRoom:
        """The short-lived process in which keys are combined."""
        return ProcessKeyRoom()

    @cached_property
    def ceremonies(self) -> Ceremonies:
        """Whoever makes key pairs."""
        return Ceremonies(
            room=self.key_room,
            custodians=[*self.custodians, self.escrow],
            threshold=self.roots.custodian_threshold,
            journal=self.journal,
            log=self.log,
            records=self.records,
            clock=self.clock,
            origin=self.roots.origin,
        )

    @cached_property
    def release(self) -> KeyRelease:
        """Whoever gets partitions opened."""
        return KeyRelease(
            journal=self.journal,
            log=self.log,
            custodians=self.custodians,
            threshold=self.roots.custodian_threshold,
            room=self.key_room,
            clock=self.clock,
            roots=self.roots,
        )

    @property
    def complaints(self) -> dict[str, str]:
        """Why parties that this process has asked do not count, by name; the last of each."""
        made = self.__dict__
        witnesses = self.journal.complaints if "journal" in made else {}
        return {**witnesses, **(self.release.complaints_so_far if "release" in made else {})}

    @cached_property
    def objects(self) -> ObjectStore:
        """The store, or several as one."""
        return open_objects(self.place)

    @cached_property
    def tables(self) -> ParquetTables:
        """How tables become files."""
        from havre.adapters.tables.parquet import ParquetTables

        return ParquetTables()

    @cached_property
    def vault(self) -> VaultWriter:
        """Seals into the store."""
        return VaultWriter(self.objects, self.tables, origin=self.roots.origin)

    def reader(self, keys: LentKeys) -> VaultReader:
        """Open the vault with keys that were lent."""
        return VaultReader(self.objects, self.tables, origin=self.roots.origin, keys=keys)

    @cached_property
    def catalogue(self) -> CatalogueDesk:
        """The tables that the hub knows."""
        return CatalogueDesk(journal=self.journal, records=self.records, clock=self.clock)

    @cached_property
    def inbox(self) -> InboxFolder:
        """Where deliveries wait."""
        return InboxFolder(self.place.inbox, store=LocalObjects)

    @cached_property
    def receiving(self) -> ReceivingDesk:
        """Takes deliveries in."""
        return ReceivingDesk(
            inbox=self.inbox,
            landing=Landing(self.objects),
            journal=self.journal,
            log=self.log,
            records=self.records,
            roots=self.roots,
            clock=self.clock,
        )

    @cached_property
    def receipts(self) -> ReceiptDesk:
        """Writes receipts for holders."""
        return ReceiptDesk(
            records=self.records,
            log=self.log,
            inbox=self.inbox,
            receipts=ReceiptFolder(self.place.receipts, mode=0o640),
            token=self.token,
            origin=self.roots.origin,
        )

    @cached_property
    def contracts(self) -> ContractDesk:
        """Keeps delivery contracts."""
        return ContractDesk(
            records=self.records,
            log=self.log,
            catalogue=self.catalogue.known().catalogue,
            roots=self.roots,
        )

    @cached_property
    def ingest_tools(self) -> IngestTools:
        """What checks, pseudonymises and seals rows on their way in."""
        from havre.adapters.codes.tally import ListCounter
        from havre.adapters.describing.counter import VersionCounter
        from havre.adapters.sources.checker import ColumnChecker
        from havre.adapters.sources.counting import ColumnCounter
        from havre.adapters.sources.quarantined import QuarantinedRows

        return IngestTools(
            vault=self.vault,
            reader=self.reader,
            checker=ColumnChecker(),
            counter=ColumnCounter(),
            pseudonyms=self.pseudonyms,
            aside=QuarantinedRows(),
            content=VersionCounter,
            codes=ListCounter(),
            lists=CodeLists(self.records),
        )

    @cached_property
    def ingestion(self) -> Ingestion:
        """Makes versions of datasets."""
        return Ingestion(
            journal=self.journal,
            log=self.log,
            records=self.records,
            release=self.release,
            tools=self.ingest_tools,
            known=self.catalogue.known(),
            contracts=self.contracts,
            roots=self.roots,
            clock=self.clock,
            rotation=read_rotation_rule(self.place.folder),
        )

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """The three moments of a pseudonym."""
        from havre.adapters.pseudonymiser.polars import PolarsPseudonymiser

        return Pseudonyms(PolarsPseudonymiser())

    @cached_property
    def permits(self) -> Permits:
        """Takes applications and decisions."""
        return Permits(
            journal=self.journal,
            log=self.log,
            records=self.records,
            catalogue=self.catalogue.known().catalogue,
            roots=self.roots,
            clock=self.clock,
        )

    @cached_property
    def extraction(self) -> Extraction:
        """Makes extracts."""
        from havre.adapters.engines.duckdb import DuckDbEngine

        return Extraction(
            permits=self.permits,
            ceremonies=self.ceremonies,
            release=self.release,
            journal=self.journal,
            log=self.log,
            records=self.records,
            catalogue=self.catalogue.known().catalogue,
            tools=ExtractTools(
                vault=self.vault,
                reader=self.reader,
                engine=DuckDbEngine(),
                pseudonyms=self.pseudonyms,
            ),
            clock=self.clock,
        )

    @cached_property
    def runs(self) -> StudyRuns:
        """Runs studies."""
        from havre.adapters.sandbox.bubblewrap import BubblewrapSandbox

        return StudyRuns(
            permits=self.permits,
            release=self.release,
            journal=self.journal,
            log=self.log,
            records=self.records,
            roots=self.roots,
            tools=RunTools(
                vault=self.vault,
                reader=self.reader,
                tables=self.tables,
                sandbox=BubblewrapSandbox(),
                library=study_library(),
                limits=SandboxLimits(),
            ),
            clock=self.clock,
        )

    @cached_property
    def bundles(self) -> OutputBundles:
        """Finds and opens outputs that wait for their check."""
        return OutputBundles(
            permits=self.permits,
            release=self.release,
            log=self.log,
            records=self.records,
            reader=self.reader,
        )

    @cached_property
    def reviews(self) -> Reviews:
        """Takes outputs through their review."""
        return Reviews(
            bundles=self.bundles,
            permits=self.permits,
            journal=self.journal,
            log=self.log,
            records=self.records,
            roots=self.roots,
            clock=self.clock,
        )

    @cached_property
    def releases(self) -> Releases:
        """Lets approved files out."""
        return Releases(
            reviews=self.reviews,
            bundles=self.bundles,
            permits=self.permits,
            shelf=ShelfFolder(self.place.site / "releases"),
            journal=self.journal,
            log=self.log,
            roots=self.roots,
            clock=self.clock,
        )

    @cached_property
    def publication(self) -> Publication:
        """Writes the public site."""
        from havre.adapters.pages.site import StaticSite
        from havre.bootstrap.cataloguing import show_catalogue
        from havre.bootstrap.exposing import show_exposure

        return Publication(
            log=self.log,
            permits=self.permits,
            records=self.records,
            roots=self.roots,
            released=self._released_file,
            pages=StaticSite(
                self.place.site,
                verifier=verifier_source(),
                checker=stranger_program("check_exposure.py").read_bytes(),
            ),
            settings=self.place.settings,
            exposure=partial(show_exposure, self),
            catalogue=partial(show_catalogue, self),
        )

    def _released_file(self, request: str, name: str) -> bytes:
        try:
            return (self.place.site / "releases" / request / name).read_bytes()
        except OSError:
            raise NotFound(f"The released file {name} is not on this host.") from None

    @cached_property
    def departure(self) -> Departure:
        """Packs the hub."""
        return Departure(
            objects=self.objects,
            records=self.records,
            journal=self.journal,
            log=self.log,
            roots=self.roots,
            clock=self.clock,
        )

    def wake(self) -> int:
        """Finish what a process before left open: the log's outbox, an old head, open requests.

        A hub that has handed its log over finishes nothing more: witnesses know a
        longer log than it does, and what it still can do is show what it has.

        Returns how many requests for keys were closed as abandoned.
        """
        # A living process keeps the journal to itself from its request to its
        # release (`KeyRelease`): what is open in here was left by a dead one.
        with self.journal.alone():
            head = self.log.head()
            if head is None or self.log.keys().key_for(head.size + 1) != self.token.public:
                return 0
            seen = cosigners(parse_note(self.log.checkpoint()), roots=self.roots)
            try:
                check_fresh(seen, roots=self.roots, now=self.clock.now(), max_age_s=_RENEW_AFTER_S)
            except NotFresh:
                self.journal.renew()
            return self.release.close_abandoned()

"""Delivery contracts: kept in the hub's records under their hash, and asked at each ingest.

No entry of the log is made for one: the check report of a delivery names the contract
by its hash, and the log commits to the report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from havre.application.audit import PublicLog
from havre.application.corrections import KIND_REPORT, DeliveryBook
from havre.domain.contract import COUNTED, Contract, Rule, list_unknown
from havre.domain.contract_judgement import (
    Counted,
    DeliveryFacts,
    Judged,
    TableFacts,
    judge_delivery,
)
from havre.domain.contract_text import parse_contract
from havre.domain.correcting import ACCEPTED, KnownDelivery
from havre.domain.delivery_note import DeliveryNote
from havre.domain.events import DeliveryChecked, DeliveryReceived, Event, events_of
from havre.domain.schema import Catalogue, TableSchema
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotFound
from havre.formats.canonical import parse_canonical
from havre.ports.records import Document, Records

KIND_CONTRACT = "contract"
KIND_IN_FORCE = "contract-in-force"


class ContractDesk:
    """Keeps contracts."""

    def __init__(
        self, *, records: Records, log: PublicLog, catalogue: Catalogue, roots: TrustRoots
    ) -> None:
        self._records = records
        self._log = log
        self._catalogue = catalogue
        self._roots = roots

    def check(self, document: bytes) -> Contract:
        """Read a contract, and compare it with the catalogue and with who is known.

        Raises:
            InvalidInput: something is misspelled or unknown; everything is named.
        """
        contract = parse_contract(document)
        faults = list_unknown(contract, self._catalogue)
        if contract.holder not in {each.name for each in self._roots.with_role(Role.HOLDER)}:
            faults.append(f"the trust roots know no holder {contract.holder}")
        if faults:
            raise InvalidInput(
                f"The contract does not fit this hub: {'; '.join(faults)}.",
                hint="See `havre catalogue show` for tables and columns.",
            )
        return contract

    def put_in_force(self, document: bytes) -> Contract:
        """Keep a contract, and judge this source's deliveries by it from now on.

        Raises:
            InvalidInput: as `check`.
        """
        contract = self.check(document)
        self._records.commit(
            [],
            [
                Document(KIND_CONTRACT, contract.sha256, document),
                Document(KIND_IN_FORCE, _source(contract), contract.sha256.encode()),
            ],
        )
        return contract

    def in_force(self, dataset: str | None = None) -> list[Contract]:
        """List the contracts that deliveries are judged by.

        dataset: of this one alone.
        """
        contracts = [
            parse_contract(self._records.document(KIND_CONTRACT, each.body.decode()))
            for each in self._records.list_documents(KIND_IN_FORCE)
        ]
        return [each for each in contracts if dataset in (None, each.dataset)]

    def text(self, sha256: str) -> bytes:
        """Return the text of a contract, in force or not.

        Raises:
            NotFound: no contract has this hash.
        """
        return self._records.document(KIND_CONTRACT, sha256)

    def terms(self, holders: Mapping[str, str], *, dataset: str) -> Terms:
        """Find what was agreed of some deliveries of one dataset.

        holders: delivery to the short name of who signed it.
        """
        agreed = {each.holder: each for each in self.in_force(dataset)}
        return Terms({name: agreed[by] for name, by in holders.items() if by in agreed})


@dataclass(frozen=True, slots=True)
class Terms:
    """The contracts of the deliveries of one run, by delivery; one without any has none."""

    contracts: Mapping[str, Contract]

    def schema(self, schema: TableSchema) -> TableSchema:
        """The table with the key that was agreed; its own, where contracts name none or several."""
        keys = {
            table.key
            for contract in self.contracts.values()
            for table in contract.tables
            if table.name == schema.name and table.key
        }
        return replace(schema, primary_key=keys.pop()) if len(keys) == 1 else schema

    def rules(self, delivery: str, table: str) -> tuple[Rule, ...]:
        """What is to be counted in the rows of one table of one delivery."""
        contract = self.contracts.get(delivery)
        return tuple(
            rule
            for rule in (contract.rules if contract else ())
            if rule.table == table and rule.kind in COUNTED
        )


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the deliveries of one run."""

    records: Records
    log: PublicLog

    def judge(
        self,
        note: DeliveryNote,
        received: DeliveryReceived,
        *,
        contract: Contract,
        accepted: Mapping[str, int],
        counted: Mapping[str, Counted],
    ) -> tuple[Judged, ...]:
        """Judge one delivery.

        accepted: rows of it that were accepted, by table. counted: by the name of the rule.
        """
        lines: dict[str, int] = defaultdict(int)
        for file in note.files:
            lines[file.table] += file.lines
        before = self._before(note, received)
        facts = DeliveryFacts(
            received_on=received.at.date(),
            covers=note.covers,
            tables={
                table: TableFacts(total, accepted.get(table, 0)) for table, total in lines.items()
            },
            counted=counted,
            before=None if before is None else self._accepted(before),
            before_received_on=None if before is None else self._received(before).at.date(),
        )
        return judge_delivery(contract, facts)

    def _before(self, note: DeliveryNote, received: DeliveryReceived) -> str | None:
        """The same source's newest delivery that is in a version."""
        found: Sequence[KnownDelivery] = [
            each
            for each in DeliveryBook(self.records, self.log).known()
            if (each.dataset, each.holder, each.outcome)
            == (note.dataset, received.holder, ACCEPTED)
        ]
        return found[-1].delivery if found else None

    def _received(self, delivery: str) -> DeliveryReceived:
        return next(
            each
            for each in events_of(self._events(), DeliveryReceived)
            if each.delivery == delivery
        )

    def _accepted(self, delivery: str) -> dict[str, int]:
        for event in events_of(self._events(), DeliveryChecked):
            if event.delivery == delivery:
                return _accepted_of(self.records.document(KIND_REPORT, event.event_id))
        raise NotFound(f"Nothing is written down of delivery {delivery}.")

    def _events(self) -> Iterable[Event]:
        return (logged.event for logged in self.log.entries())


def _accepted_of(report: bytes) -> dict[str, int]:
    body: Any = parse_canonical(report)
    rows: dict[str, int] = defaultdict(int)
    for file in body["files"]:
        rows[file["table"]] += file["accepted"]
    return dict(rows)


def _source(contract: Contract) -> str:
    return f"{contract.dataset}.{contract.holder}"

"""Oppositions, wired: the holder who keeps a register, and the hub that takes it in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from havre.adapters.inbox.books import BookFolder
from havre.adapters.inbox.sent import SentFolder
from havre.adapters.machine.clock import SystemClock
from havre.adapters.pseudonymiser.polars import PolarsPseudonymiser
from havre.adapters.tables.parquet import ParquetTables
from havre.application.landing_places import LandingPlaces
from havre.application.oppose import OppositionDesk, PostOffice, SentList
from havre.application.oppositions import (
    OppositionIntake,
    OppositionRegisters,
    RegisterTools,
    TakenIn,
    counting_registers,
)
from havre.application.pseudonymise import Pseudonyms
from havre.application.vault.sealing import VaultWriter
from havre.bootstrap.holders import HolderSide
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.intake import held_rows
from havre.bootstrap.key_rules import read_rotation_rule
from havre.domain.oppositions import LEAST_EVERY_HOURS, OPPOSITIONS_DATASET, due_at
from havre.errors import HavreError, InvalidInput
from havre.ports.clock import Clock
from havre.values import instant_text

Row = dict[str, Any]
_MOST_FILE_BYTES = 4 * 1024 * 1024 * 1024


class OppositionSide(HolderSide):
    """A holder's machine, for the register that it keeps."""

    def desk(self, *, clock: Clock | None = None) -> OppositionDesk:
        """Whoever draws up lists and makes receipts.

        Raises:
            NotFound: the hub has published nothing for its holders.
            NotGenuine: what it has published is not what its log says.
        """
        return OppositionDesk(
            known=self._known(),
            token=self._token,
            secret=self._token.secret("stage-1"),
            pseudonyms=Pseudonyms(PolarsPseudonymiser()),
            log=self._log,
            office=PostOffice(
                inbox=self._inbox,
                places=LandingPlaces(
                    inbox=self._inbox, log=self._log, places=self._landing_places()
                ),
                sent=SentFolder(self._token.folder / "sent"),
                books=BookFolder(self._token.folder / "oppositions"),
                vault=lambda name: VaultWriter(
                    self._inbox.drafts(name), ParquetTables(), origin=self._roots.origin
                ),
            ),
            clock=clock or SystemClock(),
            origin=self._roots.origin,
        )


def opposition_registers(hub: OpenHub) -> OppositionRegisters:
    """Whoever takes lists in at a hub; one with made-up people has no rhythm to keep."""
    return OppositionRegisters(
        journal=hub.journal,
        log=hub.log,
        records=hub.records,
        release=hub.release,
        tools=RegisterTools(vault=hub.vault, reader=hub.reader, pseudonyms=hub.pseudonyms),
        roots=hub.roots,
        clock=hub.clock,
        rotation=read_rotation_rule(hub.place.folder),
        least_every_hours=0 if hub.place.settings.made_up else LEAST_EVERY_HOURS,
    )


def read_objectors(path: Path) -> bytes:
    """Read the file in which a holder writes who objects.

    Raises:
        InvalidInput: it cannot be read, or is longer than 4 GiB.
    """
    try:
        if path.stat().st_size > _MOST_FILE_BYTES:
            raise InvalidInput("The file of oppositions is longer than 4 GiB.")
        return path.read_bytes()
    except OSError:
        raise InvalidInput("The file of oppositions cannot be read.") from None


def write_receipt(path: Path, receipt: bytes) -> None:
    """Write a receipt for its person alone; one that is there is never written over.

    Raises:
        InvalidInput: there is something of that name, or no such folder.
    """
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            file.write(receipt)
    except OSError:
        raise InvalidInput(
            "The receipt cannot be written there.", hint="Name a file that does not exist yet."
        ) from None


def sent_row(sent: SentList) -> Row:
    """What a holder sent."""
    return {
        "delivery": sent.delivery,
        "version": sent.version,
        "people_at_most": sent.people,
        "sent": "now" if sent.is_new else "there already",
    }


def intake_rows(intake: OppositionIntake) -> Row:
    """What became of the lists that waited."""
    return {
        "taken_in": [_taken_row(each) for each in intake.taken],
        "held": held_rows(intake.held),
        "refused": held_rows(intake.refused),
    }


def gravest_faults(intake: OppositionIntake) -> list[HavreError]:
    """Every refusal, for the command's end."""
    return [*intake.held.values(), *intake.refused.values()]


def register_rows(hub: OpenHub) -> list[Row]:
    """Each register's newest version."""
    counting = counting_registers((each.index, each.event) for each in hub.log.entries())
    return [
        {
            "register": name,
            "version": update.version,
            "people_at_most": update.people,
            "since": instant_text(update.at),
            "next_due": instant_text(due_at(update)),
            "root": update.root,
        }
        for name, update in sorted(counting.updates.items())
    ]


def take_in_lists(hub: OpenHub) -> OppositionIntake:
    """Take in whatever waits in the inbox, then every list among it that is due.

    Raises:
        Unavailable: the store, the custodians or the log do not answer now.
    """
    held = {
        name: fault
        for name, fault in hub.receiving.receive().held.items()
        if name.startswith(f"{OPPOSITIONS_DATASET}-")
    }
    intake = opposition_registers(hub).take_in()
    return OppositionIntake(intake.taken, {**held, **intake.held}, intake.refused)


def _taken_row(taken: TakenIn) -> Row:
    return {
        "register": taken.update.register,
        "version": taken.update.version,
        "entry": taken.index,
        "people_at_most": taken.update.people,
        "root": taken.update.root,
    }

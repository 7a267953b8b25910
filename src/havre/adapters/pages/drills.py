"""What the pages show of drills: where each stands, and what its newest run observed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from havre.domain.drill_receipt import Receipt, read_receipt
from havre.domain.drills import Standing, standings
from havre.domain.rehearsals import DRILLS, Rehearsal
from havre.errors import InvalidInput
from havre.ports.pages import SiteFacts


@dataclass(frozen=True, slots=True)
class DrillLine:
    """One drill.

    receipt: what its newest run's receipt says; null when there is none here.
    """

    standing: Standing
    rehearsal: Rehearsal
    receipt: Receipt | None


def list_drills(facts: SiteFacts) -> list[DrillLine]:
    """Every drill of the table, as of the head that the pages are made for."""
    return [
        DrillLine(standing, DRILLS[standing.drill], _receipt(standing, facts))
        for standing in standings(facts.register.drills, now=facts.cosigned_at)
    ]


def _receipt(standing: Standing, facts: SiteFacts) -> Receipt | None:
    if standing.ran is None:
        return None
    with suppress(KeyError, InvalidInput):
        return read_receipt(facts.receipts[standing.ran.receipt_sha256])
    return None

"""Drugs of hospitals that are paid beside the stay, or handed out to people at home.

A unit is a real one, with its tariff. Which stays have one, and how many units, is
an assumption: nothing is published of it by kind of stay.

Source: the SNDS's lists of units (NU_UCD_R) and of their tariffs (IR_UCD_V).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

# Kinds of service: handed out by a hospital, wholly paid or at 65 %; beside a stay.
WHOLLY, IN_PART, BESIDE_A_STAY = "3317", "3318", "3320"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a drug: its code of seven digits, its tariff in euro, how many are given at once."""

    ucd: str
    price: float
    units: int

    @property
    def padded(self) -> str:
        """The code as the SNDS has it, of thirteen characters.

        >>> Unit("9261771", 1047.55, 2).padded
        '0000009261771'
        """
        return self.ucd.zfill(13)


@dataclass(frozen=True, slots=True)
class Given:
    """What is given in stays of a kind to people with an illness: the share of those stays, since when."""

    kind: str
    illness: str
    unit: Unit
    share: float
    since: date = date(2005, 1, 1)


GIVEN: tuple[Given, ...] = (
    Given("chemotherapy", "lung_cancer", Unit("9261771", 1047.55, 2), 0.15),
    Given("chemotherapy", "breast_cancer", Unit("9220097", 548.14, 3), 0.20),
    # Perjeta: its first tariff was published on this day.
    Given("chemotherapy", "breast_cancer", Unit("9395106", 2921.29, 1), 0.06, date(2013, 12, 14)),
    Given("chemotherapy", "bowel_cancer", Unit("9261110", 1044.96, 1), 0.25),
    Given("chemotherapy", "bowel_cancer", Unit("9301128", 180.91, 4), 0.10),
    Given("arthritis", "arthritis", Unit("9213737", 492.81, 3), 0.40),
    Given("arthritis", "arthritis", Unit("9197719", 1346.04, 2), 0.15),
)
# Kind of service, the unit that is handed out, and its share.
HANDED_OUT: tuple[tuple[str, Unit, float], ...] = (
    (WHOLLY, Unit("9298142", 193.61, 21), 0.6),
    (WHOLLY, Unit("9258088", 735.12, 10), 0.4),
    (IN_PART, Unit("9240036", 36.02, 56), 1.0),
)
# All of them in one list, those of stays first.
UNITS: tuple[Unit, ...] = (*(each.unit for each in GIVEN), *(unit for _, unit, _ in HANDED_OUT))
RATES = {WHOLLY: 100, IN_PART: 65, BESIDE_A_STAY: 100}

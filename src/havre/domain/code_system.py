"""Code systems: which codes there are, what they mean, and on which days they are valid.

A code that no list has is nothing a row is set aside for: lists are of one year, and the
data of twenty. It is counted, and whoever reads the data is told.

Reading lists from files and counting columns is `adapters.codes`; what single lists are like
beside their files is `snds.code_lists`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from havre.domain.schema import Column, ColumnType, Treatment
from havre.formats.canonical import Json
from havre.snds.code_lists import Spelling
from havre.snds.diagnoses import parents_of, plain_diagnosis


class CodeState(StrEnum):
    """What a code is on a day."""

    VALID = "valid"
    NOT_YET = "not-yet"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Code:
    """One code.

    begins, ends: first and last day, or null when it has none.
    """

    code: str
    label: str = ""
    begins: date | None = None
    ends: date | None = None

    def state_on(self, day: date | None) -> CodeState:
        """Tell what the code is on a day; on no day in particular it is valid."""
        if day is not None and self.ends is not None and day > self.ends:
            return CodeState.ENDED
        if day is not None and self.begins is not None and day < self.begins:
            return CodeState.NOT_YET
        return CodeState.VALID


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A list of codes.

    codes: by their plain spelling (`plain`), in the list's order.
    """

    name: str
    codes: Mapping[str, Code]
    title: str = ""
    spelling: Spelling = Spelling.PLAIN

    def plain(self, text: str) -> str:
        """Spell a code as the list is looked up.

        >>> CodeSystem("MS_CIM_V", {}, spelling=Spelling.DIAGNOSIS).plain(" e11.9")
        'E119'
        >>> CodeSystem("IR_BIO_R", {}, spelling=Spelling.NUMBER).plain("0215")
        '215'
        """
        if self.spelling is Spelling.DIAGNOSIS:
            return plain_diagnosis(text)
        plain = text.strip().upper()
        return (plain.lstrip("0") or plain[:1]) if self.spelling is Spelling.NUMBER else plain

    def find(self, text: str) -> Code | None:
        """Find a code, however it is spelled; null when the list has none."""
        return self.codes.get(self.plain(text))

    def state_of(self, text: str, *, on: date | None = None) -> CodeState:
        """Tell what a code is on a day.

        >>> system = CodeSystem("T", {"A": Code("A", ends=date(2014, 9, 3))})
        >>> system.state_of("a", on=date(2014, 9, 4)).value, system.state_of("b").value
        ('ended', 'unknown')
        """
        found = self.find(text)
        return CodeState.UNKNOWN if found is None else found.state_on(on)

    def starting_with(self, prefix: str) -> Iterator[Code]:
        """List the codes that begin so, in the list's order; all of them after an empty text."""
        start = self.plain(prefix)
        return (code for plain, code in self.codes.items() if plain.startswith(start))

    def parents_of(self, text: str) -> tuple[Code, ...]:
        """List the diagnoses that one refines, as far as the list has them; none of other lists."""
        if self.spelling is not Spelling.DIAGNOSIS:
            return ()
        return tuple(
            self.codes[each] for each in parents_of(self.plain(text)) if each in self.codes
        )


@dataclass(frozen=True, slots=True)
class CodeCounts:
    """How many cells of a column are what; `empty` ones are in no other count."""

    valid: int = 0
    not_yet: int = 0
    ended: int = 0
    unknown: int = 0
    empty: int = 0

    @property
    def cells(self) -> int:
        """All of them."""
        return self.filled + self.empty

    @property
    def filled(self) -> int:
        """Those that are not empty."""
        return self.valid + self.faults

    @property
    def faults(self) -> int:
        """Those that no list has, or not on their day."""
        return self.not_yet + self.ended + self.unknown


@dataclass(frozen=True, slots=True)
class ColumnCodes:
    """What the codes of one column of a delivery are.

    system: the list's name. sha256: of the list as the hub keeps it, in hexadecimal.
    """

    table: str
    column: str
    system: str
    sha256: str
    counts: CodeCounts

    @property
    def text(self) -> dict[str, Json]:
        """The same, as check reports have it; exact, and private."""
        return {
            "column": self.column,
            "empty": self.counts.empty,
            "ended": self.counts.ended,
            "list": self.system,
            "list_sha256": self.sha256,
            "not_yet": self.counts.not_yet,
            "table": self.table,
            "unknown": self.counts.unknown,
            "valid": self.counts.valid,
        }


def name_of_list(code_list: str) -> str:
    """Spell the name of a list as it is looked up: without case, and without a column of it.

    >>> name_of_list("IR_BIO_R:BIO_PRS_IDE")
    'ir_bio_r'
    """
    return code_list.partition(":")[0].strip().casefold()


def has_codes(column: Column) -> bool:
    """Tell whether a column's cells can be looked up in a list.

    Those of pseudonyms and keys cannot, and dates are none, though there are lists of days.
    """
    return (
        column.code_list != ""
        and column.treatment is Treatment.PLAIN
        and column.type in {ColumnType.STRING, ColumnType.INTEGER}
    )

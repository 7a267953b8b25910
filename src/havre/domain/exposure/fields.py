"""Reading a file of facts strictly: every field is known, every fault is kept and told together.

Used for deployments and for hosts' fact sheets; both are TOML that people write.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from havre.domain.exposure.evidence import MAX_SOURCE_CHARACTERS, Evidence, Grade
from havre.domain.exposure.facts import WHOLE
from havre.errors import InvalidInput

_MAX_FILE_BYTES = 1 << 20
_MOST_TEXT = 400
_MOST_SHOWN_FAULTS = 50
_EVIDENCE = ("grade", "date", "source")
_Value = TypeVar("_Value")


def read_toml(document: bytes, *, what: str) -> dict[str, Any]:
    """Read TOML, with its fractions exact.

    what: names the file in a refusal.

    Raises:
        InvalidInput: it is too long or is not TOML; line and column are told.
    """
    if len(document) > _MAX_FILE_BYTES:
        raise InvalidInput(f"{what} is longer than {_MAX_FILE_BYTES} bytes.")
    try:
        return tomllib.loads(document.decode(), parse_float=Decimal)
    except (ValueError, RecursionError) as fault:
        told = str(fault) if isinstance(fault, tomllib.TOMLDecodeError) else "not UTF-8"
        raise InvalidInput(f"{what} is not TOML: {told}.") from None


class Faults:
    """Everything that is wrong in one file, in the order in which it was met."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._found: list[str] = []

    def add(self, fault: str) -> None:
        """Keep one."""
        self._found.append(fault)

    def raise_if_any(self, *, hint: str) -> None:
        """End the reading.

        Raises:
            InvalidInput: something was wrong; all of it is told, up to a screenful.
        """
        if not self._found:
            return
        shown = "; ".join(self._found[:_MOST_SHOWN_FAULTS])
        more = len(self._found) - _MOST_SHOWN_FAULTS
        shown += f"; and {more} more" if more > 0 else ""
        things = "1 thing is" if len(self._found) == 1 else f"{len(self._found)} things are"
        raise InvalidInput(f"{things} wrong in {self._what}: {shown}.", hint=hint)


class Fields:
    """One table of a file, read field by field; what nobody has asked for is a fault."""

    def __init__(self, body: Any, *, place: str, faults: Faults) -> None:
        self.place = place
        self.faults = faults
        if not isinstance(body, Mapping):
            faults.add(f"{place} is no table")
            body = {}
        self._body = dict(body)

    def _take(
        self, name: str, default: _Value | None, read: Callable[[Any], _Value | None], kind: str
    ) -> _Value | None:
        """Take one field; a default of null makes it one that must be there."""
        if name not in self._body:
            if default is None:
                self.faults.add(f"{self.place} has no {name}")
                return read(None)
            return default
        value = self._body.pop(name)
        try:
            return read(value)
        except (TypeError, ValueError):
            self.faults.add(f"{self.place}: {name} is not {kind}")
            return read(None)

    def text(self, name: str, default: str | None = None) -> str:
        """Take a line of text."""
        return self._take(name, default, _as_text, "a line of text") or ""

    def parsed(self, name: str, parse: Callable[[str], str], default: str | None = None) -> str:
        """Take a text that has a spelling of its own."""
        return self._checked(name, self.text(name, default), parse)

    def texts(self, name: str, parse: Callable[[str], str], *, needed: bool) -> tuple[str, ...]:
        """Take a list of such texts."""
        default: tuple[str, ...] | None = None if needed else ()
        found = self._take(name, default, _as_texts, "a list of texts") or ()
        return tuple(self._checked(name, each, parse) for each in found)

    def _checked(self, name: str, value: str, parse: Callable[[str], str]) -> str:
        if value:
            try:
                parse(value)
            except InvalidInput as fault:
                self.faults.add(f"{self.place}: {name}: {fault.message.rstrip('.')}")
        return value

    def lists(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Take a list of lists of texts."""
        return self._take(name, None, _as_lists, "a list of lists of texts") or ()

    def whole(self, name: str, default: int | None = None) -> int:
        """Take a whole number."""
        return self._take(name, default, _as_whole, "a whole number") or 0

    def flag(self, name: str, *, default: bool) -> bool:
        """Take true or false."""
        return bool(self._take(name, default, _as_flag, "true or false"))

    def share(self, name: str) -> int:
        """Take a percentage with at most two decimals; returns hundredths of a percent."""
        kind = "a percentage from 0 to 100 with at most two decimals"
        return self._take(name, None, _as_share, kind) or 0

    def day(self, name: str, default: datetime.date | None = None) -> datetime.date:
        """Take a day."""
        found = self._take(name, default, _as_day, "a day such as 2026-05-31")
        return found or datetime.date.min

    def choice(self, name: str, choices: Collection[str]) -> str:
        """Take one of several words."""
        value = self.text(name)
        if value and value not in choices:
            self.faults.add(f"{self.place}: {name} is none of {', '.join(sorted(choices))}")
        return value

    def tables(self, name: str) -> list[Fields]:
        """Take a list of tables, each told by its number."""
        listed = self._body.pop(name, [])
        if not isinstance(listed, list):
            self.faults.add(f"{self.place}: {name} is no list of tables; write [[{name}]]")
            listed = []
        return [
            Fields(each, place=f"{name} {number}", faults=self.faults)
            for number, each in enumerate(listed, 1)
        ]

    def table(self, name: str) -> Fields | None:
        """Take a table, if it is there."""
        if name not in self._body:
            return None
        return Fields(self._body.pop(name), place=name, faults=self.faults)

    def evidence(self, default: Evidence | None = None) -> Evidence:
        """Take grade, date and source; without any of the three, the file's own default."""
        if not any(name in self._body for name in _EVIDENCE):
            if default is None:
                self.faults.add(f"{self.place} has no grade, date and source, nor has the file")
            return default or Evidence(Grade.E0, datetime.date.min, "nothing")
        grade = self.choice("grade", Grade.__members__)
        on = self.day("date")
        source = self.text("source")
        if len(source) > MAX_SOURCE_CHARACTERS:
            self.faults.add(f"{self.place}: source is longer than {MAX_SOURCE_CHARACTERS} signs")
        return Evidence(Grade.__members__.get(grade, Grade.E0), on, source)

    def end(self) -> None:
        """Be done with this table: what is left in it is unknown."""
        for name in sorted(self._body):
            self.faults.add(f"{self.place} has a field that nobody knows, {name!r:.40}")


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > _MOST_TEXT:
        raise TypeError
    if not value.isprintable():
        raise ValueError
    return value


def _as_texts(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TypeError
    return tuple(str(_as_text(each)) for each in value if each is not None)


def _as_lists(value: Any) -> tuple[tuple[str, ...], ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise TypeError
    return tuple(_as_texts(each) or () for each in value)


def _as_whole(value: Any) -> int | None:
    if value is not None and type(value) is not int:
        raise TypeError
    return value


def _as_flag(value: Any) -> bool | None:
    if value is not None and type(value) is not bool:
        raise TypeError
    return value


def _as_share(value: Any) -> int | None:
    if value is None:
        return None
    if type(value) not in (int, Decimal):
        raise TypeError
    hundredths = Decimal(value) * 100
    if not hundredths.is_finite() or hundredths % 1 or not 0 <= hundredths <= WHOLE:
        raise ValueError
    return int(hundredths)


def _as_day(value: Any) -> datetime.date | None:
    if value is not None and type(value) is not datetime.date:
        raise TypeError
    return value

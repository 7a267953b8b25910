"""The form in which a person asks for a permit: TOML, and every key that may stand in it.

A limit that stands in the wrong place limits nothing, and a person who wrote it would
believe that it does: so a key that the form does not know is refused, with its place.
What the values mean, and whether they make sense, is `domain.permit_text`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from havre.errors import InvalidInput

MAX_APPLICATION_BYTES = 256 * 1024
_HINT = "Compare with the example in docs/permits.md."


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_day(value: Any) -> bool:
    # A moment is a day's subclass, and no day.
    return type(value) is date


def _list_of(is_one: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(is_one, value))


# What a value may be: how it is called, and whether a value is one.
_Kind = tuple[str, Callable[[Any], bool]]
_TEXT: _Kind = ("a text", _is_text)
_TEXTS: _Kind = ("a list of texts", _list_of(_is_text))
_DAY: _Kind = ("a day such as 2026-01-31, without quotes", _is_day)
_DAYS: _Kind = ("a list of days such as 2026-01-31, without quotes", _list_of(_is_day))
_WHOLE: _Kind = ("a whole number", _is_whole)
_WHOLES: _Kind = ("a list of whole numbers", _list_of(_is_whole))

# Every section with one name, and what may stand in it.
SECTIONS: Mapping[str, Mapping[str, _Kind]] = MappingProxyType(
    {
        "permit": {
            "name": _TEXT,
            "title": _TEXT,
            "purpose": _TEXT,
            "applicant": _TEXT,
            "people": _TEXTS,
            "period": _DAYS,
            "starts_on": _DAY,
            "ends_on": _DAY,
            "environment_sha256": _TEXT,
        },
        "population": {"birth_years": _WHOLES, "departments": _TEXTS},
        "output": {"min_count": _WHOLE, "kinds": _TEXTS},
        "oppositions": {"do_not_count_because": _TEXT},
    }
)
# The same for a permit for upkeep, which grants no table and has no project.
UPKEEP_SECTIONS: Mapping[str, Mapping[str, _Kind]] = MappingProxyType(
    {
        "permit": {
            name: kind
            for name, kind in SECTIONS["permit"].items()
            if name not in ("period", "environment_sha256")
        },
        "upkeep": {"kind": _TEXT, "datasets": _TEXTS, "years": _WHOLES},
    }
)
# What may stand in a section such as [tables.dcir.ER_PRS_F].
TABLE: Mapping[str, _Kind] = MappingProxyType({"columns": _TEXTS, "true_keys": _TEXTS})
_REQUIRED = frozenset({*SECTIONS["permit"], "columns", "kind", "datasets"})


def read_form(document: bytes) -> dict[str, Any]:
    """Read the TOML file that a person wrote, and nothing that the form does not know.

    Returns the sections `permit`, `population`, `output`, `oppositions` and `tables`; the
    last four may be missing. With a section `upkeep` it is the form of a permit for
    upkeep, which has that one and `permit`.

    Raises:
        InvalidInput: too long, not TOML, or with a key or section missing, unknown,
            in another's place or of another type; every one is named with its place.
    """
    if len(document) > MAX_APPLICATION_BYTES:
        raise InvalidInput(f"A permit's application is longer than {MAX_APPLICATION_BYTES} bytes.")
    try:
        body = tomllib.loads(document.decode("utf-8"))
    except ValueError as fault:
        raise InvalidInput(
            f"The application is not TOML: {shown(str(fault), most=200)}.", hint=_HINT
        ) from None
    except RecursionError:
        raise InvalidInput("The application nests lists or tables too deep.", hint=_HINT) from None
    if faults := list(_faults_of(body)):
        raise InvalidInput(f"The application cannot be read: {'; '.join(faults)}.", hint=_HINT)
    return body


def shown(text: str, *, most: int = 60) -> str:
    """Spell a text that comes from outside so that it can be shown on any screen.

    most: characters before it is cut.

    >>> shown("min_count"), shown("a\\u202eb"), shown("x" * 200) == "x" * 60 + "…"
    ('min_count', "'a\\\\u202eb'", True)
    """
    short = text if len(text) <= most else f"{text[:most]}…"
    return short if short.isprintable() else ascii(short)


def _faults_of(body: Mapping[str, Any]) -> Iterator[str]:
    if "upkeep" in body:
        for name in sorted(set(body) - set(UPKEEP_SECTIONS)):
            yield f"a permit for upkeep has no section or key {shown(name)}"
        for name, keys in UPKEEP_SECTIONS.items():
            yield from _faults_of_section(name, body.get(name, {}), keys)
        return
    for name in sorted(set(body) - set(SECTIONS) - {"tables"}):
        yield f"there is no section or key {shown(name)}"
    for name, keys in SECTIONS.items():
        yield from _faults_of_section(name, body.get(name, {}), keys)
    yield from _faults_of_tables(body.get("tables", {}))


def _faults_of_tables(tables: Any) -> Iterator[str]:
    if not isinstance(tables, dict):
        yield "tables is no section; write [tables.DATASET.TABLE]"
        return
    for dataset, granted in tables.items():
        if not isinstance(granted, dict):
            yield f"tables.{shown(dataset)} is no section; write [tables.DATASET.TABLE]"
            continue
        for table, grant in granted.items():
            yield from _faults_of_section(f"tables.{shown(dataset)}.{shown(table)}", grant, TABLE)


def _faults_of_section(name: str, section: Any, keys: Mapping[str, _Kind]) -> Iterator[str]:
    if not isinstance(section, dict):
        yield f"{name} is no section; write [{name}] on a line of its own"
        return
    for key in sorted(set(section) - set(keys)):
        yield f"[{name}] has no key {shown(key)}{_where_it_belongs(key)}"
    for key in sorted((_REQUIRED & set(keys)) - set(section)):
        yield f"[{name}] lacks {key}"
    for key, (kind, is_one) in keys.items():
        if key in section and not is_one(section[key]):
            yield f"[{name}] {key} is not {kind}"


def _where_it_belongs(key: str) -> str:
    if key == "years":
        return ", they are worked out"
    if key in {*SECTIONS, "tables"}:
        return f", it is a section of its own: [{key}{'.DATASET.TABLE' * (key == 'tables')}]"
    homes = [name for name, keys in SECTIONS.items() if key in keys]
    homes += ["tables.DATASET.TABLE"] * (key in TABLE)
    return "".join(f", it belongs in [{home}]" for home in homes)

"""How a permit is written: TOML by a person, a statement's predicate when signed.

Reading is strict, and a contradiction inside a permit is refused here, so
that no signature is ever asked for one, and no key opened for one that was signed
elsewhere. The form that a person fills in is `domain.permit_form`; what needs the
catalogue (unknown columns, years) is `domain.permit_check`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from havre.domain.oppositions import OPPOSITIONS_DATASET
from havre.domain.permit import (
    LEAST_COUNT,
    OUTPUT_KINDS,
    OutputRules,
    Permit,
    Population,
    TableGrant,
)
from havre.domain.permit_form import read_form
from havre.domain.upkeep import ASIDE_SUFFIX, UPKEEP_DAYS, UpkeepKind, list_reached
from havre.errors import InvalidInput
from havre.formats.canonical import Json
from havre.values import parse_digest, parse_name

PREDICATE_PERMIT = "havre/v1/permit"
_MOST_TITLE, _MOST_PURPOSE = 200, 4_000
# A number of a department, with two characters as in a hospital's files or three as in claims.
_DEPARTMENT = re.compile("[0-9][0-9AB][0-9]?")
# The spaces that French typography puts before a colon are seen; nothing else unseen is let by.
_SEEN_SPACES = str.maketrans("", "", "\u00a0\u202f")
_MOST_WHOLE = 10**9
_LONGEST_PERIOD_YEARS = 100


def parse_application(document: bytes) -> Permit:
    """Read the TOML file in which a person asks for a permit.

    `years` is left empty: `domain.permit_check` fills it from the catalogue. Those of a
    permit for upkeep are what its form says.

    Raises:
        InvalidInput: the form has something in it that it does not know, or a field
            missing or of another type, or the permit contradicts itself; every fault
            is named.
    """
    body = read_form(document)
    if "upkeep" in body:
        return _read_upkeep(body)
    tables = [
        {"dataset": dataset, "table": table, "true_keys": [], **grant}
        for dataset, granted in body.get("tables", {}).items()
        for table, grant in granted.items()
    ]
    population = {"birth_years": [], "departments": [], **body.get("population", {})}
    output = {"min_count": LEAST_COUNT, "kinds": ["table"], **body.get("output", {})}
    despite = body.get("oppositions", {}).get("do_not_count_because", "")
    if "oppositions" in body and not despite.strip():
        raise InvalidInput(
            "[oppositions] lacks a reason in do_not_count_because.",
            hint="Say which case of EHDS article 71(4) it is, or leave the section out.",
        )
    asked = {key: _plain_dates(value) for key, value in body["permit"].items()}
    return _read_permit(
        {
            **asked,
            "tables": tables,
            "population": population,
            "output": output,
            "despite_oppositions": despite,
            "years": {},
        }
    )


def permit_predicate(permit: Permit) -> dict[str, Json]:
    """Spell a permit as the predicate of the statement that authorities sign.

    Oppositions are named only where they do not count: so that permits from before
    there were any are spelled as ever. A permit for upkeep has fields of its own.
    """
    if permit.upkeep is not None:
        return {
            **_predicate_of_any(permit),
            "upkeep": permit.upkeep.value,
        }
    despite = permit.despite_oppositions
    return {
        **_predicate_of_any(permit),
        **({"despite_oppositions": despite} if despite else {}),
        "environment_sha256": permit.environment_sha256,
        "output": {"kinds": list(permit.output.kinds), "min_count": permit.output.min_count},
        "period": [day.isoformat() for day in permit.period],
        "population": {
            "birth_years": list(permit.population.birth_years or ()),
            "departments": list(permit.population.departments),
        },
        "tables": [
            {
                "columns": list(grant.columns),
                "dataset": grant.dataset,
                "table": grant.table,
                "true_keys": list(grant.true_keys),
            }
            for grant in permit.tables
        ],
    }


def _predicate_of_any(permit: Permit) -> dict[str, Json]:
    return {
        "applicant": permit.applicant,
        "ends_on": permit.ends_on.isoformat(),
        "name": permit.name,
        "people": list(permit.people),
        "purpose": permit.purpose,
        "starts_on": permit.starts_on.isoformat(),
        "title": permit.title,
        "years": {dataset: list(years) for dataset, years in sorted(permit.years.items())},
    }


def parse_permit(predicate: Mapping[str, Json]) -> Permit:
    """Read the predicate of a permit's statement strictly.

    Raises:
        InvalidInput: a field is missing, unknown or of another type or spelling.
    """
    if "upkeep" in predicate:
        permit = _upkeep_permit(predicate)
    else:
        permit = _read_permit({"despite_oppositions": "", **predicate})
    if permit_predicate(permit) != dict(predicate):
        raise InvalidInput("A permit's statement has a spelling that no permit has.")
    return permit


def _plain_dates(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return [_plain_dates(inner) for inner in value] if isinstance(value, list) else value


def _read_upkeep(body: dict[str, Any]) -> Permit:
    """Read the form of a permit for upkeep, and work out what it reaches."""
    asked = {key: _plain_dates(value) for key, value in body["permit"].items()}
    section = {"years": [], **body["upkeep"]}
    if section["kind"] not in [*UpkeepKind]:
        raise InvalidInput(
            f"There is no such kind of upkeep; there are: {', '.join(UpkeepKind)}.",
            hint="Correct `kind` in the section [upkeep].",
        )
    kind, datasets = UpkeepKind(section["kind"]), section["datasets"]
    faults = {
        "it names no year, or a year twice": kind is UpkeepKind.COMPACT
        and (not section["years"] or _repeats(section["years"])),
        "rows set aside have no years": kind is UpkeepKind.QUARANTINE and bool(section["years"]),
        "it names a dataset twice": _repeats(datasets),
    }
    _refuse(faults)
    reached = list_reached(kind, datasets=datasets, years=section["years"])
    years = {name: list(each) for name, each in reached.items()}
    return _upkeep_permit({**asked, "upkeep": kind.value, "years": years})


def _upkeep_permit(body: Mapping[str, Any]) -> Permit:
    fields = _read_fields(body, _UPKEEP_READERS)
    permit = Permit(
        **fields,
        period=(fields["starts_on"], fields["ends_on"]),
        tables=(),
        population=Population(),
        output=OutputRules(LEAST_COUNT, ()),
        environment_sha256="",
    )
    _refuse({**_faults_of_any(permit), **_faults_of_upkeep(permit)})
    return permit


def _read_permit(body: dict[str, Any]) -> Permit:
    permit = Permit(**_read_fields(body, _READERS))
    _refuse({**_faults_of_any(permit), **_faults_of_project(permit)})
    return permit


def _read_fields(
    body: Mapping[str, Any], readers: Mapping[str, Callable[[Any], Any]]
) -> dict[str, Any]:
    if odd := sorted(set(readers) ^ set(body)):
        raise InvalidInput(
            f"A permit has fields missing or unknown: {', '.join(odd)}.",
            hint="Compare with the example in docs/permits.md.",
        )
    fields: dict[str, Any] = {}
    wrong = []
    for name, read in readers.items():
        try:
            fields[name] = read(body[name])
        except (AttributeError, KeyError, TypeError, ValueError, InvalidInput):
            wrong.append(name)
    if wrong:
        raise InvalidInput(
            f"These fields of a permit have another type or spelling than they should: "
            f"{', '.join(wrong)}.",
            hint="Names have a-z, 0-9 and hyphens, hashes 64 hexadecimal characters; "
            "see docs/permits.md.",
        )
    return fields


def _refuse(faults: Mapping[str, bool]) -> None:
    if found := [fault for fault, is_so in faults.items() if is_so]:
        raise InvalidInput(
            f"The permit cannot be: {'; '.join(found)}.",
            hint="Mend the application; docs/permits.md says what a permit may say.",
        )


def _faults_of_any(permit: Permit) -> dict[str, bool]:
    """Say everything that no permit may be, and whether this one is."""
    texts = [permit.title, permit.purpose, permit.despite_oppositions]
    return {
        "it ends before it begins": permit.ends_on < permit.starts_on,
        "it names nobody who may use it": not permit.people,
        "a person who may use it stands twice": _repeats(permit.people),
        "the title or the purpose is empty": not (permit.title.strip() and permit.purpose.strip()),
        f"the title has more than {_MOST_TITLE} characters, or the purpose more than "
        f"{_MOST_PURPOSE}": len(permit.title) > _MOST_TITLE or len(permit.purpose) > _MOST_PURPOSE,
        # What authorities read must be what they sign: no line of it may hide, move
        # or repaint another.
        "the title, the purpose or a name has a line end or a character that is not seen": (
            not all(map(_is_seen, [*texts, *_texts_of_tables(permit.tables)]))
        ),
    }


def _faults_of_upkeep(permit: Permit) -> dict[str, bool]:
    """Say what a permit for upkeep may not be besides: each is kept by every custodian."""
    aside = [name.endswith(ASIDE_SUFFIX) for name in permit.years]
    return {
        f"it holds for more than {UPKEEP_DAYS} days": (
            (permit.ends_on - permit.starts_on).days >= UPKEEP_DAYS
        ),
        "it reaches no partition": not permit.years or not all(permit.years.values()),
        "it reaches the register of oppositions": OPPOSITIONS_DATASET in permit.years,
        "compaction reaches rows that were set aside": (
            permit.upkeep is UpkeepKind.COMPACT and any(aside)
        ),
        "it is for rows set aside and reaches others": permit.upkeep is UpkeepKind.QUARANTINE
        and not (all(aside) and set(permit.years.values()) <= {(0,)}),
    }


def _faults_of_project(permit: Permit) -> dict[str, bool]:
    """Say what a permit for a project may not be besides, and whether this one is."""
    names = [(grant.dataset, grant.table) for grant in permit.tables]
    first, last = permit.period
    born = permit.population.birth_years
    despite = permit.despite_oppositions
    return {
        "the period ends before it begins": first > last,
        f"the period is longer than {_LONGEST_PERIOD_YEARS} years": (
            last.year - first.year > _LONGEST_PERIOD_YEARS
        ),
        "it asks for no table": not permit.tables,
        "it reaches rows that were set aside": any(
            name.endswith(ASIDE_SUFFIX) for name in permit.years
        ),
        "a table stands twice": _repeats(names),
        "a table has no column": not all(grant.columns for grant in permit.tables),
        "a column of a table stands twice": any(
            _repeats(grant.columns) or _repeats(grant.true_keys) for grant in permit.tables
        ),
        "a true key is not among the columns": any(
            set(grant.true_keys) - set(grant.columns) for grant in permit.tables
        ),
        "the years of birth are not a first and a last one, of four digits": bool(
            born and not 1000 <= born[0] <= born[1] <= 9999
        ),
        "a department has no code such as 01, 2A or 971, or stands twice": (
            not all(map(_DEPARTMENT.fullmatch, permit.population.departments))
            or _repeats(permit.population.departments)
        ),
        f"the smallest count shown is below {LEAST_COUNT}": permit.output.min_count < LEAST_COUNT,
        f"the kinds of output are not some of {', '.join(OUTPUT_KINDS)}, each once": (
            not permit.output.kinds
            or _repeats(permit.output.kinds)
            or not set(permit.output.kinds) <= set(OUTPUT_KINDS)
        ),
        f"it does not say why oppositions do not count, or in more than {_MOST_PURPOSE} characters": (
            (despite != "" and not despite.strip()) or len(despite) > _MOST_PURPOSE
        ),
    }


def _texts_of_tables(tables: Iterable[TableGrant]) -> list[str]:
    return [text for grant in tables for text in (grant.table, *grant.columns, *grant.true_keys)]


def _is_seen(text: str) -> bool:
    return text.translate(_SEEN_SPACES).isprintable()


def _repeats(values: Sequence[object]) -> bool:
    return len(set(values)) != len(values)


def _read_grant(body: dict[str, Any]) -> TableGrant:
    if set(body) != {"columns", "dataset", "table", "true_keys"}:
        raise ValueError
    return TableGrant(
        parse_name(_text(body["dataset"])),
        _text(body["table"]),
        _texts(body["columns"]),
        _texts(body["true_keys"]),
    )


def _read_population(body: dict[str, Any]) -> Population:
    if set(body) != {"birth_years", "departments"}:
        raise ValueError
    years = tuple(map(_whole, body["birth_years"]))
    if years and len(years) != 2:
        raise ValueError
    return Population((years[0], years[1]) if years else None, _texts(body["departments"]))


def _read_output(body: dict[str, Any]) -> OutputRules:
    if set(body) != {"kinds", "min_count"}:
        raise ValueError
    return OutputRules(_whole(body["min_count"]), _texts(body["kinds"]))


def _two_days(value: list[str]) -> tuple[date, date]:
    first, last = value
    return date.fromisoformat(first), date.fromisoformat(last)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(inner) for inner in value)


def _whole(value: Any) -> int:
    if type(value) is not int or not -_MOST_WHOLE < value < _MOST_WHOLE:
        raise TypeError
    return value


# Every field that authorities sign, and how it is read from the statement.
_READERS_OF_ANY: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "applicant": lambda value: parse_name(_text(value)),
        "ends_on": date.fromisoformat,
        "name": lambda value: parse_name(_text(value)),
        "people": lambda value: tuple(map(parse_name, _texts(value))),
        "purpose": _text,
        "starts_on": date.fromisoformat,
        "title": _text,
        "years": lambda value: {
            parse_name(name): tuple(map(_whole, years)) for name, years in value.items()
        },
    }
)
_UPKEEP_READERS = MappingProxyType({**_READERS_OF_ANY, "upkeep": UpkeepKind})
_READERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        **_READERS_OF_ANY,
        "despite_oppositions": _text,
        "environment_sha256": lambda value: parse_digest(_text(value)),
        "output": _read_output,
        "period": _two_days,
        "population": _read_population,
        "tables": lambda value: tuple(map(_read_grant, value)),
    }
)

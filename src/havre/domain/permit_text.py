"""How a permit is written: TOML by a person, a statement's predicate when signed.

Reading is strict, and a contradiction inside a permit is refused here, so
that no signature is ever asked for one. What needs the catalogue (unknown
columns, years) is checked by `application.permits`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any

from havre.domain.permit import OutputRules, Permit, Population, TableGrant
from havre.errors import InvalidInput
from havre.formats.canonical import Json
from havre.values import parse_digest, parse_name

PREDICATE_PERMIT = "havre/v1/permit"
MAX_APPLICATION_BYTES = 256 * 1024


def parse_application(document: bytes) -> Permit:
    """Read the TOML file in which a person asks for a permit.

    `years` is left empty: `application.permits` fills it from the catalogue.

    Raises:
        InvalidInput: too long, not TOML, or with a field missing, unknown or
            of another type; every such field is named.
    """
    if len(document) > MAX_APPLICATION_BYTES:
        raise InvalidInput(f"A permit's application is longer than {MAX_APPLICATION_BYTES} bytes.")
    try:
        body = tomllib.loads(document.decode("utf-8"))
    except ValueError as fault:
        raise InvalidInput(f"The application is not TOML: {fault}.") from None
    return _read_permit(_from_toml(body))


def permit_predicate(permit: Permit) -> dict[str, Json]:
    """Spell a permit as the predicate of the statement that authorities sign."""
    return {
        "applicant": permit.applicant,
        "ends_on": permit.ends_on.isoformat(),
        "environment_sha256": permit.environment_sha256,
        "name": permit.name,
        "output": {"kinds": list(permit.output.kinds), "min_count": permit.output.min_count},
        "people": list(permit.people),
        "period": [day.isoformat() for day in permit.period],
        "population": {
            "birth_years": list(permit.population.birth_years or ()),
            "departments": list(permit.population.departments),
        },
        "purpose": permit.purpose,
        "starts_on": permit.starts_on.isoformat(),
        "tables": [
            {
                "columns": list(grant.columns),
                "dataset": grant.dataset,
                "table": grant.table,
                "true_keys": list(grant.true_keys),
            }
            for grant in permit.tables
        ],
        "title": permit.title,
        "years": {dataset: list(years) for dataset, years in sorted(permit.years.items())},
    }


def parse_permit(predicate: Mapping[str, Json]) -> Permit:
    """Read the predicate of a permit's statement strictly.

    Raises:
        InvalidInput: a field is missing, unknown or of another type or spelling.
    """
    permit = _read_permit(dict(predicate))
    if permit_predicate(permit) != dict(predicate):
        raise InvalidInput("A permit's statement has a spelling that no permit has.")
    return permit


_FIELDS = frozenset(
    {
        "applicant",
        "ends_on",
        "environment_sha256",
        "name",
        "output",
        "people",
        "period",
        "population",
        "purpose",
        "starts_on",
        "tables",
        "title",
        "years",
    }
)


def _from_toml(body: dict[str, Any]) -> dict[str, Any]:
    """Bring the shape a person writes to the shape that is signed."""
    permit = dict(body.get("permit", {}))
    tables = [
        {"dataset": dataset, "table": table, "true_keys": [], **grant}
        for dataset, granted in body.get("tables", {}).items()
        for table, grant in granted.items()
    ]
    unknown = set(body) - {"permit", "population", "output", "tables"}
    if unknown:
        raise InvalidInput(f"The application has unknown sections: {', '.join(sorted(unknown))}.")
    population = {"birth_years": [], "departments": [], **body.get("population", {})}
    shaped = {**permit, "tables": tables, "population": population, "years": {}}
    shaped["output"] = {"min_count": 11, "kinds": ["table"], **body.get("output", {})}
    return {key: _plain_dates(value) for key, value in shaped.items()}


def _plain_dates(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return [_plain_dates(inner) for inner in value] if isinstance(value, list) else value


def _read_permit(body: dict[str, Any]) -> Permit:
    wrong = sorted(_FIELDS ^ set(body))
    if wrong:
        raise InvalidInput(
            f"A permit has fields missing or unknown: {', '.join(wrong)}.",
            hint="Compare with the example in docs/permits.md.",
        )
    try:
        read = Permit(
            name=parse_name(_text(body["name"])),
            title=_text(body["title"]),
            purpose=_text(body["purpose"]),
            applicant=parse_name(_text(body["applicant"])),
            people=tuple(parse_name(name) for name in _texts(body["people"])),
            period=_two_days(body["period"]),
            starts_on=date.fromisoformat(body["starts_on"]),
            ends_on=date.fromisoformat(body["ends_on"]),
            tables=tuple(_read_grant(grant) for grant in body["tables"]),
            population=_read_population(body["population"]),
            output=OutputRules(
                _whole(body["output"]["min_count"]), _texts(body["output"]["kinds"])
            ),
            environment_sha256=parse_digest(_text(body["environment_sha256"])),
            years={name: tuple(map(_whole, years)) for name, years in body["years"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InvalidInput(
            "A field of a permit has another type or spelling than it should.",
            hint="Dates are like 2026-01-31; lists are in brackets; see docs/permits.md.",
        ) from None
    _check_sense(read)
    return read


def _check_sense(permit: Permit) -> None:
    """Refuse a permit that contradicts itself, with every contradiction named."""
    names = [(grant.dataset, grant.table) for grant in permit.tables]
    contradictions = {
        "the period ends before it begins": permit.period[0] > permit.period[1],
        "it ends before it begins": permit.ends_on < permit.starts_on,
        "it asks for no table": not permit.tables,
        "it names nobody who may use it": not permit.people,
        "a table stands twice": len(set(names)) != len(names),
        "a table has no column": not all(grant.columns for grant in permit.tables),
        "a true key is not among the columns": any(
            set(grant.true_keys) - set(grant.columns) for grant in permit.tables
        ),
        "the smallest count shown is below 1": permit.output.min_count < 1,
        "the title or the purpose is empty": not (permit.title.strip() and permit.purpose.strip()),
    }
    faults = [fault for fault, found in contradictions.items() if found]
    if faults:
        raise InvalidInput(f"The permit contradicts itself: {'; '.join(faults)}.")


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
    if years and (len(years) != 2 or years[0] > years[1]):
        raise ValueError
    return Population((years[0], years[1]) if years else None, _texts(body["departments"]))


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
    if type(value) is not int:
        raise TypeError
    return value

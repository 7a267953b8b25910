"""What a permit grants, where it may go next, and whether it is in force.

A permit is public text: who asks, why, for which tables, columns, people and
years, until when, and what may come out. A person writes it as TOML
(`parse_application`); authorities sign its statement; custodians read the
signed statement and nothing else.

Signing and counting signatures is `domain.statements`; putting a permit on the
log is `application.permits`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from havre.domain.events import PermitMoved
from havre.errors import InvalidInput, Refused
from havre.formats.canonical import Json
from havre.values import Partition, PartitionKind, parse_digest, parse_name

PREDICATE_PERMIT = "havre/v1/permit"
MAX_APPLICATION_BYTES = 256 * 1024

# A permit that nobody has looked at for a quarter opens nothing
# (`docs/protocols.md`, section 4).
RENEWAL_DAYS = 90


class PermitState(StrEnum):
    """Where a permit stands."""

    SUBMITTED = "submitted"
    ASSESSMENT = "assessment"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


# Where a permit may go next. Revoked and expired are terminal: no later entry
# can bring one back, and a custodian refuses to replay a log that tries.
NEXT: dict[PermitState, frozenset[PermitState]] = {
    PermitState.SUBMITTED: frozenset(
        {PermitState.ASSESSMENT, PermitState.REFUSED, PermitState.WITHDRAWN}
    ),
    PermitState.ASSESSMENT: frozenset(
        {PermitState.GRANTED, PermitState.REFUSED, PermitState.WITHDRAWN}
    ),
    # Granted again is a renewal: the same text, signed anew.
    PermitState.GRANTED: frozenset(
        {
            PermitState.GRANTED,
            PermitState.SUSPENDED,
            PermitState.REVOKED,
            PermitState.EXPIRED,
        }
    ),
    PermitState.SUSPENDED: frozenset(
        {PermitState.GRANTED, PermitState.REVOKED, PermitState.EXPIRED}
    ),
    PermitState.REFUSED: frozenset(),
    PermitState.WITHDRAWN: frozenset(),
    PermitState.REVOKED: frozenset(),
    PermitState.EXPIRED: frozenset(),
}


class OutsidePermit(Refused):
    """Something reaches past what a permit grants."""


class NotInForce(Refused):
    """A permit exists, but opens nothing now."""


@dataclass(frozen=True, slots=True)
class Population:
    """Which people a permit is about; null means no limit.

    birth_years: first and last year of birth, both included.
    departments: codes of the departments of residence, or empty for all.
    """

    birth_years: tuple[int, int] | None = None
    departments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableGrant:
    """One table of a permit.

    true_keys: technical keys that the project gets as they are; the others are
        replaced by the project's own.
    """

    dataset: str
    table: str
    columns: tuple[str, ...]
    true_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputRules:
    """What may come out: the smallest count shown, and the kinds of file."""

    min_count: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What the authorities sign.

    name: short public name; also the name of the project.
    applicant: party name of who asks, and who therefore may not sign.
    people: party names of those who may run code on the extract.
    period: first and last day of care, both included.
    starts_on, ends_on: days in UTC, both included.
    years: dataset to the lake partitions (calendar years, 0 for undated rows)
        that the period reaches; what custodians compare a request with.
    environment_sha256: the study environment that code may run in.
    """

    name: str
    title: str
    purpose: str
    applicant: str
    people: tuple[str, ...]
    period: tuple[date, date]
    starts_on: date
    ends_on: date
    tables: tuple[TableGrant, ...]
    population: Population
    output: OutputRules
    environment_sha256: str
    years: Mapping[str, tuple[int, ...]]

    def covers(self, partition: Partition) -> None:
        """Make sure a partition is within this permit.

        A dataset partition must be of a granted dataset and year; a project
        partition and the project's pseudonym secret must bear its name.

        Raises:
            OutsidePermit: the partition is anything else.
        """
        within = {
            PartitionKind.DATASET: partition.year in self.years.get(partition.name, ()),
            PartitionKind.PROJECT: partition.name == self.name,
            PartitionKind.SECRET: partition.name == project_secret(self.name),
            PartitionKind.LANDING: False,
        }
        if not within[partition.kind]:
            raise OutsidePermit(
                f"Permit {self.name} does not cover the partition {partition.text}.",
                hint="Ask for a permit that names this dataset and these years.",
            )


def project_secret(permit: str) -> str:
    """Name the secret partition that holds a project's pseudonym secret.

    >>> project_secret("diabetes")
    'pp-diabetes'
    """
    return f"pp-{permit}"


def check_move(start: PermitState | None, end: PermitState) -> None:
    """Refuse a move that the table does not allow; null is before the first entry.

    Raises:
        Refused: naming where the permit can go instead.
    """
    ways = frozenset({PermitState.SUBMITTED}) if start is None else NEXT[start]
    if end in ways:
        return
    named = ", ".join(sorted(way.value for way in ways)) or "nowhere"
    raise Refused(
        f"A permit cannot go from {start.value if start else 'nothing'} to {end.value}.",
        hint=f"From there it can go to: {named}.",
    )


def check_in_force(
    permit: Permit, *, state: PermitState, decided_at: datetime, now: datetime
) -> None:
    """Make sure a permit opens something at this moment.

    state, decided_at: of the permit's last entry on the log.

    Raises:
        NotInForce: not granted, not begun, ended, or not renewed for 90 days.
    """
    if state is not PermitState.GRANTED:
        raise NotInForce(f"Permit {permit.name} is {state.value}.")
    if now.date() < permit.starts_on:
        raise NotInForce(f"Permit {permit.name} begins on {permit.starts_on}.")
    if now.date() > permit.ends_on:
        raise NotInForce(f"Permit {permit.name} ended on {permit.ends_on}.")
    if now - decided_at > timedelta(days=RENEWAL_DAYS):
        raise NotInForce(
            f"Permit {permit.name} was not renewed for {RENEWAL_DAYS} days.",
            hint="Ask the authorities to sign it anew.",
        )


def replay_permit(
    entries: Iterable[tuple[int, PermitMoved]],
) -> tuple[PermitState, int, PermitMoved]:
    """Fold the log's entries of one permit into where it stands.

    entries: index and event, in the order of the log; at least one.

    Returns the state, the index of the last entry, and that entry.

    Raises:
        Refused: an entry names another predecessor than the entry before it,
            or a move that the table does not allow.
        InvalidInput: no entries, or a state this version does not know.
    """
    state: PermitState | None = None
    last: tuple[int, PermitMoved] | None = None
    for index, moved in entries:
        if moved.predecessor != (last[0] if last else None):
            raise Refused("An entry of a permit does not name the entry before it.")
        try:
            to_state = PermitState(moved.state)
        except ValueError:
            raise InvalidInput("A permit's entry has a state that does not exist.") from None
        check_move(state, to_state)
        state, last = to_state, (index, moved)
    if state is None or last is None:
        raise InvalidInput("The log has no entry of this permit.")
    return state, last[0], last[1]


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
    "applicant ends_on environment_sha256 name output people period population purpose "
    "starts_on tables title years".split()
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
    faults = []
    if permit.period[0] > permit.period[1]:
        faults.append("the period ends before it begins")
    if permit.ends_on < permit.starts_on:
        faults.append("it ends before it begins")
    if not permit.tables:
        faults.append("it asks for no table")
    if not permit.people:
        faults.append("it names nobody who may use it")
    names = [(grant.dataset, grant.table) for grant in permit.tables]
    if len(set(names)) != len(names) or any(not grant.columns for grant in permit.tables):
        faults.append("a table stands twice, or has no column")
    if any(set(grant.true_keys) - set(grant.columns) for grant in permit.tables):
        faults.append("a true key is not among the columns")
    if permit.output.min_count < 1:
        faults.append("the smallest count shown is below 1")
    if not permit.title.strip() or not permit.purpose.strip():
        faults.append("the title or the purpose is empty")
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

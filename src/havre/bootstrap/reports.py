"""What commands show: plain rows made from values of the use cases; counts and names only."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from havre.adapters.machine.guarantees import inspect_machine
from havre.application.ceremony import PartitionCatalogue
from havre.application.permits import PermitStanding
from havre.bootstrap.auditing import decisions_off_the_log
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.tokens import PartyToken, open_token
from havre.domain.events import DeliveryChecked, DeliveryReceived, events_of
from havre.domain.permit import Permit
from havre.domain.permit_form import shown
from havre.domain.permit_states import PermitState
from havre.domain.permit_text import parse_application
from havre.domain.transparency import cosigners
from havre.domain.trust import Role
from havre.domain.upkeep import UPKEEP_OPENINGS, UpkeepKind
from havre.domain.version_objects import rows_of_datasets
from havre.domain.years import years_text
from havre.errors import InvalidInput, NotFound, Refused
from havre.formats.notes import parse_note
from havre.values import PartitionKind

Row = dict[str, Any]


def open_party(folder: Path, *, role: str) -> PartyToken:
    """Open the directory of a party who acts in a role.

    role: as `domain.trust.Role` spells it.

    Raises:
        Refused: the party has another role.
    """
    return _acting_as(Role(role), open_token(folder))


def _acting_as(needed: Role, token: PartyToken) -> PartyToken:
    if (has := token.config.role) is not needed:
        raise Refused(
            f"{token.name} has the role {has.value}; this is an act of the role {needed.value}.",
            hint=f"Name the directory of a party of role {needed.value} with --party or HAVRE_PARTY.",
        )
    return token


def open_applicant(folder: Path, application: bytes) -> PartyToken:
    """Open the directory of who asks for a permit: a researcher, or for upkeep the controller.

    Raises:
        InvalidInput: the application cannot be read.
        Refused: the party has another role.
    """
    token = open_token(folder)
    if token.config.role is not Role.CONTROLLER:
        # Whoever may ask for nothing at all hears so before the application is read.
        _acting_as(Role.RESEARCHER, token)
    is_upkeep = parse_application(application).upkeep is not None
    return _acting_as(Role.CONTROLLER if is_upkeep else Role.RESEARCHER, token)


def read_file(path: Path) -> bytes:
    """Read a file that a person names.

    Raises:
        NotFound: there is none, or it may not be read.
    """
    try:
        return path.read_bytes()
    except OSError:
        raise NotFound(f"The file {path.name} cannot be read.") from None


def read_state(word: str) -> PermitState:
    """Read the state that an authority decides for."""
    try:
        return PermitState(word)
    except ValueError:
        raise InvalidInput("A decision is refused, suspended or revoked.") from None


def read_vote(word: str) -> str:
    """Read a checker's vote."""
    if word not in ("approve", "return"):
        raise InvalidInput("A vote is approve or return.")
    return word


def read_reason(text: str) -> str:
    """Read why an authority decides: whoever is refused has a right to hear it.

    Raises:
        InvalidInput: it says nothing.
    """
    if not text.strip():
        raise InvalidInput("A decision has a reason.", hint="Say why with --reason.")
    return text


def hub_status(hub: OpenHub) -> Row:
    """Where a hub stands."""
    entries = hub.log.entries()
    events = [logged.event for logged in entries]
    received = {each.delivery for each in events_of(events, DeliveryReceived)}
    checked = {each.delivery for each in events_of(events, DeliveryChecked)}
    landing = [
        each.partition_id
        for each in PartitionCatalogue(hub.records, log=hub.log).list_living()
        if each.partition.kind is PartitionKind.LANDING
    ]
    used = {each.partition for each in events_of(events, DeliveryReceived)}
    head = hub.log.head()
    parties = (*hub.place.custodians, hub.place.escrow, *hub.place.witnesses)
    return {
        "log": hub.roots.origin,
        "entries": len(entries),
        "root": head.root.hex() if head else "",
        "acts_not_published": len(hub.records.pending()),
        "witnesses_silent": _silent_witnesses(hub),
        "parties_away": hub.reach.list_away(parties),
        "decisions_not_on_the_log": decisions_off_the_log(hub),
        "machine_does_not_guarantee": [fact.name for fact in inspect_machine() if not fact.held],
        "deliveries_in_the_inbox": len(hub.inbox.list_deliveries()),
        "deliveries_waiting": len(received - checked),
        "landing_places_left": len(set(landing) - used),
        # As the log has them: rounded to hundreds.
        "rows_about": rows_of_datasets(events),
        "permits": dict(Counter(each.state.value for each in hub.permits.list_permits())),
    }


def _silent_witnesses(hub: OpenHub) -> list[str]:
    """Name those who do not stand behind the published head."""
    try:
        behind = cosigners(parse_note(hub.log.checkpoint()), roots=hub.roots)
    except NotFound:
        return []
    standing = {each.witness.name for each in behind}
    return sorted({each.name for each in hub.roots.with_role(Role.WITNESS)} - standing)


def list_tables(hub: OpenHub) -> list[Row]:
    """Every table of the catalogue."""
    return [
        {
            "table": built.schema.name,
            "dataset": built.schema.dataset,
            "columns": len(built.schema.columns),
            "corrections": len(built.used),
            "title": built.schema.title,
        }
        for built in hub.catalogue.known().tables
    ]


def list_columns(hub: OpenHub, name: str) -> list[Row]:
    """Every column of one table."""
    catalogue = hub.catalogue.known()
    if name not in {built.schema.name for built in catalogue.tables}:
        raise NotFound(
            "The catalogue knows no table of that name.", hint="List them: `havre catalogue show`."
        )
    table = catalogue.catalogue.table(name)
    return [
        {
            "column": column.name,
            "type": column.type.value,
            "treatment": column.treatment.value,
            "required": column.required,
            "codes": column.code_list,
            "years": years_text(column),
        }
        for column in table.columns
    ]


def permit_row(standing: PermitStanding) -> Row:
    """One permit, in a line."""
    return {
        "permit": standing.permit.name,
        "state": standing.state.value,
        "signatures": len(standing.signers),
        "ends_on": standing.permit.ends_on.isoformat(),
        "entry": standing.index,
    }


def permit_details(standing: PermitStanding) -> Row:
    """One permit, whole: every field that authorities sign, and nothing cut short.

    Texts are shown as `domain.permit_form.shown` spells them: what stands on a
    screen is what is signed, and cannot paint over another line.
    """
    permit = standing.permit
    row = {
        **permit_row(standing),
        "title": _spelled(permit.title),
        "purpose": _spelled(permit.purpose),
        "applicant": permit.applicant,
        "people": list(permit.people),
        "in_force": _span(permit.starts_on, permit.ends_on),
        **(_project_details(permit) if permit.upkeep is None else _upkeep_details(permit.upkeep)),
    }
    for dataset, years in permit.years.items():
        row[f"years_reached_of_{dataset.replace('-', '_')}"] = [year or "undated" for year in years]
    return row


def _upkeep_details(kind: UpkeepKind) -> Row:
    opens = {
        UpkeepKind.COMPACT: "these partitions, to put their small files together",
        UpkeepKind.QUARANTINE: "rows that were set aside, and the hub's own pseudonym secret",
    }
    return {
        "upkeep": kind.value,
        "opens": opens[kind],
        "how_often": f"at most {UPKEEP_OPENINGS} times, and for one version",
        "tables": "none: nobody is given anything",
    }


def _project_details(permit: Permit) -> Row:
    population = permit.population
    born = population.birth_years
    row: Row = {
        "care": _span(*permit.period),
        "born": f"{born[0]} to {born[1]}" if born else "in any year",
        "living_in_departments": list(population.departments) or "all",
        "smallest_count_shown": permit.output.min_count,
        "kinds_of_output": list(permit.output.kinds),
        "oppositions": _spelled(
            f"do not count: {permit.despite_oppositions}" if permit.despite_oppositions else "count"
        ),
        "environment": permit.environment_sha256,
    }
    for number, grant in enumerate(permit.tables, start=1):
        row[f"table_{number}"] = _spelled(f"{grant.dataset}.{grant.table}")
        row[f"table_{number}_columns"] = list(map(_spelled, grant.columns))
        row[f"table_{number}_keys_as_they_are"] = list(map(_spelled, grant.true_keys))
    return row


def _span(first: date, last: date) -> str:
    return f"{first.isoformat()} to {last.isoformat()}"


def _spelled(text: str) -> str:
    return shown(text, most=len(text))

"""What of a permit can only be judged with the catalogue, the trust roots and today's date.

`complete_permit` also works out which lake partitions the period reaches, so
that the signed text says it and custodians need no catalogue.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from havre.domain.permit import Permit, TableGrant
from havre.domain.permit_signing import upkeep_party_faults
from havre.domain.plan_making import PEOPLE, list_ties, make_plan
from havre.domain.schema import Catalogue, ColumnType, TableSchema, Treatment, people_columns
from havre.domain.trust import Role, TrustRoots
from havre.domain.upkeep import ASIDE_SUFFIX
from havre.errors import InvalidInput, Refused

# Care may be paid for up to 27 months after it was given, by law: files that are
# cut by month of arrival hold it that much later (SNDS, the delay of claims).
LEGAL_LAG_MONTHS = 27
UNDATED_YEAR = 0


class PermitFaults(Refused):
    """A permit asks for what does not exist or cannot be granted; every fault is named."""


def complete_permit(
    permit: Permit, *, catalogue: Catalogue, roots: TrustRoots, today: date
) -> Permit:
    """Check an application and write the partitions it reaches into it.

    Returns the same permit with `years` filled in; those of a permit for upkeep stand.

    Raises:
        PermitFaults: an unknown dataset, table, column or party, a table in another
            dataset, a true key that is no technical key, an end in the past, a
            period or a limit on people that cannot be brought to a table.
    """
    if permit.upkeep is not None:
        _refuse(permit, _faults_of_upkeep(permit, catalogue, roots, today))
        return permit
    faults = [*_faults_of_parties(permit, roots, today)]
    for grant in permit.tables:
        faults += _faults_of_grant(grant, catalogue)
        faults += list_period_faults(grant, permit.period, catalogue)
    _refuse(permit, faults)
    return replace(permit, years=_years_reached(permit, catalogue))


def _refuse(permit: Permit, faults: Iterable[str]) -> None:
    if named := "; ".join(faults):
        raise PermitFaults(
            f"Permit {permit.name} cannot be asked for: {named}.",
            hint="Correct the application; `havre catalogue show` lists tables and columns.",
        )


def _faults_of_upkeep(
    permit: Permit, catalogue: Catalogue, roots: TrustRoots, today: date
) -> Iterator[str]:
    if permit.ends_on < today:
        yield "it has already ended"
    yield from upkeep_party_faults(permit, roots)
    known = {table.dataset for table in catalogue.tables}
    datasets = {name.removesuffix(ASIDE_SUFFIX) for name in permit.years}
    if unknown := sorted(datasets - known):
        yield f"the catalogue has no dataset {', '.join(unknown)}"


def _faults_of_parties(permit: Permit, roots: TrustRoots, today: date) -> Iterator[str]:
    if permit.ends_on < today:
        yield "it has already ended"
    researchers = {party.name for party in roots.with_role(Role.RESEARCHER)}
    if unknown := sorted({permit.applicant, *permit.people} - researchers):
        yield f"these are no researchers of the trust roots: {', '.join(unknown)}"


def _faults_of_grant(grant: TableGrant, catalogue: Catalogue) -> Iterator[str]:
    try:
        table = catalogue.table(grant.table)
    except InvalidInput:
        yield f"the catalogue has no table {grant.table}"
        return
    if (grant.dataset, grant.table) != (table.dataset, table.name):
        yield f"{grant.table} is table {table.name} of dataset {table.dataset}"
    if unknown := [name for name in grant.columns if name not in table.column_names]:
        yield f"{grant.table} has no column {', '.join(unknown)}"
    known = [name for name in grant.true_keys if name in table.column_names]
    for name in known:
        if table.column(name).treatment is not Treatment.TECHNICAL_KEY:
            yield f"{grant.table}.{name} is no technical key and is never given as it is"


def list_period_faults(
    grant: TableGrant, period: tuple[date, date], catalogue: Catalogue
) -> Iterator[str]:
    """Name a table that the period cannot cut: all its years would come out.

    A table that nobody knows, and links in a circle, are named elsewhere.
    """
    try:
        table = catalogue.table(grant.table)
        dated = table
        seen = {table.name}
        while dated.period_column is None and dated.link is not None:
            dated = catalogue.table(dated.link.table)
            if dated.name in seen:
                return
            seen.add(dated.name)
    except InvalidInput:
        return
    if dated.period_column is None:
        # Whoever follows a register would be cut by nothing either.
        if not dated.timeless or dated is not table:
            yield f"{grant.table} has no date that the period could cut, and is not timeless"
        return
    if coarse := _whole(dated.column(dated.period_column).type, period):
        yield f"{grant.table} is dated by {coarse}, and the period is not of whole {coarse}s"


def _whole(kind: ColumnType, period: tuple[date, date]) -> str:
    """Name the unit of which a period would cut a part, or nothing."""
    first, last = period
    months = first.day == 1 and last.day == monthrange(last.year, last.month)[1]
    if kind is ColumnType.YEARMONTH and not months:
        return "month"
    if kind is ColumnType.YEAR and not (months and first.month == 1 and last.month == 12):
        return "year"
    return ""


def _years_reached(permit: Permit, catalogue: Catalogue) -> dict[str, tuple[int, ...]]:
    """Work out what the extract will read: the granted tables, and those that it only follows.

    A limit on people reads the table where they stand, granted or not: without its
    partitions the limit would leave nobody, and an empty extract looks like a finding.
    """
    try:
        plan = make_plan(
            permit.tables,
            period=permit.period,
            population=permit.population,
            people=PEOPLE,
            catalogue=catalogue,
        )
    except InvalidInput as fault:
        raise PermitFaults(
            f"Permit {permit.name} cannot be asked for: {fault.message}", hint=fault.hint
        ) from None
    years: dict[str, set[int]] = {}
    read = [catalogue.table(part.table) for part in plan.tables]
    if not permit.despite_oppositions and any(map(people_columns, read)):
        # Whoever objects has several numbers: what ties them together is read too.
        read += [catalogue.table(tie.table) for tie in list_ties(PEOPLE, catalogue)]
    for table in read:
        years.setdefault(table.dataset, set()).update(_years_of(table, permit, catalogue))
    return {dataset: tuple(sorted(reached)) for dataset, reached in sorted(years.items())}


def _years_of(table: TableSchema, permit: Permit, catalogue: Catalogue) -> Iterator[int]:
    """Work out the partitions of one table: by care when it is filed by care, else with the lag."""
    yield UNDATED_YEAR
    if table.year_column is None:
        return
    owner = catalogue.table(table.link.table) if table.link else table
    first, last = permit.period
    filed_by_care = owner.year_column == owner.period_column or owner.period_column is None
    months = last.year * 12 + last.month - 1 + (0 if filed_by_care else LEGAL_LAG_MONTHS)
    yield from range(first.year, months // 12 + 1)

"""From a published description of a table to the table as a hub understands it.

A description says names and types; our own key `havre` in it, or else the
correction layer, says what becomes of each column and how the table is filed.
A column that neither has spoken of is UNDECLARED, and its table stays out of the lake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from havre.domain.schema import Column, ColumnType, Link, TableSchema, Treatment
from havre.domain.years import is_of_some_years
from havre.errors import InvalidInput
from havre.formats.canonical import Json
from havre.formats.table_schema import FieldDescriptor, TableDescriptor
from havre.snds.corrections import ColumnTreatment, Correction
from havre.snds.filing import Filing
from havre.snds.treatments import NOT_WHOSE_ROW, OF_PATIENTS

_TYPES = {
    "string": ColumnType.STRING,
    "integer": ColumnType.INTEGER,
    "number": ColumnType.DECIMAL,
    "boolean": ColumnType.STRING,
    "date": ColumnType.DATE,
    "datetime": ColumnType.DATETIME,
    "year": ColumnType.YEAR,
    "yearmonth": ColumnType.YEARMONTH,
}
# Why a delivered header may lack a column whose own description calls it optional.
OPTIONAL = "optional"
_DEFAULT_FORMATS = {
    ColumnType.DATE: "%Y-%m-%d",
    ColumnType.DATETIME: "%Y-%m-%dT%H:%M:%S",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """What is put over published descriptions: corrections in order, treatments, filings."""

    corrections: Sequence[Correction] = ()
    treatments: Sequence[ColumnTreatment] = ()
    filings: Sequence[Filing] = ()


@dataclass(frozen=True, slots=True)
class BuiltTable:
    """A table, and which corrections it needed.

    may_lack, may_have: differences of a delivered header that an entry of the
        correction layer accepts, with the entry's name.
    """

    schema: TableSchema
    used: tuple[str, ...]
    may_lack: Mapping[str, str] = field(default_factory=dict)
    may_have: Mapping[str, str] = field(default_factory=dict)


def build_table(
    descriptor: TableDescriptor, *, layer: Layer, dataset: str | None = None
) -> BuiltTable:
    """Understand one table.

    dataset: where it belongs; null takes what the description says.

    Raises:
        InvalidInput: our own key has a word that nobody knows, or no dataset is named.
    """
    fitting = [each for each in layer.corrections if _fits(descriptor.name, each.tables)]
    used: list[str] = []
    columns = tuple(
        _column(published, fitting, layer.treatments, used) for published in descriptor.fields
    )
    names = [column.name for column in columns]
    since, until = _years_of(descriptor, columns)
    key = _primary_key(descriptor, fitting, names, used)
    filing = _filing(descriptor, layer.filings, names)
    if filing is not None and filing.adds:
        columns += (_year_of_file(filing.adds),)
        key = (filing.adds, *key) if key else ()
    link = _link(descriptor.extra)
    if filing is not None and filing.follows:
        link = Link(filing.follows, filing.by)
    schema = TableSchema(
        name=descriptor.name,
        dataset=dataset or _text(descriptor.extra, "dataset") or dataset_name(descriptor.product),
        columns=columns,
        primary_key=key,
        missing=descriptor.missing,
        person=_names(descriptor.extra, "person") or _person(columns, follows=link is not None),
        year_column=_text(descriptor.extra, "year_column"),
        period_column=_text(descriptor.extra, "period_column"),
        link=link,
        timeless=_text(descriptor.extra, "timeless") or "",
        title=descriptor.title,
        since=since,
        until=until,
    )
    if filing is not None:
        schema = _filed(schema, filing)
        used.append(filing.name)
    _check_names(schema)
    return BuiltTable(
        schema,
        tuple(dict.fromkeys(used)),
        _may_lack(descriptor, fitting, schema),
        {name: each.defect for each in fitting for name in each.may_have},
    )


def dataset_name(product: str) -> str:
    """Make a short name of a published product.

    Raises:
        InvalidInput: nothing of it can stand in a name.

    >>> dataset_name("PMSI RIM-P"), dataset_name("Causes de décès")
    ('pmsi-rim-p', 'causes-de-deces')
    """
    plain = product.casefold().translate(str.maketrans("àâäéèêëîïôöùûüç", "aaaeeeeiioouuuc"))
    name = re.sub("[^a-z0-9]+", "-", plain).strip("-")
    if not name:
        raise InvalidInput(
            "A table's description names no dataset.",
            hint="Give one with `havre catalogue import --dataset NAME`.",
        )
    return name


def _primary_key(
    descriptor: TableDescriptor,
    corrections: Iterable[Correction],
    columns: Sequence[str],
    used: list[str],
) -> tuple[str, ...]:
    key = descriptor.primary_key
    spelled = {name.casefold(): name for name in columns}
    for each in corrections:
        if each.primary_key is not None:
            key = each.primary_key
            used.append(each.defect)
    return tuple(spelled.get(name.casefold(), name) for name in key)


def _may_lack(
    descriptor: TableDescriptor, corrections: Sequence[Correction], schema: TableSchema
) -> dict[str, str]:
    """List the columns that a delivered header may lack, with the entry that says so."""
    named = {name: each.defect for each in corrections for name in each.may_lack}
    optional = zip(schema.columns, descriptor.fields, strict=False)
    named |= {c.name: OPTIONAL for c, published in optional if published.extra.get("optional")}
    filed = {*schema.primary_key, *schema.person, schema.period_column, schema.year_column}
    filed |= set(schema.link.columns if schema.link else ())
    for each in corrections:
        if not each.by_year:
            continue
        for column in schema.columns:
            if is_of_some_years(column, schema) and column.name not in filed:
                named.setdefault(column.name, each.defect)
    return named


def _column(
    published: FieldDescriptor,
    corrections: Iterable[Correction],
    treatments: Sequence[ColumnTreatment],
    used: list[str],
) -> Column:
    column = _published(published)
    for each in corrections:
        if _applies(each, published):
            corrected = _corrected(column, each)
            # What was right already names no entry.
            if corrected != column or not each.to_upper_case:
                used.append(each.defect)
            column = corrected
    return _treated(column, published, treatments)


def _published(descriptor: FieldDescriptor) -> Column:
    kind = _TYPES[descriptor.type]
    date_format = descriptor.format
    if kind is ColumnType.DATE and date_format == "%m":
        # A month without a year is no date.
        kind = ColumnType.MONTH
    if date_format == "default":
        date_format = _DEFAULT_FORMATS.get(kind, "%Y-%m-%d")
    whole, _, scale = descriptor.length.partition(",")
    since, until = _span(descriptor.created, descriptor.deleted)
    return Column(
        name=descriptor.name,
        type=kind,
        length=int(whole) if whole.isdigit() and kind is ColumnType.STRING else None,
        scale=int(scale) if scale.isdigit() else 2,
        date_format=date_format,
        values=descriptor.enum,
        pattern=descriptor.pattern,
        required=descriptor.required,
        title=descriptor.title,
        unit=_text(descriptor.extra, "unit") or "",
        code_list=descriptor.code_list.partition(":")[0],
        since=since,
        until=until,
        absent=tuple(each for each in descriptor.absent if each >= (since or each)),
    )


def _years_of(
    descriptor: TableDescriptor, columns: Sequence[Column]
) -> tuple[int | None, int | None]:
    """Say the first and the last year of a table: as published, or those of all its columns."""
    since, until = _span(descriptor.created, descriptor.deleted)
    ends = [column.until for column in columns]
    if until is None and None not in ends:
        until = max(end for end in ends if end is not None)
    return since or descriptor.first_year, until


def _span(created: int | None, deleted: int | None) -> tuple[int | None, int | None]:
    """Say the first and the last year; what is published is the first year without.

    What went away in the year it came is still there: whoever compiled the list wrote its
    own last year into both (89 columns, 2017).
    """
    if deleted is None or (created is not None and deleted <= created):
        return created, None
    return created, deleted - 1


def _applies(correction: Correction, published: FieldDescriptor) -> bool:
    return (
        (published.name.upper() in correction.names or _fits(published.name, correction.columns))
        and (not correction.types or published.type in correction.types)
        and (not correction.coded or bool(published.code_list))
    )


def _corrected(column: Column, correction: Correction) -> Column:
    changed = column
    if correction.to_type is not None:
        kind = _TYPES[correction.to_type]
        date_format = column.date_format
        if kind is ColumnType.DATE and column.type not in {ColumnType.DATE, ColumnType.DATETIME}:
            date_format = _DEFAULT_FORMATS[ColumnType.DATE]
        if kind is ColumnType.DATE and date_format == _DEFAULT_FORMATS[ColumnType.DATETIME]:
            date_format = _DEFAULT_FORMATS[ColumnType.DATE]
        changed = replace(changed, type=kind, date_format=date_format)
    if correction.to_length is not None:
        changed = replace(changed, length=correction.to_length or None)
    if correction.to_since is not None:
        changed = replace(changed, since=correction.to_since)
    if correction.to_until is not None:
        changed = replace(changed, until=correction.to_until)
    if correction.to_upper_case:
        changed = replace(changed, name=changed.name.upper())
    if correction.pattern is not None:
        changed = replace(changed, pattern=correction.pattern, values=())
    return changed


def _treated(
    column: Column, published: FieldDescriptor, treatments: Sequence[ColumnTreatment]
) -> Column:
    own = published.extra
    if "treatment" in own:
        return replace(
            column,
            treatment=_treatment(str(own["treatment"]), column.name),
            realm=_text(own, "realm") or "",
            sentinels=_names(own, "sentinels"),
        )
    for each in treatments:
        if column.name.upper() in each.names or any(
            _fits(column.name, pattern) for pattern in each.columns
        ):
            return replace(
                column,
                treatment=_treatment(each.treatment, column.name),
                realm=each.realm,
                sentinels=each.sentinels,
            )
    return replace(column, treatment=Treatment.UNDECLARED)


def _treatment(word: str, column: str) -> Treatment:
    try:
        return Treatment(word)
    except ValueError:
        raise InvalidInput(f"Column {column} has a treatment that nobody knows.") from None


def _person(columns: Sequence[Column], *, follows: bool) -> tuple[str, ...]:
    """Find the number that says whose row it is: the first one of a patient.

    follows: the rows of another table decide; then only a number that the whole country
        has for a patient goes before them, and one that is still there.
    """
    named = [
        column.name
        for column in columns
        if column.treatment is Treatment.FOREIGN_PSEUDONYM
        and column.realm not in NOT_WHOSE_ROW
        and not (follows and (column.realm not in OF_PATIENTS or column.until is not None))
    ]
    return tuple(named[:1])


def _filing(
    descriptor: TableDescriptor, filings: Iterable[Filing], columns: Sequence[str]
) -> Filing | None:
    """Find how a table is filed whose own description does not say it."""
    if descriptor.extra.keys() & {"year_column", "period_column", "link", "timeless"}:
        return None
    for each in filings:
        if _fits(descriptor.name, each.tables) and set(each.needs) <= set(columns):
            return each
    return None


def _year_of_file(name: str) -> Column:
    return Column(name=name, type=ColumnType.YEAR, required=True, title="year of the file")


def _filed(schema: TableSchema, filing: Filing) -> TableSchema:
    return replace(
        schema,
        year_column=filing.year,
        period_column=filing.period,
        timeless=filing.timeless,
    )


def _link(extra: Mapping[str, Json]) -> Link | None:
    link = extra.get("link")
    if not isinstance(link, dict):
        return None
    return Link(str(link.get("table")), _names(link, "columns"))


def _check_names(schema: TableSchema) -> None:
    named = {*schema.primary_key, *schema.person, *(schema.link.columns if schema.link else ())}
    named |= {each for each in (schema.year_column, schema.period_column) if each}
    if unknown := sorted(named - set(schema.column_names)):
        raise InvalidInput(f"Table {schema.name} is filed by unknown columns: {unknown}.")


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name.casefold(), pattern.casefold())


def _text(extra: Mapping[str, Json], key: str) -> str | None:
    value = extra.get(key)
    return None if value is None else str(value)


def _names(extra: Mapping[str, Json], key: str) -> tuple[str, ...]:
    value = extra.get(key)
    return tuple(str(each) for each in value) if isinstance(value, list) else ()

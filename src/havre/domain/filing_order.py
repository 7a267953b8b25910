"""In which order the rows of a table lie in files that are put together.

Files are chosen by the bounds of their columns (`domain.pruning`): by period first, because
every permit has one; then by what ties a row to a person.
"""

from __future__ import annotations

from havre.domain.schema import TableSchema


def filing_order(schema: TableSchema) -> tuple[str, ...]:
    """Name the columns to sort by, the first one first; none where nothing would help.

    The table's own date comes first, or else the keys by which it follows another table
    that has one: a file is then left closed whose keys are none of the owners'. The
    person comes behind either.

    >>> from havre.domain.schema import Column, Link
    >>> filing_order(TableSchema(name="ACTS", dataset="d", columns=(Column(name="KEY"), Column(name="WHO")),
    ...     link=Link("STAYS", ("KEY",)), person=("WHO",)))
    ('KEY', 'WHO')
    """
    dates = (schema.period_column,) if schema.period_column else ()
    keys = schema.link.columns if schema.link and not dates else ()
    return tuple(dict.fromkeys((*dates, *keys, *schema.person)))

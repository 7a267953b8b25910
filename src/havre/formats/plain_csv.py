"""A table in the one spelling of CSV that may leave: commas, UTF-8, a quote only where it must be.

Read strictly and written back: what does not give the same bytes is refused, so
that a table says what its cells say and nothing by how it is written.
"""

from __future__ import annotations

import csv

from havre.errors import InvalidInput

MAX_BYTES = 512 * 1024
# What a person can read, and no more: 96 departments x 2 sexes x 10 ages.
MAX_ROWS = 2_000
MAX_COLUMNS = 30
MAX_TITLE = 60
MAX_CELL = 100
# A reader with another separator would see other columns than the check.
_OTHER_SEPARATORS = frozenset(";|\t")


def parse_plain_csv(content: bytes) -> list[list[str]]:
    """Read a table: first the titles, then at least one row.

    Raises:
        InvalidInput: too large, another dialect, or not in its one spelling.

    >>> parse_plain_csv(b'region,n\\n"Corse, Sud",20\\n')
    [['region', 'n'], ['Corse, Sud', '20']]
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput(f"A table is longer than {MAX_BYTES} bytes.")
    try:
        text = content.decode("utf-8")
        rows = list(csv.reader(text.removesuffix("\n").split("\n"), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise InvalidInput("A table is no CSV in UTF-8.") from None
    titles = rows[0]
    _check_size(rows)
    if any(len(row) != len(titles) for row in rows) or len(set(titles)) != len(titles):
        raise InvalidInput("A table has a row of another length, or a title twice.")
    if any(_OTHER_SEPARATORS & set(cell) for row in rows for cell in row):
        raise InvalidInput("A table holds another separator than the comma: ; or | or a tab.")
    if "".join(",".join(map(_spelled, row)) + "\n" for row in rows) != text:
        raise InvalidInput("A table is not in its one spelling: quotes only where they must be.")
    return rows


def _check_size(rows: list[list[str]]) -> None:
    titles = rows[0]
    if not 1 < len(rows) <= MAX_ROWS + 1:
        raise InvalidInput(f"A table has no row, or more than {MAX_ROWS}.")
    if not 0 < len(titles) <= MAX_COLUMNS:
        raise InvalidInput(f"A table has more than {MAX_COLUMNS} columns.")
    if not all(0 < len(title) <= MAX_TITLE for title in titles):
        raise InvalidInput(f"A column has no title, or one of more than {MAX_TITLE} characters.")
    if any(len(cell) > MAX_CELL for row in rows for cell in row):
        raise InvalidInput(f"A cell has more than {MAX_CELL} characters.")


def _spelled(cell: str) -> str:
    if "," in cell or '"' in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell

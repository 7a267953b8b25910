"""Labels beside codes: a column more for a table, and for a file of one.

Each different code is looked up once, whatever the number of rows.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from havre.domain.code_system import CodeSystem
from havre.errors import InvalidInput, NotFound

_SEPARATORS = (",", ";", "\t")


def add_labels(rows: pl.DataFrame, column: str, system: CodeSystem, *, into: str) -> pl.DataFrame:
    """Add the labels of a column of codes as one more column, behind the others.

    into: the new column's name. It is null where the list has no such code.

    Raises:
        ValueError: the table has a column of that name already.
    """
    if into in rows.columns:
        raise ValueError("the table has a column of that name")
    codes = rows[column].cast(pl.String)
    distinct = codes.unique().to_list()
    found = [None if each is None else system.find(each) for each in distinct]
    labels = codes.replace_strict(
        distinct, [None if each is None else each.label for each in found], return_dtype=pl.String
    )
    return rows.with_columns(labels.alias(into))


def label_file(path: Path, out: Path, *, column: str, system: CodeSystem, into: str) -> int:
    """Write a table anew with the labels of one of its columns, in its own format.

    path: a Parquet file (`*.parquet`), or a CSV in UTF-8 with a line of names, whose cells
        stay the text that they are. out: must not exist.

    Returns how many rows have a code that the list lacks.

    Raises:
        NotFound: there is no such file, or it has no such column.
        InvalidInput: it cannot be read as a table, has a column `into` already, or `out` exists.
    """
    if out.exists():
        raise InvalidInput("The file to write is there already.", hint="Name another one.")
    is_parquet = path.suffix.casefold() == ".parquet"
    separator = "," if is_parquet else _separator_of(path)
    try:
        rows = (
            pl.read_parquet(path)
            if is_parquet
            else pl.read_csv(path, separator=separator, infer_schema=False)
        )
    except FileNotFoundError:
        raise NotFound("There is no such file.") from None
    except (pl.exceptions.PolarsError, OSError):
        raise InvalidInput(
            "The file cannot be read as a table.", hint="It is to be Parquet, or CSV in UTF-8."
        ) from None
    if column not in rows.columns:
        raise NotFound("The table has no column of that name.")
    if into in rows.columns:
        raise InvalidInput(
            f"The table has a column {into} already.", hint="Name another one with --into."
        )
    labelled = add_labels(rows, column, system, into=into)
    try:
        if is_parquet:
            labelled.write_parquet(out)
        else:
            labelled.write_csv(out, separator=separator)
    except OSError:
        raise InvalidInput("The file cannot be written there.", hint="Name another one.") from None
    filled = labelled[column].cast(pl.String).str.strip_chars().fill_null("") != ""
    return int((filled & labelled[into].is_null()).sum())


def _separator_of(path: Path) -> str:
    """The separator that the first line has most of."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline()
    except FileNotFoundError:
        raise NotFound("There is no such file.") from None
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(
            "The file cannot be read as a table.", hint="It is to be Parquet, or CSV in UTF-8."
        ) from None
    return max(_SEPARATORS, key=first.count)

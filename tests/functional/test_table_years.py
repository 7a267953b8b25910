"""`havre catalogue year` and `diff`: what the columns of a year are, asked of a hub."""

from __future__ import annotations

import json
import sys

import pytest

from fakes.small_hub import founded
from havre.bootstrap.table_years import columns_of_year, differences_of_years
from havre.cli import main
from havre.errors import NotFound


def test_a_table_of_a_year_is_listed_under_the_name_of_its_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "keep_memory_private", lambda: None)
    words = ["catalogue", "year", "T_SSR08C", "2008", "--json", "--hub", str(founded().hub)]
    monkeypatch.setattr(sys, "argv", ["havre", *words])

    with pytest.raises(SystemExit) as end:
        main.run()

    assert not end.value.code
    rows = json.loads(capsys.readouterr().out)
    assert {"column": "SOR_ANN", "years": "to 2008"}.items() <= {
        key: value for row in rows if row["column"] == "SOR_ANN" for key, value in row.items()
    }.items()
    assert "EXE_SOI_DTD" not in {row["column"] for row in rows}


def test_the_difference_of_two_years_names_each_column_once() -> None:
    rows = differences_of_years(founded().open(), "t_ssraac", 2008, 2013)

    changes = {(row["column"], row["change"]) for row in rows}
    assert len(rows) == len(changes)
    assert {("EXE_SOI_DTD", "added"), ("COH_NAI_RET", "added"), ("SOR_ANN", "removed")} <= changes


def test_many_tables_are_compared_by_a_pattern() -> None:
    rows = differences_of_years(founded().open(), "T_HAD*", 2016, 2017)

    assert {row["table"] for row in rows} >= {"T_HADaaB", "T_HADaaC"}
    assert all(row["table"].startswith("T_HAD") for row in rows)


def test_a_year_after_the_history_says_where_it_ends() -> None:
    opened = founded().open()

    assert columns_of_year(opened, "T_MCOaaB", 2024).beyond == 2017
    assert columns_of_year(opened, "T_MCOaaB", 2016).beyond is None
    assert columns_of_year(opened, "IR_BEN_R", 2024).beyond is None


def test_a_table_that_nobody_knows_is_not_found() -> None:
    with pytest.raises(NotFound, match="no table of that name"):
        differences_of_years(founded().open(), "T_NOTHING", 2016, 2017)

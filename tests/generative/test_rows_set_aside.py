"""Rows that were set aside become the cells that they were delivered as, whatever these are."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havre.adapters.sources.quarantined import QuarantinedRows
from havre.application.set_aside import aside_line
from havre.domain.delivery import LINE_COLUMN
from havre.domain.quarantine import FileLayout
from havre.errors import InvalidInput
from havre.ports.sources import SetAsideRow

LAYOUT = FileLayout(("A", "B", "C"), ";", {"YEAR": "2023"})
ONE, OTHER = ("d1", "f.csv"), ("d2", "f.csv")
cells = st.text(st.characters(exclude_characters=";", exclude_categories=["Cs"]), max_size=4)
lines = st.lists(cells, min_size=1, max_size=5)


def row(name: tuple[str, str], line: int, given_: list[str]) -> SetAsideRow:
    return SetAsideRow(*name, line, "a rule in A", ";".join(given_).encode())


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([ONE, OTHER]), lines), min_size=1, max_size=8))
def test_each_row_is_its_cells_again_or_a_row_of_another_number_of_cells(
    given_: list[tuple[tuple[str, str], list[str]]],
) -> None:
    rows = [row(name, number, cut) for number, (name, cut) in enumerate(given_, start=2)]

    read = QuarantinedRows().read(b"".join(map(aside_line, rows)))

    assert list(read.rows()) == rows
    for name in (ONE, OTHER):
        mine = [(number, cut) for number, (own, cut) in enumerate(given_, start=2) if own == name]
        whole = [(number, cut) for number, cut in mine if len(cut) == 3]
        table = pa.table(read.cells(name, LAYOUT))
        assert table.to_pylist() == [
            {"A": cut[0], "B": cut[1], "C": cut[2], "YEAR": "2023", LINE_COLUMN: number}
            for number, cut in whole
        ]
        others = [each.line for each in read.others(name, LAYOUT)]
        assert others == [number for number, cut in mine if len(cut) != 3]
        assert sum(read.counts.get(name, {}).values()) == len(mine)


def test_only_the_columns_that_are_asked_for_come_out() -> None:
    read = QuarantinedRows().read(aside_line(row(ONE, 2, ["a", "b", "c"])))

    assert pa.table(read.cells(ONE, LAYOUT, columns=["C", "NOT THERE"])).to_pydict() == {"C": ["c"]}


@pytest.mark.parametrize("lines_", [b"{", b"[1]\n", b'{"content": "%%"}\n'])
def test_what_holds_no_rows_is_refused(lines_: bytes) -> None:
    with pytest.raises(InvalidInput):
        QuarantinedRows().read(lines_).rows()

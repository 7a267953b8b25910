"""Any bytes at all, read as a delivered file: every line comes out once, as a naive reader says."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fakes.aside import lines_aside
from havre.adapters.sources import delimited, lines
from havre.adapters.sources.delimited import DelimitedFolder
from havre.domain.layout import Layout

HEADER = ("A", "B", "C")
LAYOUT = Layout(";", "utf-8")

# Bytes that mean something to a reader of tables come often; any other may come.
PIECES = st.sampled_from(
    [
        b";",
        b";;",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b"\x00",
        b"\xff",
        b"\xc3\xa9",
        b"\xef\xbb\xbf",
        b"1",
        b"ab",
        b" ",
        b"",
    ]
)
CONTENT = st.one_of(
    st.lists(PIECES, max_size=60).map(b"".join),
    st.binary(max_size=120),
    st.lists(st.sampled_from([b"1;2;3\n", b"x;y;z\r\n", b"1;2\n", b"1;2;3;4\n"]), max_size=30).map(
        b"".join
    ),
)


def naive(content: bytes) -> tuple[list[tuple[int, list[str]]], list[int]]:
    """Rows with their line's number, and the numbers of the lines that are none."""
    lines = content.split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    rows, aside = [], []
    for number, line in enumerate(lines, 2):
        whole = line.removesuffix(b"\r")
        try:
            text = whole.decode("utf-8")
        except UnicodeDecodeError:
            aside.append(number)
            continue
        cells = text.split(";")
        if len(cells) != len(HEADER) or any(mark in text for mark in ('"', "\x00", "\r")):
            aside.append(number)
        else:
            rows.append((number, cells))
    return rows, aside


def split(content: bytes, folder: Path) -> tuple[pa.Table, delimited.DelimitedRows]:
    (folder / "t.csv").write_bytes(";".join(HEADER).encode() + b"\n" + content)
    rows = DelimitedFolder(folder, aside=folder / "aside").split(
        "t.csv", layout=LAYOUT, header=HEADER, kept=HEADER, constants={}
    )
    return pa.table(rows), rows


SETTINGS = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


# A byte order mark at the head of the data, alone and before a cell: the CSV reader eats it.
@example(content=b"\xef\xbb\xbf\n1;2;3\n")
@example(content=b"\xef\xbb\xbf1;2;3\n")
@example(content=b"\xef\xbb\xbf\xef\xbb\xbf;;\n")
@SETTINGS
@given(content=CONTENT)
def test_every_line_comes_out_once(content: bytes, tmp_path: Path) -> None:
    table, rows = split(content, tmp_path)
    expected, aside = naive(content)

    got = list(
        zip(
            table["_line"].to_pylist(),
            zip(*(table[c].to_pylist() for c in HEADER), strict=True),
            strict=True,
        )
    )
    assert [(number, list(cells)) for number, cells in got] == expected
    assert [line["line"] for line in lines_aside(tmp_path, "t.csv")] == aside
    assert sum(rows.set_aside.values()) == len(aside)
    assert rows.lines == len(expected) + len(aside)


@SETTINGS
@given(content=CONTENT)
def test_what_is_set_aside_is_kept_byte_for_byte(content: bytes, tmp_path: Path) -> None:
    split(content, tmp_path)
    whole = (tmp_path / "t.csv").read_bytes()

    for line in lines_aside(tmp_path, "t.csv"):
        kept = whole[line["offset"] : line["offset"] + line["size_bytes"]]
        assert b"\n" not in kept
        before = whole[: line["offset"]].count(b"\n")
        assert before == line["line"] - 1


@example(content=b"1;2;3\n\xef\xbb\xbf1;2;3\n", size=8, most=1)
@settings(SETTINGS, max_examples=150)
@given(
    content=CONTENT,
    size=st.integers(min_value=8, max_value=64),
    most=st.integers(min_value=1, max_value=5),
)
def test_where_blocks_meet_changes_nothing(
    content: bytes, size: int, most: int, tmp_path: Path
) -> None:
    whole, _ = split(content, tmp_path)
    noted = lines_aside(tmp_path, "t.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BLOCK_BYTES", size)
        patch.setattr(lines, "_MOST_LINES", most)
        parts, rows = split(content, tmp_path)

    assert parts.equals(whole)
    assert lines_aside(tmp_path, "t.csv") == noted
    expected, aside = naive(content)
    assert rows.lines == len(expected) + len(aside)

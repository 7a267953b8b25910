"""Any bytes at all, read as text of fixed width: every line comes out once, as a naive reader says."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.aside import lines_aside
from havre.adapters.sources import delimited
from havre.adapters.sources.folder import HolderFolder
from havre.domain.layout import FixedColumn, Layout, LayoutKind

COLUMNS = (FixedColumn("A", 1, 2), FixedColumn("B", 4, 1), FixedColumn("C", 5, 3))
HEADER = tuple(each.name for each in COLUMNS)
PIECES = st.sampled_from(
    [b"ab c123\n", b" 1 \xc3\xa9  3\r\n", b" 1 \xe9  3\n", b'"', b" ", b"\n", b"\r", b"\x00", b"x"]
)
CONTENT = st.one_of(st.lists(PIECES, max_size=60).map(b"".join), st.binary(max_size=120))


def naive(content: bytes, encoding: str) -> tuple[list[list[object]], list[int]]:
    if encoding == "utf-8":
        content = content.removeprefix(b"\xef\xbb\xbf")
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    rows: list[list[object]] = []
    aside = []
    for number, line in enumerate(lines, 1):
        try:
            text = line.removesuffix(b"\r").decode(encoding)
        except UnicodeDecodeError:
            aside.append(number)
            continue
        if len(text) != 7 or "\r" in text or "\x00" in text:
            aside.append(number)
        else:
            rows.append([number, *(text[a:b].strip(" ") for a, b in ((0, 2), (3, 4), (4, 7)))])
    return rows, aside


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=CONTENT,
    encoding=st.sampled_from(["utf-8", "windows-1252"]),
    block=st.integers(min_value=4, max_value=100),
)
def test_every_line_comes_out_once(
    content: bytes, encoding: str, block: int, tmp_path: Path
) -> None:
    (tmp_path / "t.txt").write_bytes(content)
    layout = Layout(kind=LayoutKind.FIXED_WIDTH, encoding=encoding, columns=COLUMNS)
    source = HolderFolder(tmp_path, aside=tmp_path / "aside")
    rows = source.split("t.txt", layout=layout, header=HEADER, kept=HEADER, constants={})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BLOCK_BYTES", block)
        table = pa.table(rows)
    expected, aside = naive(content, encoding)

    assert [list(row.values()) for row in table.to_pylist()] == expected
    assert [line["line"] for line in lines_aside(tmp_path, "t.txt")] == aside
    assert sum(rows.set_aside.values()) == len(aside)
    assert rows.lines == len(expected) + len(aside)
    assert source.header("t.txt", layout=layout) == (HEADER if content else ())
    for line in lines_aside(tmp_path, "t.txt"):
        kept = content[line["offset"] : line["offset"] + line["size_bytes"]]
        assert content[: line["offset"]].count(b"\n") == line["line"] - 1
        assert b"\n" not in kept

"""Text in any encoding, packed or not: every line comes out once, as a naive reader says."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.aside import lines_aside
from havre.adapters.sources import delimited, unpacked
from havre.adapters.sources.delimited import DelimitedFolder
from havre.adapters.sources.encodings import encoding_of
from havre.domain.delivery import FileUnreadable
from havre.domain.layout import ENCODINGS, Layout, Packing
from havre.ports.sources import SplitRows

HEADER = ("A", "B", "C")
NAMES = sorted(set(ENCODINGS.values()) - {"utf-8"})
ENDINGS = {Packing.NONE: "", Packing.GZIP: ".gz", Packing.ZSTD: ".zst"}
PIECES = st.sampled_from(
    [b";", b";;", b"\n", b"\r\n", b"\r", b'"', b"\x00", b"\x81", b"\x8d", b"\xe9", b"\x80", b"1"]
)
CONTENT = st.one_of(
    st.lists(PIECES, max_size=60).map(b"".join),
    st.lists(st.sampled_from([b"1;\xe9;3\n", b"x;\x8d;z\r\n", b"1;2\n"]), max_size=30).map(
        b"".join
    ),
    st.binary(max_size=120),
)
SETTINGS = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def naive(content: bytes, encoding: str) -> tuple[list[tuple[int, list[str]]], list[int]]:
    """Rows with their line's number, and the numbers of the lines that are none."""
    lines = content.split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    rows, aside = [], []
    for number, line in enumerate(lines, 2):
        try:
            text = line.removesuffix(b"\r").decode(encoding)
        except UnicodeDecodeError:
            aside.append(number)
            continue
        cells = text.split(";")
        controls = any("\x80" <= each <= "\x9f" for each in text) and encoding != "utf-8"
        if len(cells) != len(HEADER) or controls or any(mark in text for mark in '"\x00\r'):
            aside.append(number)
        else:
            rows.append((number, cells))
    return rows, aside


def packed(content: bytes, packing: Packing) -> bytes:
    if packing is Packing.GZIP:
        return gzip.compress(content)
    if packing is Packing.ZSTD:
        done: bytes = pa.compress(content, codec="zstd", asbytes=True)
        return done
    return content


def split(
    content: bytes, folder: Path, *, encoding: str = "utf-8", packing: Packing = Packing.NONE
) -> tuple[pa.Table, SplitRows]:
    path, layout = f"t.csv{ENDINGS[packing]}", Layout(encoding=encoding)
    (folder / path).write_bytes(packed(";".join(HEADER).encode() + b"\n" + content, packing))
    source = DelimitedFolder(folder, aside=folder / "aside")
    assert source.header(path, layout=layout) == HEADER
    rows = source.split(path, layout=layout, header=HEADER, kept=HEADER, constants={})
    table = pa.table(rows)
    source.keep_aside(path, layout=layout)
    return table, rows


@SETTINGS
@given(
    content=CONTENT,
    encoding=st.sampled_from([*NAMES, "utf-8"]),
    packing=st.sampled_from(Packing),
    block=st.integers(min_value=8, max_value=200),
)
def test_every_line_comes_out_once_and_what_is_set_aside_is_kept(
    content: bytes,
    encoding: str,
    packing: Packing,
    block: int,
    tmp_path: Path,
) -> None:
    blocks = pytest.MonkeyPatch()
    with blocks.context() as patch:
        patch.setattr(delimited, "_BLOCK_BYTES", block)
        table, rows = split(content, tmp_path, encoding=encoding, packing=packing)
    expected, aside = naive(content, encoding)

    got = [list(row.values()) for row in table.to_pylist()]
    assert got == [[number, *cells] for number, cells in expected]
    assert [line["line"] for line in lines_aside(tmp_path, f"t.csv{ENDINGS[packing]}")] == aside
    assert sum(rows.set_aside.values()) == len(aside)
    if aside:
        kept = tmp_path / ".draft-aside" / f"t.csv{ENDINGS[packing]}.lines"
        lines = [content.split(b"\n")[number - 2].removesuffix(b"\r") for number in aside]
        assert kept.read_bytes() == b"".join(line + b"\n" for line in lines)


@pytest.mark.parametrize("packing", [Packing.GZIP, Packing.ZSTD])
def test_a_stream_that_is_cut_anywhere_holds_the_delivery(packing: Packing, tmp_path: Path) -> None:
    body = packed(b"A;B;C\n" + b"".join(b"%d;2;3\n" % n for n in range(500)), packing)
    source = DelimitedFolder(tmp_path, aside=tmp_path / "aside")
    name = f"t.csv{ENDINGS[packing]}"
    layout = Layout()

    for size in range(1, len(body), 7):
        (tmp_path / name).write_bytes(body[:size])
        rows = source.split(name, layout=layout, header=HEADER, kept=HEADER, constants={})
        with pytest.raises(FileUnreadable):
            list(rows._batches())


def test_what_unpacks_to_far_more_than_its_size_holds_the_delivery_unless_it_was_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacked, "_FREE_BYTES", 1000)
    body = b"A;B;C\n" + b";;\n" * 1_000_000
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(body))
    source = DelimitedFolder(tmp_path, aside=tmp_path / "aside")

    def rows(announced: int | None) -> int:
        layout = Layout(unpacked_bytes=announced)
        split = source.split("t.csv.gz", layout=layout, header=HEADER, kept=HEADER, constants={})
        return sum(len(batch) for batch in split._batches())

    with pytest.raises(FileUnreadable, match="more than 200 times its size"):
        rows(None)
    for wrong in (len(body) - 1, len(body) + 1):
        with pytest.raises(FileUnreadable, match="bytes that were announced"):
            rows(wrong)
    assert rows(len(body)) == 1_000_000


def test_bytes_that_are_no_text_in_an_encoding_are_those_that_python_does_not_know() -> None:
    for name in NAMES:
        undefined = encoding_of(name).undefined
        for byte in range(128):
            assert bytes([byte]).decode(name) == chr(byte)
        for byte in range(256):
            text = bytes([byte]).decode(name, "ignore")
            assert bool(undefined[byte]) == (not text or "\x80" <= text <= "\x9f")

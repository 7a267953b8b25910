"""Parquet and SAS7BDAT become text that says what was there: against Python's own words for it."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.sas_file import Missing, SasColumn, write_sas
from havre.adapters.sources import parquet
from havre.adapters.sources.folder import HolderFolder
from havre.adapters.sources.typed import as_text, text_fault
from havre.domain.delivery import FileUnreadable
from havre.domain.headers import HeaderDiffers
from havre.domain.layout import UNIT_SEPARATOR, Layout, LayoutKind
from havre.errors import Held
from havre.streams import refusals_heard

PARQUET = Layout(UNIT_SEPARATOR, kind=LayoutKind.PARQUET)
SAS = Layout(UNIT_SEPARATOR, "", kind=LayoutKind.SAS7BDAT)
SETTINGS = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
DATES = st.dates(dt.date(1582, 10, 15), dt.date(9999, 12, 31))
MOMENTS = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))  # noqa: DTZ001 - as in a table


def read(folder: Path, name: str, layout: Layout, **asked: Any) -> tuple[list[Any], Any]:
    """The rows of a file, without their numbers, and what was said of it."""
    source = HolderFolder(folder, aside=folder / "aside")
    header = source.header(name, layout=layout)
    kept = asked.pop("kept", header)
    rows = source.split(
        name, layout=layout, header=header, kept=kept, constants=asked.pop("constants", {}), **asked
    )
    with refusals_heard():
        table = pa.table(rows)
    assert table["_line"].to_pylist() == list(range(1, table.num_rows + 1))
    assert rows.lines == table.num_rows
    assert not rows.set_aside
    return table.drop_columns("_line").to_pylist(), rows


@SETTINGS
@given(values=st.lists(st.none() | st.floats() | st.integers(-(10**6), 10**6).map(float)))
def test_a_float_is_read_back_as_itself_and_written_without_exponent(
    values: list[float | None],
) -> None:
    for kind, back in ((pa.float64(), float), (pa.float32(), lambda text: text)):
        column = pa.array(values, kind)
        for value, text in zip(column.to_pylist(), as_text(column).to_pylist(), strict=True):
            assert (text is None) == (value is None)
            if text is not None and back is float:
                assert float(text) == value or value != value  # noqa: PLR0124 - NaN
            assert "e" not in (text or "")


@SETTINGS
@given(values=st.lists(st.none() | st.decimals(places=4, min_value=-(10**12), max_value=10**12)))
def test_a_decimal_keeps_its_digits(values: list[Decimal | None]) -> None:
    texts = as_text(pa.array(values, pa.decimal128(30, 4))).to_pylist()

    assert (
        texts == [None if each is None else format(each, "f") for each in values]
        or [None if text is None else Decimal(text) for text in texts] == values
    )


@SETTINGS
@given(
    dates=st.lists(st.none() | DATES, max_size=20),
    moments=st.lists(st.none() | MOMENTS, max_size=20),
)
def test_a_date_is_written_in_its_columns_form_and_a_moment_loses_nothing(
    dates: list[dt.date | None], moments: list[dt.datetime | None]
) -> None:
    spelled = as_text(pa.array(dates, pa.date32()), form="%d/%m/%Y").to_pylist()
    assert spelled == [each and each.strftime("%d/%m/%Y") for each in dates]

    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", ""):
        texts = as_text(pa.array(moments, pa.timestamp("us")), form=form).to_pylist()
        assert [text and dt.datetime.fromisoformat(text) for text in texts] == moments


@pytest.mark.parametrize("rows", [0, 1, 1001, 150_000])
def test_parquet_comes_out_row_group_by_row_group(rows: int, tmp_path: Path) -> None:
    table = pa.table(
        {
            "A": pa.array([f"P{n % 50}" for n in range(rows)]).dictionary_encode(),
            "B": pa.array([None if n % 3 == 0 else n for n in range(rows)], pa.int32()),
            "C": pa.array([dt.date(2020, 1, 1)] * rows, pa.date32()),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=20_000)

    got, said = read(
        tmp_path, "t.parquet", PARQUET, kept=("C", "B"), constants={"Y": "2020"},
        date_forms={"C": "%d%m%Y"},
    )  # fmt: skip

    assert got == [
        {"C": "01012020", "B": None if n % 3 == 0 else str(n), "Y": "2020"} for n in range(rows)
    ]
    assert said.notes == (() if rows else ("no row",))


def test_a_column_without_an_exact_text_holds_the_delivery_and_is_named(tmp_path: Path) -> None:
    moment = pa.array([dt.datetime.now(dt.UTC)])
    table = pa.table(
        {"L": [[1]], "T": moment, "BYTES": [b"x"], "GOOD": ["x"], "PERSON0000012345": [[1]]}
    )
    pq.write_table(table, tmp_path / "t.parquet")

    with pytest.raises(HeaderDiffers) as refusal:
        read(tmp_path, "t.parquet", PARQUET)

    assert len(refusal.value.faults) == 4
    assert all(name in str(refusal.value) for name in ("column L", "column T", "column BYTES"))
    assert "PERSON" not in str(refusal.value)


def test_every_type_of_arrow_has_a_text_or_a_fault() -> None:
    for kind in (pa.binary(), pa.duration("s"), pa.struct([]), pa.decimal256(50, 2), pa.float16()):
        assert text_fault(kind)
    for kind in (pa.time32("s"), pa.bool_(), pa.null(), pa.uint64(), pa.date64()):
        assert not text_fault(kind)
        assert as_text(pa.nulls(3, kind)).to_pylist() == [None] * 3


def test_text_of_parquet_that_is_no_utf8_holds_the_delivery(tmp_path: Path) -> None:
    column = pa.StringArray.from_buffers(
        1, pa.py_buffer(bytes(4) + (4).to_bytes(4, "little")), pa.py_buffer(b"caf\xe9")
    )
    pq.write_table(pa.table({"A": column}), tmp_path / "t.parquet")

    with pytest.raises(FileUnreadable, match="no UTF-8"):
        read(tmp_path, "t.parquet", PARQUET)


SAS_COLUMNS = [
    SasColumn("ID", 12),
    SasColumn("DAY", 0, "DATE9."),
    SasColumn("AT", 0, "DATETIME20."),
    SasColumn("MONTH", 0, "YYMMN6."),
    SasColumn("HOUR", 0, "TIME8."),
    SasColumn("N"),
]
SAS_ROWS = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=3).map(
            lambda text: text.rstrip(" ")
        ),
        DATES,
        MOMENTS.map(lambda at: at.replace(microsecond=0)),
        DATES,
        st.integers(0, 86_399),
        st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9).map(float),
    ),
    min_size=1,
    max_size=30,
)


def sas_day(day: dt.date) -> float:
    """Days since 1960 as SAS counts them, who has no 29 February in the years 4000 and 8000."""
    skipped = (day >= dt.date(4000, 3, 1)) + (day >= dt.date(8000, 3, 1))
    return float((day - dt.date(1960, 1, 1)).days - skipped)


@pytest.mark.parametrize("packed", [False, True])
@SETTINGS
@given(rows=SAS_ROWS)
def test_sas_comes_out_by_its_formats(packed: bool, rows: list[Any], tmp_path: Path) -> None:
    seconds = [(at - dt.datetime(1960, 1, 1)).total_seconds() for _, _, at, *_ in rows]  # noqa: DTZ001
    write_sas(
        tmp_path / "t.sas7bdat",
        SAS_COLUMNS,
        [
            (text, sas_day(day), at, sas_day(month), float(hour), number)
            for (text, day, _, month, hour, number), at in zip(rows, seconds, strict=True)
        ],
        count=len(rows),
        packed=packed,
    )

    got, _ = read(tmp_path, "t.sas7bdat", SAS, date_forms={"DAY": "%d/%m/%Y"})

    for row, (text, day, at, month, hour, number) in zip(got, rows, strict=True):
        assert row["ID"] == text
        assert row["DAY"] == day.strftime("%d/%m/%Y")
        assert row["AT"] == at.isoformat()
        assert row["MONTH"] == month.strftime("%Y%m")
        assert row["HOUR"] == str(dt.timedelta(seconds=hour)).rjust(8, "0")
        assert float(row["N"]) == number


def test_missing_values_of_sas_are_empty_and_those_with_a_letter_are_counted(
    tmp_path: Path,
) -> None:
    rows = [("a", 1.0), ("", Missing()), ("b", Missing("A")), ("c", Missing("Z"))]
    write_sas(tmp_path / "t.sas7bdat", [SasColumn("ID", 1), SasColumn("N")], rows, count=4)

    got, said = read(tmp_path, "t.sas7bdat", SAS)

    assert [tuple(row.values()) for row in got] == [
        ("a", "1"),
        ("", None),
        ("b", None),
        ("c", None),
    ]
    assert said.notes == ("2 cells of N are missing by a letter of SAS, and empty here",)


def test_sas_text_is_read_as_announced_and_what_is_no_text_holds_the_delivery(
    tmp_path: Path,
) -> None:
    write_sas(tmp_path / "t.sas7bdat", [SasColumn("ID", 5)], [(b"caf\xe9",)], count=1)

    with pytest.raises(FileUnreadable, match="not utf-8"):
        read(tmp_path, "t.sas7bdat", SAS)
    got, _ = read(
        tmp_path, "t.sas7bdat", Layout(UNIT_SEPARATOR, "windows-1252", LayoutKind.SAS7BDAT)
    )
    assert got == [{"ID": "café"}]


def test_another_reader_finds_the_same_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.sas7bdat"
    rows = [(f"é{n}", float(n), n / 7) for n in range(500)]
    columns = [SasColumn("ID", 8), SasColumn("DAY", 0, "DATE"), SasColumn("N")]
    write_sas(path, columns, rows, count=len(rows))

    got, _ = read(tmp_path, path.name, SAS)
    theirs, _ = pyreadstat.read_sas7bdat(path, output_format="dict")

    assert [row["ID"] for row in got] == list(theirs["ID"])
    assert [row["DAY"] for row in got] == [str(day) for day in theirs["DAY"]]
    assert [float(row["N"]) for row in got] == list(theirs["N"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    rows = [(f"é{n}", float(n), n / 7) for n in range(200)]
    columns = [SasColumn("ID", 8), SasColumn("DAY", 0, "DATE9."), SasColumn("N")]
    write_sas(folder / "t.sas7bdat", columns, rows, count=len(rows), packed=True)
    frame = pd.DataFrame(rows, columns=["ID", "DAY", "N"])
    frame.to_parquet(folder / "t.parquet", row_group_size=64)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("name", "layout"), [("t.parquet", PARQUET), ("t.sas7bdat", SAS)])
@settings(SETTINGS, max_examples=150)
@given(draw=st.data())
def test_a_damaged_file_holds_the_delivery_or_gives_as_many_rows(
    name: str, layout: Layout, whole: dict[str, bytes], draw: st.DataObject, tmp_path: Path
) -> None:
    body = bytearray(whole[name])
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, len(body) - 1))
        body[at] = draw.draw(st.integers(0, 255))
    if draw.draw(st.booleans()):
        del body[draw.draw(st.integers(0, len(body))) :]
    (tmp_path / name).write_bytes(body)

    with suppress(Held):
        read(tmp_path, name, layout)


@SETTINGS
@given(counts=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=20))
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_moment_of_any_year_at_all_has_a_text(counts: list[int | None], unit: str) -> None:
    """What spells dates ended the command over a year of six digits."""
    days = [None if each is None else each % 2**32 - 2**31 for each in counts]

    moments = as_text(pa.array(counts, pa.timestamp(unit)))
    dates = as_text(pa.array(days, pa.date32()), form="%Y%m%d")

    assert [each is None for each in moments.to_pylist()] == [each is None for each in counts]
    assert [each is None for each in dates.to_pylist()] == [each is None for each in days]


def test_long_rows_of_parquet_come_fewer_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packed file of 60 KB with 400 texts of 4 MiB took five gigabytes at its holder."""
    monkeypatch.setattr(parquet, "_BATCH_BYTES", 2**16)
    texts = pa.array(["x" * 4096] * 100)
    pq.write_table(pa.table({"A": texts}), tmp_path / "a.parquet", use_dictionary=False)
    source = HolderFolder(tmp_path, aside=tmp_path / "aside")

    rows = source.split("a.parquet", layout=PARQUET, header=("A",), kept=("A",), constants={})
    sizes = [batch.num_rows for batch in pa.RecordBatchReader.from_stream(rows)]

    assert sum(sizes) == 100
    assert max(sizes) <= 2**16 // 4096


def test_a_parquet_file_whose_columns_have_names_that_are_no_text_is_held(tmp_path: Path) -> None:
    """It ended the command: a name in another encoding than UTF-8."""
    pq.write_table(pa.table({"NAME": ["a"]}), tmp_path / "a.parquet", store_schema=False)
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content.replace(b"NAME", b"N\xe9ME"))

    with pytest.raises(FileUnreadable, match="no whole Parquet"):
        HolderFolder(tmp_path, aside=tmp_path / "aside").header("a.parquet", layout=PARQUET)

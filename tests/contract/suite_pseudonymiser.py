"""What every pseudonymiser promises (`ports.pseudonymiser`).

An adapter's test imports `*` from here and gives a fixture `pseudonymiser`.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from havre.crypto.pseudonym_labels import PROJECT, STAGE_1_NIR, STAGE_2, foreign_label
from havre.crypto.pseudonym_labels import technical_label as key_label
from havre.errors import InvalidInput
from havre.ports.pseudonymiser import Form, HashedColumn, Pseudonymiser, Reading

VECTORS: list[dict[str, str]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "pseudonyms.json").read_text("utf-8")
)
SECRET = bytes(range(32))


def label_of(vector: dict[str, str]) -> tuple[str, Reading]:
    match vector["stage"]:
        case "nir":
            return STAGE_1_NIR, Reading.NIR
        case "foreign":
            return foreign_label(vector["realm"]), Reading.FOREIGN
        case "key":
            return key_label(vector["key"]), Reading.KEY
        case "lake":
            return STAGE_2, Reading.PSEUDONYM
    return PROJECT, Reading.PSEUDONYM


def person(**changes: Any) -> HashedColumn:
    declared: dict[str, Any] = {
        "column": "who",
        "label": foreign_label("nir-psa"),
        "reading": Reading.FOREIGN,
        "form": Form.TEXT,
    }
    return HashedColumn(**(declared | changes))


def hashed(
    pseudonymiser: Pseudonymiser, table: pa.Table, *columns: HashedColumn
) -> tuple[pa.Table, dict[str, int]]:
    plain = set(table.column_names) - {column.column for column in columns}
    rows = pseudonymiser.hash_columns(table, columns=columns, plain=plain, secret=SECRET)
    return pa.table(rows), dict(rows.malformed)


@pytest.mark.parametrize("vector", VECTORS)
def test_columns_agree_with_the_vectors(
    pseudonymiser: Pseudonymiser, vector: dict[str, str]
) -> None:
    label, reading = label_of(vector)
    beside = {"birth": "born", "sex": "sex"} if reading is Reading.NIR else {}
    table = pa.table(
        {
            "who": [vector.get("nir") or vector["value"]],
            "born": [vector.get("birth")],
            "sex": [vector.get("sex")],
        }
    )

    rows = pseudonymiser.hash_columns(
        table,
        columns=[person(label=label, reading=reading, **beside)],
        plain={"born", "sex"},
        secret=bytes.fromhex(vector["secret"]),
    )

    assert pa.table(rows)["who"].to_pylist() == [vector["pseudonym"]]


def test_rows_keep_their_order_and_plain_columns_their_cells(pseudonymiser: Pseudonymiser) -> None:
    table = pa.table({"n": [1, 2, 3, 4], "who": ["b", "a", None, "b"], "x": ["p", None, "q", "r"]})

    result, _ = hashed(pseudonymiser, table, person())

    names = result["who"].to_pylist()
    assert result.drop_columns("who").equals(table.drop_columns("who"))
    assert names[0] == names[3] != names[1]
    assert names[2] is None


def test_nobody_becomes_empty_and_is_no_fault(pseudonymiser: Pseudonymiser) -> None:
    spellings = ["X" * 17, "x" * 16 + "D", "0", "  ", "", "Inconnu"]

    result, malformed = hashed(
        pseudonymiser, pa.table({"who": [*spellings, "a"]}), person(sentinels=("INCONNU",))
    )

    assert result["who"].null_count == len(spellings)
    assert malformed == {"who": 0}


def test_a_misspelled_number_becomes_empty_and_is_counted(pseudonymiser: Pseudonymiser) -> None:
    table = pa.table({"who": ["ABC", " ABC ", "ABCD", "AB1", "ABCD", None]})

    result, malformed = hashed(pseudonymiser, table, person(length=3, pattern="[A-Z]+"))

    assert [cell is None for cell in result["who"].to_pylist()] == [False, False, *[True] * 4]
    assert result["who"][0] == result["who"][1]
    assert malformed == {"who": 3}


def test_a_nir_with_a_fault_becomes_empty_and_is_counted(pseudonymiser: Pseudonymiser) -> None:
    nir = "206127511100564"
    table = pa.table(
        {
            "who": [nir, "2 06 12 75 111 005 64", "206127511100565", nir, nir, None, "0", "x"],
            "born": ["20061201"] * 3 + ["2006121", None] + ["20061201"] * 3,
            "sex": ["2"] * 8,
        }
    )
    column = person(label=STAGE_1_NIR, reading=Reading.NIR, birth="born", sex="sex")

    result, malformed = hashed(pseudonymiser, table, column)

    assert [cell is None for cell in result["who"].to_pylist()] == [False, False, *[True] * 6]
    assert result["who"][0] == result["who"][1]
    assert malformed == {"who": 4}


def test_lake_pseudonyms_are_sixteen_fixed_bytes(pseudonymiser: Pseudonymiser) -> None:
    column = person(label=STAGE_2, reading=Reading.PSEUDONYM, form=Form.BYTES)

    result, _ = hashed(pseudonymiser, pa.table({"who": ["0" * 32, None]}), column)

    assert result.schema.field("who").type == pa.binary(16)
    assert result["who"].null_count == 1


def test_bytes_and_their_hexadecimal_are_one_pseudonym(pseudonymiser: Pseudonymiser) -> None:
    column = person(label=PROJECT, reading=Reading.PSEUDONYM)
    for kind in (pa.binary(16), pa.binary(), pa.large_binary()):
        as_bytes = pa.table({"who": pa.array([b"\xab" * 16, None], kind)})
        as_text = pa.table({"who": ["ab" * 16, None]})

        assert hashed(pseudonymiser, as_bytes, column) == hashed(pseudonymiser, as_text, column)


@pytest.mark.parametrize("cell", ["", "0" * 31, "A" * 32, "X" * 17])
def test_what_no_earlier_stage_made_fails_the_table(
    pseudonymiser: Pseudonymiser, cell: str
) -> None:
    column = person(label=STAGE_2, reading=Reading.PSEUDONYM)

    with pytest.raises((InvalidInput, pa.ArrowException), match="stage before"):
        hashed(pseudonymiser, pa.table({"who": ["0" * 32, cell]}), column)


def test_keys_of_any_type_are_hashed_by_their_text(pseudonymiser: Pseudonymiser) -> None:
    column = person(label=key_label("k"), reading=Reading.KEY)
    for cell in (date(2023, 2, 1), -12, 7):
        typed, _ = hashed(pseudonymiser, pa.table({"who": [cell, None]}), column)
        text, _ = hashed(pseudonymiser, pa.table({"who": [str(cell), None]}), column)

        assert typed.equals(text)


def test_a_column_that_nobody_named_is_refused(pseudonymiser: Pseudonymiser) -> None:
    with pytest.raises(InvalidInput):
        pseudonymiser.hash_columns(
            pa.table({"who": ["a"], "other": ["b"]}), columns=[person()], plain=set(), secret=SECRET
        )


def test_a_table_without_rows_keeps_its_columns(pseudonymiser: Pseudonymiser) -> None:
    table = pa.table({"who": pa.array([], pa.string()), "n": pa.array([], pa.int64())})

    result, _ = hashed(pseudonymiser, table, person(form=Form.BYTES))

    assert result.column_names == ["who", "n"]
    assert result.num_rows == 0


def test_two_secrets_share_no_order_of_rows(pseudonymiser: Pseudonymiser) -> None:
    table = pa.table({"n": range(500), "day": [date(2021, 1, 1 + n % 28) for n in range(500)]})
    backwards = table.take(list(reversed(range(500))))

    one = pa.table(pseudonymiser.shuffle_rows(table, secret=SECRET))["n"].to_pylist()
    again = pa.table(pseudonymiser.shuffle_rows(backwards, secret=SECRET))["n"].to_pylist()
    other = pa.table(pseudonymiser.shuffle_rows(table, secret=bytes(32)))["n"].to_pylist()

    assert one == again
    assert sorted(one) == sorted(other) == list(range(500))
    # Of 500 rows about one keeps its place by chance; ten would be no chance.
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 10
    assert sum(a == b for a, b in zip(one, range(500), strict=True)) < 10


def test_the_order_of_rows_never_changes(pseudonymiser: Pseudonymiser) -> None:
    table = pa.table(
        {
            "n": [1, 2, 3, 4],
            "t": ["a", None, "é", ""],
            "b": pa.array([b"x" * 16] * 4, pa.binary(16)),
        }
    )

    shuffled = pa.table(pseudonymiser.shuffle_rows(table, secret=SECRET))

    assert shuffled["n"].to_pylist() == [1, 3, 4, 2]


def test_a_shuffle_of_nothing_is_nothing(pseudonymiser: Pseudonymiser) -> None:
    empty = pa.table({"n": pa.array([], pa.int64())})

    assert pa.table(pseudonymiser.shuffle_rows(empty, secret=SECRET)).num_rows == 0

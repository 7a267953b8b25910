"""Any lines at all, read as FHIR resources: every one comes out once, as a naive reader says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.aside import lines_aside
from havre.adapters.sources import delimited, fhir
from havre.adapters.sources.folder import HolderFolder
from havre.domain.delivery import FileUnreadable
from havre.domain.layout import UNIT_SEPARATOR, Layout, LayoutKind
from havre.models.fhir_places import RESOURCES, Place, Take

TABLES = sorted(RESOURCES)
SECRET = "Jean Dupont"
NOWHERE = object()
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(st.characters(codec="utf-8"), max_size=4)
    | st.sampled_from(["2024-05-06", "2024-05", "2024-05-06T01:02:03Z", "Patient/p1", "{", "[1"])
    | st.sampled_from(
        ["https://h/Patient/p1/_history/2", "Group/1", "Encounter/e", "#here", "id-1"]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=3,
)
JUNK = st.sampled_from(
    [b"", b"{", b"[]", b"null", b'{"a":"\xff"}', b"\x00", b'"x"', b"{}\r", b"\r{}"]
)


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Put a value where a path says, over what is there."""
    *way, last = re.findall(r"\w+|\[0\]", path)
    at: Any = body
    for step, following in zip(way, [*way, last][1:], strict=True):
        empty: Any = [] if following == "[0]" else {}
        if step == "[0]":
            at[:] = at[:1] or [empty]
            at = at[0]
        else:
            kept = at.get(step)
            at[step] = kept if isinstance(kept, type(empty)) and kept else empty
            at = at[step]
    if last == "[0]":
        at[:] = [value]
    else:
        at[last] = value


def get(body: Any, path: str) -> Any:
    """What stands where a path says."""
    for step in re.findall(r"\w+|\[0\]", path):
        if step == "[0]":
            body = body[0] if isinstance(body, list) and body else NOWHERE
        else:
            body = body.get(step, NOWHERE) if isinstance(body, dict) else NOWHERE
    return None if body is NOWHERE else body


@st.composite
def resources(draw: st.DrawFn, table: str) -> bytes:
    """A resource that fits, and a few changes of it that may not."""
    body: dict[str, Any] = {
        "resourceType": RESOURCES[table].resource,
        "id": "r1",
        "text": {"div": SECRET},
        "subject": {"reference": "Patient/p1", "display": SECRET},
    }
    places = list(RESOURCES[table].columns.values())
    for place in draw(st.lists(st.sampled_from(places), max_size=4)):
        value = draw(VALUES)
        if place.take is Take.CODINGS:
            keys = st.sampled_from(["system", "code"])
            value = draw(st.lists(st.dictionaries(keys, st.text("ab", max_size=2)), max_size=2))
            value = [{**each, "display": SECRET} for each in value]
        put(body, draw(st.sampled_from(place.paths)), value)
    if draw(st.integers(0, 9)) == 0:
        body[draw(st.sampled_from(["resourceType", "id", "subject"]))] = draw(VALUES)
    return json.dumps(body, ensure_ascii=draw(st.booleans())).encode()


def spelled(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def plain(rows: list[dict[str, Any]]) -> list[list[Any]]:
    """Rows as lists, their JSON spelled as Python spells it."""
    return [
        [
            json.dumps(json.loads(cell)) if name.endswith("codings") and cell else cell
            for name, cell in row.items()
        ]
        for row in rows
    ]


def as_cell(value: Any, place: Place, path: str) -> str | None:
    if value is None:
        return None
    if place.take is Take.CODINGS:
        listed = [
            {key: spelled(each.get(key)) for key in ("system", "code")} if each else None
            for each in (value if isinstance(value, list) else [])
        ]
        return json.dumps(listed) if isinstance(value, list) else None
    text = str(spelled(value))
    if place.take is Take.DAY:
        return text[:10] if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?", text) else None
    if place.take is Take.TEXT:
        return text
    one = "[A-Za-z0-9.-]{1,64}"
    if path == "id":
        return text if re.fullmatch(one, text) else None
    kind = place.kind or "[A-Za-z]+"
    found = re.fullmatch(f"(?:.*/)?{kind}/({one})(?:/_history/{one})?", text)
    return found[1] if found else None


def naive_row(body: Any, table: str) -> list[object]:
    resource = RESOURCES[table]
    subject = Place(("subject.reference",), Take.ID, "Patient")
    if not isinstance(body, dict) or body.get("resourceType") != resource.resource:
        raise ValueError
    row: list[object] = []
    for place in resource.columns.values():
        found = [(get(body, path), path) for path in place.paths]
        if place.take is not Take.CODINGS and any(
            isinstance(value, list | dict) for value, _ in found
        ):
            raise ValueError
        cells = (as_cell(value, place, path) for value, path in found)
        row.append(next((cell for cell in cells if cell is not None), None))
    if row[0] is None or (
        resource.resource != "Patient"
        and as_cell(get(body, subject.paths[0]), subject, "subject.reference") is None
    ):
        raise ValueError
    return row


def naive_line(line: bytes, table: str) -> tuple[list[list[object]], int]:
    """The rows of a line, and how many resources of another kind a bundle has besides."""
    text = line.removesuffix(b"\r")
    if b"\r" in text or b"\x00" in text:
        raise ValueError
    body = json.loads(text.decode())
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
        return [naive_row(body, table)], 0
    entries = body.get("entry", [])
    if not isinstance(entries, list):
        raise ValueError  # noqa: TRY004 - the one refusal of this reader
    held = [each["resource"] if isinstance(each, dict) and each else None for each in entries]
    kinds = [each["resourceType"] if isinstance(each, dict) and each else None for each in held]
    if any(kind is None or kind == "Bundle" for kind in kinds):
        raise ValueError
    mine = [each for each, kind in zip(held, kinds, strict=True) if kind == body_kind(table)]
    return [naive_row(each, table) for each in mine], len(held) - len(mine)


def body_kind(table: str) -> str:
    return RESOURCES[table].resource


def naive(content: bytes, table: str) -> tuple[list[list[object]], list[int], int]:
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    rows: list[list[object]] = []
    aside: list[int] = []
    others, number = 0, 0
    for line in lines:
        try:
            found, left = naive_line(line, table)
        except (ValueError, KeyError):
            number += 1
            aside.append(number)
            continue
        rows += [[number + at, *row] for at, row in enumerate(found, 1)]
        number += len(found)
        others += left
    return rows, aside, others


@st.composite
def bundles(draw: st.DrawFn, table: str) -> bytes:
    """A bundle of resources that fit and of others, now and then a broken one."""
    kinds = st.sampled_from([b'{"resourceType":"Location","id":"x"}', b'{"resourceType": "Group"}'])
    entry = resources(table).map(lambda body: b'{"resource":' + body + b"}")
    entry |= kinds.map(lambda body: b'{"fullUrl":"x","resource":' + body + b"}")
    entries = draw(st.lists(entry, max_size=4))
    if draw(st.integers(0, 5)) == 0:
        broken = [b"{}", b"null", b'{"resource":null}', b'{"resource":{"resourceType":"Bundle"}}']
        entries.insert(draw(st.integers(0, len(entries))), draw(st.sampled_from(broken)))
    listed = b"[" + b",".join(entries) + b"]"
    whole = b'{"resourceType":"Bundle","type":"collection","entry":' + listed + b"}"
    odd = [b'{"resourceType":"Bundle"}', b'{"resourceType":"Bundle","entry":{}}', whole[:-2]]
    return draw(st.just(whole) | st.just(whole) | st.sampled_from(odd))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(draw=st.data())
def test_every_resource_comes_out_once(draw: st.DataObject, tmp_path: Path) -> None:
    table = draw.draw(st.sampled_from(TABLES))
    lines = draw.draw(st.lists(resources(table) | bundles(table) | JUNK, max_size=8))
    content = b"\n".join(lines) + draw.draw(st.sampled_from([b"", b"\n"]))
    (tmp_path / "t.ndjson").write_bytes(content)
    layout = Layout(UNIT_SEPARATOR, kind=LayoutKind.FHIR_NDJSON, table=table)
    source = HolderFolder(tmp_path, aside=tmp_path / "aside")
    header = tuple(RESOURCES[table].columns)
    rows = source.split("t.ndjson", layout=layout, header=header, kept=header, constants={})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BLOCK_BYTES", draw.draw(st.integers(16, 4000)))
        got = pa.table(rows)
    expected, aside, others = naive(content, table)
    left = [each.split(": ")[1] for each in rows.notes if "of another kind" in each]

    assert plain(got.to_pylist()) == expected
    assert [line["line"] for line in lines_aside(tmp_path, "t.ndjson")] == aside
    assert sum(rows.set_aside.values()) == len(aside)
    assert rows.lines == len(expected) + len(aside)
    assert left == [str(others)] * bool(others)
    assert SECRET not in str(got.to_pylist())
    assert source.header("t.ndjson", layout=layout) == (header if content else ())
    for line in lines_aside(tmp_path, "t.ndjson"):
        kept = content[line["offset"] : line["offset"] + line["size_bytes"]]
        assert kept in [each.removesuffix(b"\r") for each in content.split(b"\n")]


def test_a_line_has_an_end_before_memory_has(tmp_path: Path) -> None:
    """A bundle of 2 MiB is read; one of 17 MiB is set aside, and what follows it is read."""
    one = b'{"resource":{"resourceType":"Patient","id":"p1"}}'
    big = b'{"resourceType":"Bundle","entry":[' + b",".join([one] * 40_000) + b"]}\n"
    huge = b'{"x":"' + b"x" * 17 * 1024 * 1024 + b'"}\n'
    (tmp_path / "t.ndjson").write_bytes(big + huge + big)
    layout = Layout(UNIT_SEPARATOR, kind=LayoutKind.FHIR_NDJSON, table="FHIR_PATIENT")
    source = HolderFolder(tmp_path, aside=tmp_path / "aside")
    header = source.header("t.ndjson", layout=layout)
    rows = source.split(
        "t.ndjson", layout=layout, header=header, kept=("patient_id",), constants={}
    )

    assert len(pa.table(rows)) == 80_000
    (line,) = lines_aside(tmp_path, "t.ndjson")
    assert (line["line"], line["reason"]) == (40_001, "line too long")
    assert rows.notes == ("bundles that were unpacked: 2, into lines: 80000",)


def test_a_line_that_takes_too_much_memory_is_set_aside_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four million empty codings in a line of 12 MB ended the command."""
    monkeypatch.setattr(fhir, "_MOST_MEMORY", "64MiB")
    one = b'{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/p"}}'
    many = one[:-1] + b',"code":{"coding":[' + b",".join([b"{}"] * 300_000) + b"]}}"
    held = [
        b'{"resourceType":"Bundle","entry":[{"resource":' + each + b"}]}" for each in (one, many)
    ]
    (tmp_path / "t.ndjson").write_bytes(b"\n".join([one, many, *held, one]))
    layout = Layout(UNIT_SEPARATOR, kind=LayoutKind.FHIR_NDJSON, table="FHIR_CONDITION")
    source = HolderFolder(tmp_path, aside=tmp_path / "aside")
    header = source.header("t.ndjson", layout=layout)

    rows = source.split("t.ndjson", layout=layout, header=header, kept=header, constants={})

    assert pa.table(rows)["_line"].to_pylist() == [1, 3, 5]
    assert rows.set_aside == {
        "too much in one line": 1,
        "in a bundle: too much in one line": 1,
    }


def test_a_table_that_is_none_of_fhir_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.ndjson").write_bytes(b"{}\n")
    layout = Layout(UNIT_SEPARATOR, kind=LayoutKind.FHIR_NDJSON, table="IR_BEN_R")

    with pytest.raises(FileUnreadable, match="none of FHIR"):
        HolderFolder(tmp_path, aside=tmp_path / "aside").header("t.ndjson", layout=layout)

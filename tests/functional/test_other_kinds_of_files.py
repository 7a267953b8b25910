"""What holders really deliver, through the whole way in: packed, in other encodings, typed, FHIR, OMOP."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fakes.sas_file import SasColumn, write_sas
from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.application.ingest import IngestReport
from havre.bootstrap.founding import give_mandate
from havre.bootstrap.growing import import_model, make_partitions
from havre.bootstrap.schemas import MODELS, model_tables
from havre.domain.announcement import DeliveryHeld, content_digest, parse_announcement
from havre.domain.delivery_note import DeliveryNote
from havre.domain.schema import PERSON_TREATMENTS, Treatment
from havre.errors import Held, InvalidInput, NotFound
from havre.models.fhir_places import RESOURCES


def rows_from(first: int) -> list[dict[str, str]]:
    """Ten deaths, of other people for each first number."""
    return [
        {
            "DCD_IDT_ENC": f"{number:064x}",
            "DCD_IDT_TOP": "1",
            "BEN_IDT_ANO": f"PERSON{number:011d}",
            "FLX_PER_ANN": "2024",
            "BEN_RES_DPT": "075",
            "BEN_DCD_DTE": "2024-05-06",
            "BEN_NAI_ANN": "1950",
            "BEN_SEX_COD": "1",
            "DCD_CIM_COD": "I509" if number % 2 else "É509",
        }
        for number in range(first, first + 10)
    ]


ROWS = rows_from(0)
WIDTHS = {name: max(len(row[name]) for row in ROWS) for name in ROWS[0]}


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(founded(), tmp_path / "hub")


def announce(
    place: Path, files: dict[str, tuple[str, bytes]], *, layout: str = "", dataset: str = "cepidc"
) -> Path:
    """A delivery of files, each with its table."""
    place.mkdir(parents=True)
    text = f'format = "havre/v1/delivery"\nname = "{place.name}"\ndataset = "{dataset}"\n{layout}\n'
    for path, (table, body) in files.items():
        (place / path).write_bytes(body)
        digest = hashlib.sha256(body).hexdigest()
        text += f'[[files]]\npath = "{path}"\ntable = "{table}"\nsha256 = "{digest}"\n'
    (place / "delivery.toml").write_text(text, encoding="utf-8")
    return place


def deliver(hub: SmallHub, place: Path) -> DeliveryNote:
    (note,) = hub.holder().deliver([place], progress=quiet)
    return note


def ingest(hub: SmallHub, dataset: str = "cepidc") -> IngestReport:
    opened = hub.open()
    assert not opened.receiving.receive().held
    return opened.ingestion.ingest(dataset, progress=quiet)


def as_text(rows: list[dict[str, str]] = ROWS) -> str:
    lines = [";".join(rows[0]), *(";".join(row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


def packed_windows(folder: Path) -> Path:
    body = gzip.compress(as_text(rows_from(10)).encode("windows-1252"))
    layout = '[layout]\nencoding = "windows-1252"'
    return announce(folder / "cepidc-gz", {"KI_CCI_R.csv.gz": ("KI_CCI_R", body)}, layout=layout)


FIXED = '[layout]\nkind = "fixed-width"\nencoding = "latin9"\ncompression = "zstd"\n'


def fixed_text(start: int) -> bytes:
    rows = rows_from(start)
    text = "".join("".join(row[n].ljust(WIDTHS[n]) for n in row) + "\r\n" for row in rows)
    return bytes(pa.compress(text.encode("iso-8859-15"), codec="zstd", asbytes=True))


def fixed_places() -> str:
    at, places = 1, []
    for name, width in WIDTHS.items():
        places.append(f"{name} = {{ start = {at}, width = {width} }}")
        at += width
    return "columns.KI_CCI_R]\n" + "\n".join(places)


def fixed(folder: Path) -> Path:
    files = {"deaths.txt": ("KI_CCI_R", fixed_text(20))}
    return announce(folder / "cepidc-fixed", files, layout=FIXED + "[layout." + fixed_places())


def fixed_beside(folder: Path) -> Path:
    files = {"deaths.txt": ("KI_CCI_R", fixed_text(50))}
    place = announce(folder / "cepidc-places", files, layout=FIXED + 'columns = "places.toml"')
    (place / "places.toml").write_text('format = "havre/v1/places"\n[' + fixed_places())
    return place


def parquet(folder: Path) -> Path:
    rows = rows_from(30)
    table = pa.Table.from_pylist(rows)
    dates = pa.array([dt.date.fromisoformat(row["BEN_DCD_DTE"]) for row in rows])
    table = table.set_column(table.column_names.index("BEN_DCD_DTE"), "BEN_DCD_DTE", dates)
    table = table.set_column(
        table.column_names.index("BEN_NAI_ANN"),
        "BEN_NAI_ANN",
        pa.array([float(row["BEN_NAI_ANN"]) for row in rows]),
    )
    pq.write_table(table, folder / "t.parquet")
    body = (folder / "t.parquet").read_bytes()
    layout = '[layout]\nkind = "parquet"'
    return announce(
        folder / "cepidc-parquet", {"KI_CCI_R.parquet": ("KI_CCI_R", body)}, layout=layout
    )


def sas(folder: Path) -> Path:
    columns = [
        SasColumn(name, 0, "DATE9.") if name == "BEN_DCD_DTE" else SasColumn(name, width + 1)
        for name, width in WIDTHS.items()
    ]
    days = float((dt.date(2024, 5, 6) - dt.date(1960, 1, 1)).days)
    rows = [list({**row, "BEN_DCD_DTE": days}.values()) for row in rows_from(40)]
    write_sas(folder / "t.sas7bdat", columns, rows, count=len(rows))
    body = (folder / "t.sas7bdat").read_bytes()
    layout = '[layout]\nkind = "sas7bdat"'
    return announce(folder / "cepidc-sas", {"KI_CCI_R.sas7bdat": ("KI_CCI_R", body)}, layout=layout)


MAKERS = (packed_windows, fixed, fixed_beside, parquet, sas)


def test_every_row_arrives_from_every_kind_of_file(hub: SmallHub, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    places = [make(tmp_path / "files") for make in MAKERS]

    notes = hub.holder().deliver(places, progress=quiet)
    report = ingest(hub)

    assert [(note.files[0].lines, note.files[0].sent) for note in notes] == [(10, 10)] * 5
    assert [each.checked.accepted for each in report.files] == [10] * 5


def test_a_packed_file_that_is_cut_short_holds_the_delivery_and_leaves_nothing(
    hub: SmallHub, tmp_path: Path
) -> None:
    body = gzip.compress(as_text().encode() * 50_000)[:-9]
    place = announce(tmp_path / "cepidc-cut", {"KI_CCI_R.csv.gz": ("KI_CCI_R", body)})

    with pytest.raises(Held, match=r"KI_CCI_R\.csv\.gz cannot be read: it is cut short"):
        deliver(hub, place)
    assert not hub.open().receiving.receive().held
    assert not hub.open().ingestion.waiting_datasets()


def test_files_that_are_not_what_was_announced_are_named_together(
    hub: SmallHub, tmp_path: Path
) -> None:
    text = as_text().encode()
    files = {"A.parquet": ("KI_CCI_R", text), "B.parquet": ("KI_CCI_R", text)}
    place = announce(tmp_path / "cepidc-not", files, layout='[layout]\nkind = "parquet"')

    with pytest.raises(DeliveryHeld) as refusal:
        deliver(hub, place)
    assert [fault.split(":")[0] for fault in refusal.value.faults] == ["A.parquet", "B.parquet"]


SHARED_PLACE = """kind = "fixed-width"
[layout.columns.T]
A = { start = 1, width = 3 }
B = { start = 3, width = 3 }"""


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ('kind = "excel"', "a kind that nobody knows"),
        ('encoding = "utf-16"', "not read in this encoding"),
        ('compression = "zip"', "a compression that nobody knows"),
        ('kind = "parquet"\ncompression = "gzip"', "not packed once more"),
        ('kind = "parquet"\ndelimiter = ","', "have no delimiter"),
        ('kind = "fixed-width"', "whose columns have no place"),
        ('kind = "fixed-width"\n[layout.columns.T]\nA = { start = 0, width = 1 }', "has no place"),
        ('kind = "fixed-width"\n[layout.columns.T]\nA = { start = 1 }', "has no place"),
        (SHARED_PLACE, "Columns A and B share a place"),
        ('kind = "delimited"\nquote = true', "what it does not know in layout: `quote`"),
    ],
)
def test_a_layout_that_cannot_be_is_refused_by_name(layout: str, said: str) -> None:
    text = (
        'format = "havre/v1/delivery"\nname = "d"\ndataset = "d"\n'
        f'[layout]\n{layout}\n[[files]]\npath = "t"\ntable = "T"\nsha256 = "{"0" * 64}"\n'
    )

    with pytest.raises(InvalidInput, match=re.escape(said)):
        parse_announcement(text)


def announcement_of(columns: str) -> str:
    return (
        'format = "havre/v1/delivery"\nname = "d"\ndataset = "d"\n'
        f'[layout]\nkind = "fixed-width"\n{columns}\n'
        f'[[files]]\npath = "t"\ntable = "T"\nsha256 = "{"0" * 64}"\n'
    )


PLACES = "columns.T]\nA = { start = 1, width = 3 }"
IN_FILE = 'format = "havre/v1/places"\n'


def test_places_mean_the_same_in_a_file_of_their_own() -> None:
    written = parse_announcement(announcement_of(f"[layout.{PLACES}"))
    named = parse_announcement(
        announcement_of('columns = "p.toml"'), beside={"p.toml": f"{IN_FILE}[{PLACES}"}.__getitem__
    )

    assert named.files == written.files
    assert content_digest(named) == content_digest(written)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("../p.toml", "", "no plain name"),
        ("p.txt", "", "no plain name"),
        ("p.toml", "[", "p.toml is no TOML"),
        ("p.toml", f"[{PLACES}", "no file of places"),
        ("p.toml", 'format = "havre/v2/places"\n[columns]', "no file of places"),
        ("p.toml", f"{IN_FILE}columns = 1", "no file of places"),
        ("p.toml", f"{IN_FILE}encoding = 'cp437'\n[{PLACES}", "no file of places"),
        ("p.toml", f"{IN_FILE}[{PLACES}\n[columns.t]\nB = {{ start = 1, width = 1 }}", "twice"),
        ("p.toml", f"{IN_FILE}[columns.U]\nA = {{ start = 1, width = 3 }}", "have no place"),
    ],
)
def test_a_file_of_places_is_read_strictly(name: str, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_announcement(announcement_of(f'columns = "{name}"'), beside={name: text}.__getitem__)


# ------------------------------------------------------------------------------ other models


def grown(hub: SmallHub, model: str) -> None:
    """A hub that takes in tables of another model."""
    opened = hub.open()
    import_model(opened, model)
    make_partitions(opened, datasets=[model], landing=2)
    give_mandate(opened, hub.token("controller"), [model])


def test_omop_arrives_as_csv_and_as_parquet(hub: SmallHub, tmp_path: Path) -> None:
    grown(hub, "omop")
    person = (
        "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime,"
        "race_concept_id,ethnicity_concept_id,location_id,provider_id,care_site_id,"
        "person_source_value,gender_source_value,gender_source_concept_id,race_source_value,"
        "race_source_concept_id,ethnicity_source_value,ethnicity_source_concept_id\n"
        "1,8507,1950,5,6,1950-05-06 00:00:00,0,0,,,,NIR1,M,0,,0,,0\n"
    )
    (schema,) = (each.schema for each in model_tables("omop") if each.schema.name == "measurement")
    cells: dict[str, Any] = dict.fromkeys(schema.column_names)
    cells |= {
        "measurement_id": 7,
        "person_id": 1,
        "measurement_concept_id": 3004249,
        "measurement_date": dt.date(2024, 5, 6),
        "measurement_datetime": dt.datetime(2024, 5, 6, 7, 8, 9),  # noqa: DTZ001 - as OMOP has it
        "measurement_type_concept_id": 32817,
        "value_as_number": 12.5,
    }
    pq.write_table(pa.Table.from_pylist([cells]), tmp_path / "m.parquet")
    deliver(
        hub,
        announce(
            tmp_path / "omop-people",
            {"person.csv": ("person", person.encode())},
            layout='[layout]\ndelimiter = ","',
            dataset="omop",
        ),
    )
    deliver(
        hub,
        announce(
            tmp_path / "omop-measured",
            {"m.parquet": ("measurement", (tmp_path / "m.parquet").read_bytes())},
            layout='[layout]\nkind = "parquet"',
            dataset="omop",
        ),
    )

    report = ingest(hub, "omop")

    assert [(each.checked.accepted, each.checked.set_aside) for each in report.files] == [
        (1, {})
    ] * 2


def resource(kind: str, number: int, **more: Any) -> bytes:
    body = {"resourceType": kind, "id": f"{kind[0]}{number}", **more}
    return json.dumps(body, ensure_ascii=False).encode() + b"\n"


def test_fhir_resources_become_rows_and_others_stay_at_the_holder(
    hub: SmallHub, tmp_path: Path
) -> None:
    grown(hub, "fhir")
    patients = b"".join(
        resource("Patient", n, gender="female", birthDate="1950-05", name=[{"family": "Dupont"}])
        for n in range(3)
    )
    of_patient = {"subject": {"reference": "Patient/P1"}}
    conditions = [
        resource("Condition", n, onsetDateTime="2024-05-06T01:02:03Z", **of_patient)
        for n in range(4)
    ]
    bundle = {"resourceType": "Bundle", "type": "collection"}
    held = [{"resource": json.loads(body)} for body in (patients.splitlines()[0], conditions.pop())]
    bundled = json.dumps({**bundle, "entry": held}).encode() + b"\n"
    broken = json.dumps({**bundle, "entry": [{"request": {}}]}).encode() + b"\n"
    conditions += [bundled, broken, b"{\n", resource("Condition", 9)]
    files = {
        "patients.ndjson": ("FHIR_PATIENT", patients),
        "conditions.ndjson": ("FHIR_CONDITION", b"".join(conditions)),
    }
    place = announce(
        tmp_path / "fhir-1", files, layout='[layout]\nkind = "fhir-ndjson"', dataset="fhir"
    )

    note = deliver(hub, place)
    report = ingest(hub, "fhir")

    assert note.files[1].set_aside == {
        "in a bundle: an entry without a resource": 1,
        "no JSON": 1,
        "no reference to a patient": 1,
    }
    assert sorted(each.checked.accepted for each in report.files) == [3, 4]
    assert not any(each.checked.set_aside for each in report.files)
    kept = hub.parties / "holder" / "set-aside" / "fhir-1" / "conditions.ndjson.lines"
    assert kept.read_bytes() == b"".join(conditions[-3:])
    assert "bundles that were unpacked: 1, into lines: 1" in note.files[1].notes


@pytest.mark.parametrize("model", MODELS)
def test_every_table_of_a_model_says_what_becomes_of_its_columns(model: str) -> None:
    for built in model_tables(model):
        schema = built.schema
        people = [each for each in schema.columns if each.treatment in PERSON_TREATMENTS]
        assert schema.dataset == model
        assert all(each.treatment is not Treatment.UNDECLARED for each in schema.columns)
        assert schema.person == (people[0].name,)
        assert bool(schema.period_column) != bool(schema.timeless)


def test_every_column_of_fhir_has_its_place() -> None:
    tables = {built.schema.name: built.schema for built in model_tables("fhir")}

    assert tables.keys() == RESOURCES.keys()
    for name, schema in tables.items():
        assert schema.column_names == tuple(RESOURCES[name].columns)


def test_a_model_that_nobody_describes_is_refused() -> None:
    with pytest.raises(NotFound, match="No tables of this model"):
        model_tables("i2b2")

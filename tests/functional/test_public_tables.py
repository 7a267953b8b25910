"""The 191 public synthetic tables of the SNDS, which nobody here wrote, through the whole way in.

Their values are random in each column, so that most rows break a rule of their
table; what counts is that every line is accounted for, by rule and by name.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Mapping
from csv import DictReader
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fakes.public_data import SCHEMAS, TABLES, needs_public_data
from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.application.ceremony import PartitionCatalogue
from havre.application.ingest import IngestReport
from havre.bootstrap.growing import import_schemas, make_partitions
from havre.bootstrap.holders import publish_for_holders
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.intake import report_file, take_in
from havre.domain.announcement import DeliveryHeld
from havre.domain.catalogue import dataset_name
from havre.domain.permit import Population, TableGrant
from havre.domain.permit_check import list_period_faults
from havre.domain.plan_making import PEOPLE, make_plan
from havre.domain.years import is_of_year
from havre.snds.filing import FILINGS
from havre.values import Partition, PartitionKind

pytestmark = needs_public_data
YEARS_OF_FILES = {each.adds for each in FILINGS if each.adds}
UNKNOWN = {"OPEN_BIO", "OPEN_LPP", "OPEN_MEDIC"}
LINES_PER_TABLE = 10
COUNTS = Path(__file__).with_name("public_tables.json")
# Of 1,880; the other lines break a rule at the hub, none at the holder.
ACCEPTED = 614
REASON = re.compile("duplicate key|(wrong type|text too long|unknown form) in [A-Z][A-Z0-9_]+")
# The public files are of no year (T_MCOaaB); their holder must say one.
YEAR = "2019"
NO_YEARS: Mapping[str, str] = {}


def announce(
    folder: Path, dataset: str, files: list[Path], *, years: Mapping[str, str] = NO_YEARS
) -> Path:
    """Put files into a delivery of their own, announced as a holder would.

    years: of a table, the column for the year that stands in its file's name.
    """
    name = f"public-{dataset}"
    place = folder / name
    place.mkdir(parents=True)
    lines = [
        'format = "havre/v1/delivery"',
        f'name = "{name}"',
        f'dataset = "{dataset}"',
        "[layout]",
        'delimiter = ","',
    ]
    for path in files:
        body = path.read_bytes()
        (place / path.name).write_bytes(body)
        lines += [
            "[[files]]",
            f'path = "{path.name}"',
            f'table = "{path.stem}"',
            f'sha256 = "{hashlib.sha256(body).hexdigest()}"',
        ]
        if path.stem in years:
            lines.append(f'constants = {{ {years[path.stem]} = "{YEAR}" }}')
    (place / "delivery.toml").write_text("\n".join(lines) + "\n")
    return place


def make_years(hub: OpenHub, datasets: Mapping[str, list[Path]]) -> None:
    """Hold a ceremony for every year that the public files make up, from 1900 on."""
    known = hub.catalogue.known()
    made = {
        each.partition for each in PartitionCatalogue(hub.records, log=hub.log).list_partitions()
    }
    wanted = set()
    for dataset, paths in datasets.items():
        for path in paths:
            with path.open(encoding="utf-8", newline="") as lines:
                rows = [
                    {str(name).casefold(): str(cell) for name, cell in row.items()}
                    for row in DictReader(lines)
                ]
            year = known.catalogue.table(path.stem).year_column or ""
            cells = {row.get(year.casefold(), YEAR)[:4] for row in rows}
            wanted |= {
                Partition(PartitionKind.DATASET, dataset, int(each))
                for each in cells
                if each.isdigit()
            }
    hub.ceremonies.make(sorted(wanted - made, key=str))
    publish_for_holders(hub)


def counts(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the expected counts say of a table: with the reasons, at the holder and at the hub."""
    return {
        "accepted": row["accepted"],
        "at the holder": row["set_aside_at_the_holder"],
        "at the hub": row["set_aside_at_the_hub"],
    }


class Public:
    """The public tables, delivered and ingested in a hub with the public schema."""

    def __init__(self, root: Path) -> None:
        self.hub: SmallHub = copy_of(founded(), root / "hub")
        with tarfile.open(TABLES) as archive:
            archive.extractall(root / "tables", filter="data")
        opened = self.hub.open()
        # Our own core tables keep their datasets; the public ones have those of their folder.
        self.imported: dict[str, Any] = import_schemas(
            opened, SCHEMAS, dataset=None, with_snds=True
        )
        known = opened.catalogue.known()
        self.datasets: dict[str, list[Path]] = {}
        self.unknown: list[Path] = []
        years = {
            built.schema.name: column.name
            for built in known.tables
            for column in built.schema.columns
            if column.name in YEARS_OF_FILES
        }
        for path in sorted((root / "tables").rglob("*.csv")):
            built = known.find(path.stem)
            if built is None:
                self.unknown.append(path)
            else:
                self.datasets.setdefault(built.schema.dataset, []).append(path)
        make_partitions(opened, datasets=sorted(self.datasets), landing=len(self.datasets) + 2)
        make_years(opened, self.datasets)
        self.folders = {
            name: announce(root / "deliveries", name, files, years=years)
            for name, files in self.datasets.items()
        }
        # The mandate that the hub was founded with names its own datasets only.
        from havre.bootstrap.founding import give_mandate

        give_mandate(opened, self.hub.token("controller"), sorted(self.datasets))
        self.notes = self.hub.holder().deliver(list(self.folders.values()), progress=quiet)
        opened = self.hub.open()
        # As `havre ingest --report FILE` does it.
        self.report = root / "report.json"
        with report_file(self.report) as write:
            self.intake = take_in(opened, (), progress=quiet)
            write(self.intake)
        self.reports: list[IngestReport] = self.intake.done


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Public:
    return Public(tmp_path_factory.mktemp("public"))


def test_188_tables_have_a_schema_and_3_are_unknown(public: Public) -> None:
    assert public.imported["imported"] == 188
    assert sum(map(len, public.datasets.values())) == 188
    assert {path.stem for path in public.unknown} == UNKNOWN


def test_every_line_is_accepted_or_set_aside(public: Public) -> None:
    files = [each for report in public.reports for each in report.files]

    assert public.intake.held == {}
    assert public.intake.failed == {}
    assert len(files) == 188
    assert all(each.sent.lines == LINES_PER_TABLE for each in files)
    assert sum(each.sent.lines for each in files) == 188 * LINES_PER_TABLE
    for each in files:
        aside = sum(each.sent.set_aside.values()) + sum(each.checked.set_aside.values())
        assert each.checked.accepted + aside == LINES_PER_TABLE


def test_the_counts_of_every_table_are_those_that_the_rules_give(public: Public) -> None:
    """Measured once and looked at: a rule that changes must change them on purpose."""
    expected = json.loads(COUNTS.read_text("utf-8"))

    found = {row["table"]: counts(row) for row in json.loads(public.report.read_text("utf-8"))}

    assert found.keys() == expected.keys()
    assert {table: found[table] for table in found if found[table] != expected[table]} == {}
    assert sum(each["accepted"] for each in expected.values()) == ACCEPTED


def test_the_report_is_of_every_file_and_names_a_reason_for_every_line(public: Public) -> None:
    rows = json.loads(public.report.read_text("utf-8"))

    assert public.report.stat().st_mode & 0o777 == 0o600
    assert len(rows) == 188
    for row in rows:
        reasons = row["set_aside_at_the_hub"]
        assert all(REASON.fullmatch(reason) for reason in reasons)
        assert row["lines"] == row["accepted"] + sum(reasons.values())
        assert row["path"] == f"{row['table']}.csv"


def test_tables_that_no_schema_describes_are_held_and_named(public: Public, tmp_path: Path) -> None:
    folder = announce(tmp_path, "open-data", public.unknown)

    with pytest.raises(DeliveryHeld) as refusal:
        public.hub.holder().deliver([folder], progress=quiet)

    assert all(f"{name}.csv is of a table" in str(refusal.value) for name in UNKNOWN)


def test_header_differences_are_accepted_by_an_entry_of_the_correction_layer_and_named(
    public: Public,
) -> None:
    notes = {
        each.sent.table: [note for note in each.sent.notes if "column" in note]
        for report in public.reports
        for each in report.files
        if any("lacks" in note or "left behind" in note for note in each.sent.notes)
    }

    assert notes["ER_PRS_F"] == ["column PRS_PPU_SEC lacks: header-er-prs-f"]
    assert notes["ER_DCT_F"] == ["column DCT_FOR_AMO was left behind: header-er-dct-f"]
    assert notes.keys() == {"ER_PRS_F", "ER_DCT_F"}


def test_columns_of_other_years_are_named_where_the_announcement_says_the_year(
    public: Public,
) -> None:
    """The public files have the columns of all years at once; those of hospitals are given one."""
    known = public.hub.open().catalogue.known()
    noted = {
        each.sent.table: {note.split()[1] for note in each.sent.notes if "of other years" in note}
        for report in public.reports
        for each in report.files
    }

    assert sum(map(len, noted.values())) == 258
    for table, columns in noted.items():
        built = known.find(table)
        assert built is not None
        given = (built.schema.year_column or "") in YEARS_OF_FILES
        gone = {each.name for each in built.schema.columns if not is_of_year(each, int(YEAR))}
        assert columns == (gone if given else set())


def test_corrections_are_named_where_they_were_used(public: Public) -> None:
    used = set(public.imported["corrections"])

    assert {"1-finess", "2-return-codes", "11-coded-integers"} <= used
    assert dataset_name("PMSI MCO") in public.imported["datasets"]


def test_a_period_cuts_every_public_table_or_a_reason_says_why_not(public: Public) -> None:
    """P3: no table whose years would all come out, though the permit says one."""
    catalogue = public.hub.open().catalogue.known().catalogue
    period = (date(2019, 1, 1), date(2019, 12, 31))
    timeless = {table.name for table in catalogue.tables if table.timeless}

    for table in catalogue.tables:
        grant = TableGrant(table.dataset, table.name, ())
        plan = make_plan(
            [grant], period=period, population=Population(), people=PEOPLE, catalogue=catalogue
        )
        assert list(list_period_faults(grant, period, catalogue)) == []
        assert table.name in timeless or any(part.conditions for part in plan.tables)
    assert len(timeless) == 18

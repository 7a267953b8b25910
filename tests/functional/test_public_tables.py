"""The 191 public synthetic tables of the SNDS, which nobody here wrote, through the whole way in.

Their values are random in each column, so that most rows break a rule of their
table; what counts is that every line is accounted for, by rule and by name.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.application.ingest import IngestReport
from havre.bootstrap.growing import import_schemas, make_partitions
from havre.domain.announcement import DeliveryHeld
from havre.domain.catalogue import dataset_name

SHARED = Path(os.environ.get("HAVRE_SHARED", str(Path(__file__).parents[3] / "shared")))
TABLES = SHARED / "snds-public-synthetic" / "tables.tar.gz"
SCHEMAS = SHARED / "snds-schema" / "schemas"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not TABLES.exists(), reason="public data outside the tree: HAVRE_SHARED"),
]
UNKNOWN = {"OPEN_BIO", "OPEN_LPP", "OPEN_MEDIC"}
LINES_PER_TABLE = 10


def announce(folder: Path, dataset: str, files: list[Path]) -> Path:
    """Put files into a delivery of their own, announced as a holder would."""
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
    (place / "delivery.toml").write_text("\n".join(lines) + "\n")
    return place


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
        for path in sorted((root / "tables").rglob("*.csv")):
            built = known.find(path.stem)
            if built is None:
                self.unknown.append(path)
            else:
                self.datasets.setdefault(built.schema.dataset, []).append(path)
        make_partitions(opened, datasets=sorted(self.datasets), landing=len(self.datasets) + 2)
        self.folders = {
            name: announce(root / "deliveries", name, files)
            for name, files in self.datasets.items()
        }
        # The mandate that the hub was founded with names its own datasets only.
        from havre.bootstrap.founding import give_mandate

        give_mandate(opened, self.hub.token("controller"), sorted(self.datasets))
        self.notes = self.hub.holder().deliver(list(self.folders.values()), progress=quiet)
        opened = self.hub.open()
        self.reception = opened.receiving.receive()
        self.reports: list[IngestReport] = [
            opened.ingestion.ingest(name, progress=quiet)
            for name in opened.ingestion.waiting_datasets()
        ]


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Public:
    return Public(tmp_path_factory.mktemp("public"))


def test_188_tables_have_a_schema_and_3_are_unknown(public: Public) -> None:
    assert public.imported["imported"] == 188
    assert sum(map(len, public.datasets.values())) == 188
    assert {path.stem for path in public.unknown} == UNKNOWN


def test_every_line_is_accepted_or_set_aside(public: Public) -> None:
    files = [each for report in public.reports for each in report.files]

    assert public.reception.held == {}
    assert len(files) == 188
    assert all(each.sent.lines == LINES_PER_TABLE for each in files)
    assert sum(each.sent.lines for each in files) == 188 * LINES_PER_TABLE
    for each in files:
        aside = sum(each.sent.set_aside.values()) + sum(each.checked.set_aside.values())
        assert each.checked.accepted + aside == LINES_PER_TABLE


def test_the_counts_are_those_that_the_rules_give(public: Public) -> None:
    """Measured once and looked at: a rule that changes must change them on purpose."""
    accepted = sum(report.accepted for report in public.reports)
    held = sum(sum(e.sent.set_aside.values()) for report in public.reports for e in report.files)

    assert (accepted, held) == EXPECTED


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


def test_corrections_are_named_where_they_were_used(public: Public) -> None:
    used = set(public.imported["corrections"])

    assert {"1-finess", "2-return-codes", "8-amounts", "11-coded-integers"} <= used
    assert dataset_name("PMSI MCO") in public.imported["datasets"]


# Accepted, and set aside at the holder; the other 1,279 lines break a rule at the hub.
EXPECTED = (601, 0)

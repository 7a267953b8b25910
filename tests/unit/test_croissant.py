"""A dataset's Croissant file keeps the rules of the format, and MLCommons' own reader loads it where it is installed."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from havre.formats.croissant import (
    CroissantDataset,
    CroissantField,
    CroissantTable,
    encode_croissant,
)

CONTENT = b"DAY,CODE\n2023-01-05,E11\n2023-02-01,I50\n"


def dataset(folder: Path = Path("/tmp")) -> CroissantDataset:
    return CroissantDataset(
        name="dcir",
        description="Reimbursed care.",
        url="https://hub.example/en/dataset-dcir.html",
        publisher="Hub",
        license="https://hub.example/en/permits.html",
        published="2026-01-01",
        version="1.0.0",
        tables=(
            CroissantTable(
                name="T",
                description="Acts.",
                url=(folder / "T.csv").as_posix(),
                sha256=hashlib.sha256(CONTENT).hexdigest(),
                fields=(
                    CroissantField("DAY", "The day.", "sc:Date"),
                    CroissantField("CODE", "The code.", "sc:Text"),
                ),
            ),
        ),
    )


def written() -> Any:
    return json.loads(encode_croissant(dataset()))


def test_what_the_format_asks_of_a_dataset_is_there() -> None:
    """Section "Dataset-level information": these properties are required."""
    required = {
        "@context", "@type", "conformsTo", "creator", "datePublished", "description",
        "license", "name", "url", "distribution", "recordSet", "version",
    }  # fmt: skip

    assert required <= written().keys()
    assert written()["conformsTo"] == "http://mlcommons.org/croissant/1.0"


def test_each_file_can_be_fetched_and_checked() -> None:
    (file,) = written()["distribution"]

    assert {"@id", "name", "contentUrl", "encodingFormat", "sha256"} <= file.keys()
    assert len(file["sha256"]) == 64


def test_each_field_has_a_type_and_leads_to_a_column_of_a_file_that_is_listed() -> None:
    files = {each["@id"] for each in written()["distribution"]}

    for records in written()["recordSet"]:
        for field in records["field"]:
            assert field["@id"] == f"{records['@id']}/{field['name']}"
            assert field["dataType"].startswith("sc:")
            assert field["source"]["fileObject"]["@id"] in files
            assert field["source"]["extract"] == {"column": field["name"]}


@pytest.mark.skipif(
    not (importlib.util.find_spec("mlcroissant") or shutil.which("mlcroissant")),
    reason="mlcroissant is not installed: it brings more than all of Havre",
)
def test_the_formats_own_reader_accepts_it(tmp_path: Path) -> None:
    program = shutil.which("mlcroissant") or str(Path(sys.executable).with_name("mlcroissant"))
    (tmp_path / "T.csv").write_bytes(CONTENT)
    (tmp_path / "croissant.json").write_bytes(encode_croissant(dataset(tmp_path)))

    done = subprocess.run(
        [program, "load", "--jsonld", str(tmp_path / "croissant.json"), "--record_set", "T"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "E11" in done.stdout + done.stderr

"""A table that a hub knows stays in its dataset when its description is imported anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.bootstrap.growing import import_schemas
from havre.bootstrap.intake import take_in
from havre.bootstrap.quarantining import quarantine_rows
from havre.errors import NotFound


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(founded(), tmp_path / "root")


def described(folder: Path, name: str) -> Path:
    folder.mkdir()
    columns = [{"name": "A", "type": "string"}, {"name": "B", "type": "string"}]
    body = {"name": name, "produit": "published-elsewhere", "fields": columns}
    (folder / f"{name}.json").write_text(json.dumps(body), encoding="utf-8")
    return folder


def dataset_of(hub: SmallHub, table: str) -> str:
    return hub.open().catalogue.known().table(table).schema.dataset


def test_a_known_table_stays_and_a_new_one_goes_where_its_description_says(
    hub: SmallHub, tmp_path: Path
) -> None:
    """Its deliveries were held ever after, because they were of another dataset then."""
    folder = described(tmp_path / "schemas", "KI_CCI_R")
    described(tmp_path / "more", "NEW_R")
    (tmp_path / "more" / "NEW_R.json").rename(folder / "NEW_R.json")

    imported = import_schemas(hub.open(), folder, dataset=None, with_snds=False)

    assert dataset_of(hub, "KI_CCI_R") == "cepidc"
    assert dataset_of(hub, "NEW_R") == "published-elsewhere"
    assert imported["moved"] == []


def test_it_moves_when_the_operator_says_so_and_that_is_told(hub: SmallHub, tmp_path: Path) -> None:
    folder = described(tmp_path / "schemas", "KI_CCI_R")

    imported = import_schemas(hub.open(), folder, dataset="deaths", with_snds=False)

    assert dataset_of(hub, "KI_CCI_R") == "deaths"
    assert imported["moved"] == ["KI_CCI_R to deaths"]


def test_a_dataset_that_nobody_knows_has_no_empty_list_of_rows_set_aside(hub: SmallHub) -> None:
    assert not take_in(hub.open(), (), progress=quiet).faults
    assert quarantine_rows(hub.open(), "dcir") == []
    with pytest.raises(NotFound, match="knows no dataset nope"):
        quarantine_rows(hub.open(), "nope")

"""Datasets that a new hub knows and has no keys for yet: a ceremony, and they are taken in like the others."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fakes.small_hub import copy_of, founded, quiet
from havre.bootstrap.growing import make_partitions

FILES = {
    "T_SSR16C": (
        "T_SSRaaC",
        "ETA_NUM,RHA_NUM,NIR_ANO_17,NIR_RET,NAI_RET,SEX_RET,SEJ_RET,FHO_RET,PMS_RET,DAT_RET,EXE_SOI_DTD,EXE_SOI_DTF",
        "750100018,0000001,abcdefghijklmnopq,0,0,0,0,0,0,0,2016-03-01,2016-04-02",
    ),
    "T_SSR16D": ("T_SSRaaD", "ETA_NUM,RHA_NUM,DGN_COD", "750100018,0000001,G811"),
}


def announced(folder: Path) -> Path:
    place = folder / "ssr-2016"
    place.mkdir(parents=True)
    lines = [
        'format = "havre/v1/delivery"',
        'name = "ssr-2016"',
        'dataset = "pmsi-ssr"',
        "[layout]",
        'delimiter = ","',
    ]
    for name, (table, header, row) in FILES.items():
        body = f"{header}\n{row}\n".encode()
        (place / f"{name}.csv").write_bytes(body)
        lines += [
            "[[files]]",
            f'path = "{name}.csv"',
            f'table = "{table}"',
            f'sha256 = "{hashlib.sha256(body).hexdigest()}"',
            'constants = { SSR_ANN = "2016" }',
        ]
    (place / "delivery.toml").write_text("\n".join(lines) + "\n")
    return place


def test_weeks_of_rehabilitation_are_taken_in_by_the_columns_of_their_year(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path / "hub")
    made = make_partitions(hub.open(), datasets=["pmsi-ssr"], landing=1, since=2016)

    hub.holder().deliver([announced(tmp_path)], progress=quiet)
    opened = hub.open()
    held = opened.receiving.receive().held
    report = opened.ingestion.ingest("pmsi-ssr", progress=quiet)

    notes = {note for each in report.files for note in each.sent.notes}
    assert made > 1
    assert not held
    assert [each.checked.accepted for each in report.files] == [1, 1]
    # NUM_DAT_AT and its like are of 2015 and later, and optional; ENT_AM went in 2010.
    assert not any("lacks" in note or "of other years" in note for note in notes)
    assert any("optional columns are not in the file" in note for note in notes)

"""Coverage-guided fuzzing of the readers of holders' files; no part of the suite.

    pip install atheris
    PYTHONPATH=tests python tests/fuzz/fuzz_sources.py KIND [FOLDER OF SEEDS] -max_total_time=120

KIND is delimited, fixed-width, parquet, sas7bdat or fhir-ndjson. Whatever the bytes are, a
reader says no by a refusal of ours, or gives rows and lines set aside that add up.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from havre.domain.layout import ENCODINGS, FixedColumn, Layout, LayoutKind, Packing
from havre.errors import HavreError
from havre.streams import refusals_heard

COLUMNS = (FixedColumn("A", 1, 2), FixedColumn("B", 4, 1), FixedColumn("C", 5, 3))
NAMES = sorted(set(ENCODINGS.values()))


def layout_for(kind: LayoutKind, choice: int) -> Layout:
    """Choose what else a layout says by one byte."""
    if kind is LayoutKind.FHIR_NDJSON:
        return Layout(kind=kind, table="FHIR_OBSERVATION")
    if kind in {LayoutKind.PARQUET, LayoutKind.SAS7BDAT}:
        return Layout(encoding="", kind=kind)
    encoding = NAMES[choice % len(NAMES)]
    packing = list(Packing)[choice // 16 % 3]
    return Layout(encoding=encoding, kind=kind, packing=packing, columns=COLUMNS)


def read(source: Any, folder: Path, kind: LayoutKind, body: bytes) -> None:
    """Read one file, and make sure that its lines add up.

    source: a `HolderFolder` of the folder.
    """
    choice, content = (body[0], body[1:]) if body else (0, b"")
    typed = kind in {LayoutKind.PARQUET, LayoutKind.SAS7BDAT}
    (folder / "t").write_bytes(body if typed else content)
    layout = layout_for(kind, choice)
    try:
        with refusals_heard():
            header = source.header("t", layout=layout)
            if not header or len(set(header)) != len(header):
                return
            rows = source.split("t", layout=layout, header=header, kept=header, constants={})
            table = pa.table(rows)
    except HavreError:
        return
    if table.num_rows + sum(rows.set_aside.values()) != rows.lines:
        raise AssertionError("lines do not add up")


def main() -> None:
    """Fuzz one reader until the time is over."""
    atheris: Any = importlib.import_module("atheris")
    kind = LayoutKind(sys.argv.pop(1))
    # Only the readers are instrumented: all modules together take minutes.
    with atheris.instrument_imports(include=["havre.adapters.sources"]):
        importlib.import_module("havre.adapters.sources.sas")
        sources = importlib.import_module("havre.adapters.sources.folder")
    vars(importlib.import_module("havre.adapters.sources.delimited"))["_BLOCK_BYTES"] = 64
    folder = Path(tempfile.mkdtemp(prefix="havre-fuzz-"))
    source = sources.HolderFolder(folder, aside=folder / "aside")
    atheris.Setup(sys.argv, lambda body: read(source, folder, kind, body))
    atheris.Fuzz()


if __name__ == "__main__":
    main()

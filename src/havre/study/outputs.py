"""What leaves a study, and what each file says of itself for those who check it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

SIDECAR = "outputs.json"
FORMAT = "havre/v1/outputs"


class Outputs:
    """Writes files to `/out`, and beside them what a checker must know.

    Only what is written through here is asked to leave.
    """

    def __init__(self, folder: Path | str = "/out") -> None:
        self._folder = Path(folder)
        self._files: list[dict[str, Any]] = []

    def table(self, name: str, rows: pl.DataFrame, *, title: str, counts: list[str]) -> None:
        """Write a table as CSV.

        counts: every column that counts people, events or stays.
        """
        rows.write_csv(self._folder / name)
        self._note(name, "table", title, counts=counts, underlying=None)

    def figure(self, name: str, figure: Any, *, title: str, underlying: str) -> None:
        """Write a Matplotlib figure as PNG.

        underlying: the table, already written, that has every point of it.
        """
        figure.savefig(self._folder / name, format="png", dpi=150, metadata={"Software": None})
        self._note(name, "figure", title, counts=[], underlying=underlying)

    def _note(
        self, name: str, kind: str, title: str, *, counts: list[str], underlying: str | None
    ) -> None:
        self._files.append(
            {"name": name, "kind": kind, "title": title, "counts": counts, "underlying": underlying}
        )
        body = {"format": FORMAT, "files": self._files}
        text = json.dumps(body, indent=1, ensure_ascii=False) + "\n"
        (self._folder / SIDECAR).write_text(text, encoding="utf-8")

"""What leaves a study, and what each file says of itself for those who check it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

SIDECAR = "outputs.json"
FORMAT = "havre/v1/outputs"
_DOTS_PER_INCH = 150


class Outputs:
    """Writes files to `/out`, and beside them what a checker must know.

    Only what is written through here is asked to leave.
    """

    def __init__(self, folder: Path | str = "/out") -> None:
        self._folder = Path(folder)
        self._files: list[dict[str, Any]] = []

    def table(
        self,
        name: str,
        rows: pl.DataFrame,
        *,
        title: str,
        counts: Sequence[str],
        measures: Sequence[str] = (),
    ) -> None:
        """Write a table as CSV.

        counts: every column that counts people, events or stays.
        measures: columns of numbers that count nobody: rates, shares, days.
        """
        # An empty text and no text are one thing in a table that leaves.
        plain = rows.with_columns(pl.col(pl.String).replace("", None))
        plain.write_csv(self._folder / name)
        self._note(name, "table", title, counts=counts, measures=measures)

    def figure(self, name: str, figure: Any, *, title: str, underlying: str) -> None:
        """Write a Matplotlib figure as PNG: its pixels on white, and nothing else.

        underlying: the table, already written, that has every point of it.
        """
        # Both come with the study environment and not with a laptop's Polars.
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from PIL import Image  # noqa: PLC0415

        figure.set_dpi(_DOTS_PER_INCH)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        drawn = Image.frombytes("RGBA", canvas.get_width_height(), canvas.buffer_rgba().tobytes())
        white = Image.new("RGB", drawn.size, "white")
        white.paste(drawn, mask=drawn)
        white.save(self._folder / name, format="PNG", compress_level=9)
        self._note(name, "figure", title, underlying=underlying)

    def _note(
        self,
        name: str,
        kind: str,
        title: str,
        *,
        counts: Sequence[str] = (),
        measures: Sequence[str] = (),
        underlying: str | None = None,
    ) -> None:
        self._files.append(
            {
                "counts": list(counts),
                "kind": kind,
                "measures": list(measures),
                "name": name,
                "title": title,
                "underlying": underlying,
            }
        )
        # Canonical JSON (RFC 8785): of texts, lists and sorted fields this is all there is to it.
        text = json.dumps(
            {"files": self._files, "format": FORMAT},
            ensure_ascii=False,
            separators=(",", ":"),
            sort_keys=True,
        )
        (self._folder / SIDECAR).write_text(text + "\n", encoding="utf-8")

"""What a person or a program sees of a command: sentences, a table, or JSON.

Sentences and progress go to standard error when the result is asked as JSON,
so that standard output holds the result and nothing else. Nothing that is
printed here comes from the data: counts, names and identifiers only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from havre.cli.rate import Rate

_THOUSANDS = re.compile(r"(?<=\d) (?=\d{3}\b)")


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a command speaks; made once per command."""

    as_json: bool = False

    def say(self, sentence: str) -> None:
        """Tell the reader what happens, in one sentence."""
        print(sentence, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def headline(self, sentence: str) -> None:
        """Tell what begins: bold where a terminal shows it."""
        line = wrap(sentence, indent=" " * (len(sentence) - len(sentence.lstrip()) + 4))
        shown = sys.stderr if self.as_json else sys.stdout
        bold = shown.isatty() and "NO_COLOR" not in os.environ
        self.say(f"\033[1m{line}\033[0m" if bold else line)

    def show(self, result: Mapping[str, Any]) -> None:
        """Give the command's result: JSON when asked, otherwise one line a field."""
        if self.as_json:
            print(json.dumps(result, indent=2, ensure_ascii=False, default=str))
            return
        width = max((len(name) for name in result), default=0)
        for name, value in result.items():
            line = f"  {name.replace('_', ' '):<{width}}  {_plain(value)}"
            # What a program reads stays on one line.
            print(wrap(line, indent=" " * (width + 4)) if sys.stdout.isatty() else line)

    def ready(self, what: Mapping[str, Any]) -> None:
        """Say that a service answers, in one line that whoever started it waits for."""
        # Numbers here name processes: their digits are not grouped.
        said = "; ".join(f"{name}: {value}" for name, value in what.items())
        print(json.dumps({"ready": what}) if self.as_json else f"ready: {said}", flush=True)

    def table(self, title: str, rows: Sequence[Mapping[str, Any]], *, indent: int = 0) -> None:
        """Show rows that have the same fields, or their JSON.

        indent: columns left empty before it.
        """
        if self.as_json:
            print(json.dumps(list(rows), indent=2, ensure_ascii=False, default=str))
            return
        from rich.console import Console
        from rich.padding import Padding
        from rich.table import Table

        grid = Table(
            title=title or None, title_justify="left", header_style="bold", show_edge=False
        )
        for name in rows[0] if rows else ():
            numeric = all(isinstance(row[name], int | float) for row in rows)
            grid.add_column(
                name.replace("_", " "), justify="right" if numeric else "left", overflow="fold"
            )
        for row in rows:
            grid.add_row(*(_plain(value) for value in row.values()))
        Console().print(Padding(grid, (0, 0, 0, indent), expand=False))

    @contextmanager
    def progress(self, sentence: str, *, of: str = "") -> Iterator[Progress]:
        """Show a bar while something long runs; silent when nobody watches.

        of: what is counted on the way, such as rows: how many a second is shown.
        """
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        console = Console(file=sys.stderr)
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(28),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[rate]}"),
        )
        with Bars(
            *columns, console=console, transient=True, disable=not console.is_terminal
        ) as bars:
            yield Progress(bars, bars.add_task(sentence, total=None, rate=""), of=of)


class Progress:
    """One bar; `step` may be called from the use case as its `progress` callback."""

    def __init__(self, bars: Any, task: Any, *, of: str = "") -> None:
        self._bars, self._task, self._of = bars, task, of
        self._rate = Rate()

    def step(self, done: int, total: int, what: str, *, things: int | None = None) -> None:
        """Tell how far the work is.

        things: how many of what is counted are done so far, where a rate is to be shown.
        """
        per_s = 0.0 if things is None else self._rate.see(things)
        rate = f"{per_s:,.0f} {self._of}/s" if per_s else ""
        self._bars.update(self._task, completed=done, total=total, description=what, rate=rate)

    def wait(self, what: str) -> None:
        """Tell what is waited for when nobody knows how far it is; the seconds are shown."""
        self._bars.update(self._task, total=None, description=what)


def wrap(line: str, *, indent: str) -> str:
    """Break a line at blanks, to the terminal's width; words, paths and numbers stay whole.

    indent: before each line but the first.
    """
    blank = "\N{NO-BREAK SPACE}"
    lead = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        _THOUSANDS.sub(blank, line.strip()),
        shutil.get_terminal_size().columns,
        initial_indent=lead,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ).replace(blank, " ")


def _plain(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace(",", " ")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(inner)}" for key, inner in value.items()) or "none"
    return str(value)

"""The sheet of an epoch's key: the one page that is secret."""

from __future__ import annotations

import textwrap
from functools import partial

from havre.adapters.paper.page import WIDTH, render, titled
from havre.adapters.paper.words import word
from havre.ports.tokens import EpochSheet

_COLUMNS = 3


def sheet_html(sheet: EpochSheet, *, language: str) -> bytes:
    """Write the sheet as one page of HTML that needs nothing else."""
    return render("sheet.html", language=language, sheet=sheet).encode()


def sheet_text(sheet: EpochSheet, *, language: str) -> bytes:
    """Write the same as plain text, for a terminal."""
    say = partial(word, language=language)
    rows = len(sheet.words) // _COLUMNS
    numbered = [f"{place:>3}. {each:<14}" for place, each in enumerate(sheet.words, start=1)]
    parts = [
        titled(f"{say('sheet_title')} {say('number').format(sheet.number)}\n{sheet.party}", "="),
        textwrap.fill(say("sheet_secret"), WIDTH),
        "\n".join("".join(numbered[row::rows]).rstrip() for row in range(rows)),
        textwrap.fill(say("sheet_use"), WIDTH),
        textwrap.fill(say("sheet_end"), WIDTH),
        f"{say('epoch')} {sheet.epoch_key}",
    ]
    return ("\n\n".join(parts) + "\n").encode()

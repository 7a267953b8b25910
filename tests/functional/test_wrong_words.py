"""A careless operator at the command line: what was meant is said, and nothing is made of it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from fakes.small_hub import SmallHub, copy_of, founded
from havre.cli import main

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(founded(), tmp_path / "hub")


@pytest.fixture
def say(hub: SmallHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Give a command to the hub; its exit code, and what it said."""
    monkeypatch.setattr(main, "keep_memory_private", lambda: None)

    def give(*words: str, party: str = "") -> tuple[int, str]:
        acting = ["--party", str(hub.parties / party)] if party else []
        monkeypatch.setattr(sys, "argv", ["havre", *words, "--hub", str(hub.hub), *acting])
        with pytest.raises(SystemExit) as end:
            main.run()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out or said.err

    return give


@pytest.mark.parametrize(
    ("words", "party", "roles"),
    [
        (("permit", "ask", "x"), "authority-1", "authority researcher"),
        (("permit", "sign", "x"), "researcher", "researcher authority"),
        (("permit", "decide", "x", "refused", "--reason", "y"), "holder", "holder authority"),
        (("deliver", "x"), "researcher", "researcher holder"),
        (("submit", "x", "y"), "checker-1", "checker researcher"),
        (("review", "x"), "researcher", "researcher checker"),
        (("vote", "x", "approve"), "controller", "controller checker"),
        (("depart", "x", "--for", "y", "--out", "z"), "escrow", "escrow controller"),
    ],
)
def test_a_party_of_another_role_hears_its_role_and_the_one_needed(
    say: Say, tmp_path: Path, words: tuple[str, ...], party: str, roles: str
) -> None:
    has, needed = roles.split()
    (tmp_path / "x").touch()
    named = [str(tmp_path / "x") if words[1] == "ask" and word == "x" else word for word in words]

    code, said = say(*named, party=party)

    assert (code, f"has the role {has}" in said, f"role {needed}." in said) == (3, True, True)


@pytest.mark.parametrize(
    ("words", "code", "words_said"),
    [
        (("ceremony", "--dataset", "typo"), 5, "no dataset"),
        (("ceremony",), 2, "--landing"),
        (("ceremony", "--landing", "-3"), 2, "landing"),
        (("catalogue", "show", "NOPE"), 5, "catalogue show"),
        (("permit", "list"), 0, "Nobody has asked"),
        (("ingest",), 0, "Nothing waits"),
        (("inbox", "list"), 0, "Nothing waits"),
    ],
)
def test_what_cannot_be_meant_is_said(
    hub: SmallHub, say: Say, words: tuple[str, ...], code: int, words_said: str
) -> None:
    before = len(hub.open().log.entries())

    ended, said = say(*words)

    assert (ended, words_said in said) == (code, True)
    assert len(hub.open().log.entries()) == before


def test_a_vote_and_a_reason_are_read_strictly(say: Say) -> None:
    assert say("vote", "x", "yes", party="checker-1")[0] == 2
    assert say("permit", "decide", "x", "refused", "--reason", " ", party="authority-1")[0] == 2


def test_a_desk_that_cannot_be_is_met_before_anything_is_opened(say: Say) -> None:
    with TemporaryDirectory(dir="/dev/shm") as there:
        taken = say("review", "x", "--out", there, party="checker-1")
    on_a_disk = say("review", "x", "--out", "/etc/new", party="checker-1")

    assert (taken[0], on_a_disk[0]) == (2, 8)


def fields(result: Any) -> Iterator[str]:
    """The names of fields in a result; in these, no name is an identifier of ours."""
    for row in result if isinstance(result, list) else [result]:
        yield from row


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("catalogue", "show"),
        ("catalogue", "show", "IR_BEN_R"),
        ("catalogue", "publish"),
        ("ceremony", "--landing", "1"),
        ("publish",),
        ("ingest",),
    ],
)
def test_fields_have_one_spelling(say: Say, words: tuple[str, ...]) -> None:
    code, said = say(*words, "--json")

    strange = [each for each in fields(json.loads(said)) if not re.fullmatch("[a-z0-9_]+", each)]
    assert (code, strange) == (0, [])


def test_rows_that_are_rounded_are_called_so(say: Say) -> None:
    said = json.loads(say("status", "--json")[1])

    assert "rows_about" in said
    assert "datasets" not in said

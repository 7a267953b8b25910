"""However a command ends: one sentence, one hint, an exit code, and never a bare trace."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.small_hub import SmallHub, copy_of, founded
from havre.cli import hub as hub_commands
from havre.cli import main
from havre.cli.endings import EXIT_FAULT, EXIT_INTERRUPTED

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Give a command; its exit code, and what it said on either stream."""
    # It would close the memory of this very process, and of all that it starts, for good.
    monkeypatch.setattr(main, "keep_memory_private", lambda: None)

    def give(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["havre", *words])
        with pytest.raises(SystemExit) as end:
            main.run()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return give


def ends_in(monkeypatch: pytest.MonkeyPatch, fault: BaseException) -> None:
    """Let `havre status` meet a fault."""

    def meet(_folder: Path) -> None:
        raise fault

    monkeypatch.setattr(hub_commands, "read_hub", meet)


class Panic(BaseException):
    """What an engine written in another language throws."""


@pytest.mark.parametrize(
    ("fault", "code", "kind"),
    [
        (OSError(28, "no", "/secret-path/landing.json"), 6, "Unavailable"),
        (OSError(30, "no", b"/secret-path/landing.json"), 6, "Unavailable"),
        (PermissionError(13, "no", "/secret-path/landing.json"), 6, "Unavailable"),
        (FileExistsError(17, "no", "/secret-path/landing.json"), 2, "InvalidInput"),
        (IsADirectoryError(21, "no", "/secret-path/landing.json"), 2, "InvalidInput"),
        (KeyboardInterrupt(), EXIT_INTERRUPTED, "Interrupted"),
        (ValueError("1850175012345"), EXIT_FAULT, "Fault"),
        (OSError("1850175012345"), EXIT_FAULT, "Fault"),
        (Panic("1850175012345"), EXIT_FAULT, "Fault"),
    ],
)
def test_every_fault_is_a_sentence_a_hint_and_a_code(
    say: Say, monkeypatch: pytest.MonkeyPatch, fault: BaseException, code: int, kind: str
) -> None:
    ends_in(monkeypatch, fault)

    ended, out, err = say("status", "--hub", "x", "--json")

    error = json.loads(out)["error"]
    assert (ended, error["class"], error["exit_code"]) == (code, kind, code)
    assert error["message"] in err
    assert error["hint"] in err
    assert error["hint"]
    assert not [word for word in ("Traceback", "secret-path", "18501") if word in out + err]
    if isinstance(fault, OSError) and fault.filename:
        assert "landing.json" in error["message"]


def test_who_debugs_sees_the_trace(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAVRE_DEBUG", "1")
    ends_in(monkeypatch, ValueError("here"))

    assert "ValueError: here" in say("status", "--hub", "x")[2]


def test_a_refusal_and_a_misspelled_command_are_json_as_well(say: Say, tmp_path: Path) -> None:
    refused, misspelled = (
        say("status", "--hub", str(tmp_path), "--json"),
        say("status", "--json", "--no-such-option"),
    )

    assert json.loads(refused[1])["error"]["class"] == "NotFound"
    assert json.loads(misspelled[1])["error"]["class"] == "Usage"
    assert (refused[0], misspelled[0]) == (5, 2)


def test_without_json_standard_output_stays_empty(say: Say, tmp_path: Path) -> None:
    code, out, _err = say("status", "--hub", str(tmp_path))

    assert (code, out) == (5, "")


def test_a_file_where_a_folder_is_needed_is_named(say: Say, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = str(tmp_path / "file")
    answers = [
        say("init", "--hub", place, "--parties", str(tmp_path / "parties")),
        say("init", "--hub", str(tmp_path / "hub"), "--parties", place),
        say("synth", "--people", "100", "--out", place),
        say("demo", "--out", place),
    ]

    assert [code for code, _, _ in answers] == [2, 2, 2, 2]


def test_a_folder_that_may_not_be_written_is_named(say: Say, tmp_path: Path) -> None:
    """Not even root may make a folder in `/sys`."""
    code, _, said = say("init", "--hub", "/sys/hub", "--parties", str(tmp_path / "parties"))

    assert (code, "hub cannot be used" in said) == (6, True)


def test_a_full_disk_ends_a_publication_in_a_sentence(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = copy_of(founded(), tmp_path / "hub")

    def full(self: Path, *_content: object, **_how: object) -> int:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)

    assert say("catalogue", "publish", "--hub", str(hub.hub))[0] == 6


@pytest.mark.parametrize("content", ["{", "[{}]", "7", '[{"id": 1, "partition": 2}]'])
def test_broken_landing_places_are_named(say: Say, tmp_path: Path, content: str) -> None:
    hub: SmallHub = copy_of(founded(), tmp_path / "hub")
    (hub.hub / "holders/landing.json").write_text(content)
    (delivery, *_others) = sorted(hub.deliveries.iterdir())
    party = str(hub.parties / "holder")

    code, _out, err = say("deliver", str(delivery), "--hub", str(hub.hub), "--party", party)

    assert (code, "catalogue publish" in err) == (4, True)

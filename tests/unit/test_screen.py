"""What stands on a screen can be read there, and copied from it."""

from __future__ import annotations

import pytest

from havre.cli import demo
from havre.cli.demo_texts import STEPS
from havre.cli.screen import Screen, wrap
from havre.cli.services import show_services


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "24")


def test_lines_break_between_words_and_are_indented() -> None:
    words = (
        "    A release before the votes was refused; two checkers approved, blind to each other."
    )

    lines = wrap(words, indent=" " * 6).splitlines()

    assert all(len(line) <= 40 for line in lines)
    assert " ".join(line.strip() for line in lines) == words.strip()
    assert [line[:6].strip() for line in lines[1:]] == [""] * (len(lines) - 1)


def test_paths_and_numbers_stay_whole() -> None:
    path = "/a/rather-long-path/of-many-words/that-is/longer-than-the-screen/index.html"

    lines = wrap(f"There are {'x' * 26} 1 400 000 lines in {path}", indent="").splitlines()

    assert path in lines
    assert [line for line in lines if "400" in line] == ["1 400 000 lines in"]


def test_headings_of_the_demo_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    headings = [wrap(f"10. {step}", indent=" " * 4) for step in STEPS]

    assert max(len(line) for heading in headings for line in heading.splitlines()) <= 80


def test_a_narrow_table_cuts_nothing_off(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().table("T", [{"x": "a" * 30, "y": "b" * 30, "z": "c" * 30}])

    said = capsys.readouterr().out
    assert [said.count(letter) for letter in "abc"] == [30, 30, 30]
    assert "…" not in said


def test_the_commands_to_copy_stand_alone_on_their_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = "python3 tools/verify_log.py demo/hub/site --trust demo/parties/researcher/trust.json"
    outcome = {
        "seconds": 1.0,
        "verify_yourself": command,
        "start_the_services_again": "havre services --hub demo/hub-2",
        **dict.fromkeys(demo.LOOK_AT, "demo/a"),
    }

    demo.show_end(Screen(), outcome)

    lines = capsys.readouterr().out.splitlines()
    assert command in lines
    assert "havre services --hub demo/hub-2" in lines


def test_the_number_of_a_process_is_not_grouped(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().ready({"party": "witness-1", "pid": 12_345})

    assert capsys.readouterr().out == "ready: party: witness-1; pid: 12345\n"


SERVED = [
    {
        "party": "custodian-1",
        "process": 12_345,
        "account": 0,
        "address": "unix:/somewhere/parties/custodian-1/custodian-1.sock",
        "holds": {"key_shares": 133, "log_entries": 4},
    },
    {
        "party": "witness-1",
        "process": 12_346,
        "account": 0,
        "address": "unix:/somewhere/parties/witness-1/witness-1.sock",
        "holds": {"log_head": None},
    },
]


def test_services_are_shown_with_what_each_holds_and_fit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir("/")

    show_services(Screen(), SERVED)

    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split("│")] for line in lines[2:4]]
    assert rows == [
        ["custodian-1", "12345", "custodian-1.sock", "133 key shares, 4 log entries"],
        ["witness-1", "12346", "witness-1.sock", "no memory of the log"],
    ]
    assert lines[-1].strip() == "Sockets are in the parties' directories: somewhere/parties/."
    assert max(map(len, lines)) <= 80

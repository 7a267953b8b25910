"""Epoch keys on paper: the disk says nothing without the sheet, and the sheet's end erases.

With a person who has a drawer of sheets; the last tests sit at a real terminal.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.paper_desk import PaperPerson
from havre.adapters.custody.shares import ShareStore
from havre.adapters.machine.guarantees import check_in_memory
from havre.adapters.paper.sheet import sheet_html, sheet_text
from havre.adapters.paper.words import LANGUAGES
from havre.bootstrap.custodian_desk import begin_epoch
from havre.bootstrap.pins import forget_told
from havre.bootstrap.tokens import create_token, open_token
from havre.crypto.paper import Misread, secret_of, words_of
from havre.domain.trust import Role
from havre.errors import Held, InvalidInput, NotGenuine, Refused, Unprotected
from havre.formats.canonical import Json
from havre.ports.tokens import EpochSheet

# A later Python warns of forks where pytest has threads; the child is another program at once.
pytestmark = pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
NAME = "custodian-1"
FIRST, SECOND = "1" * 32, "2" * 32
SHEET = EpochSheet(NAME, 3, "ab" * 32, words_of(bytes(range(32))))


def share(partition: str) -> dict[str, Json]:
    return {"id": partition, "salt": "00" * 32, "text": "secret/stage-2/1", "words": "acid acne"}


@pytest.fixture(autouse=True)
def _nothing_told() -> Iterator[None]:
    forget_told()
    yield
    forget_told()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_token(
        tmp_path / NAME, name=NAME, role=Role.CUSTODIAN, operator="a house", epoch_key="paper"
    )
    return tmp_path / NAME


@pytest.fixture
def person() -> PaperPerson:
    return PaperPerson()


def store(folder: Path, person: PaperPerson) -> ShareStore:
    """The store, as a new process would open it."""
    return ShareStore(folder, keys=open_token(folder, desk=person), custodian=NAME)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_the_partys_file_says_that_its_epoch_keys_are_on_paper(folder: Path) -> None:
    assert 'epoch_key = "paper"' in (folder / "party.toml").read_text()
    assert open_token(folder).config.epoch_key == "paper"


def test_a_store_opens_with_its_sheet_and_is_asked_once_a_process(
    folder: Path, person: PaperPerson
) -> None:
    store(folder, person).keep([share(FIRST), share(SECOND)])
    person.asked.clear()
    opened = store(folder, person)

    assert [*opened.partitions()] == [FIRST, SECOND]
    assert opened.open(FIRST)["words"] == "acid acne"
    assert person.asked == ["read"]


def test_the_key_is_in_no_form_on_the_disk(folder: Path, person: PaperPerson) -> None:
    store(folder, person).keep([share(FIRST)])
    words = person.drawer[1].words
    key = secret_of(" ".join(words))
    disk = on_disk(folder)

    for form in (key, key.hex().encode(), " ".join(words[:3]).encode()):
        assert form not in disk
    assert not list(folder.glob("epoch-*"))


def test_a_disk_without_its_sheet_opens_nothing(folder: Path, person: PaperPerson) -> None:
    """With every key and passphrase in the directory, and a sheet of somebody else's."""
    store(folder, person).keep([share(FIRST)])
    with pytest.raises(Held):
        store(folder, PaperPerson(away=True)).partitions()
    thief = PaperPerson({1: EpochSheet(NAME, 1, "", words_of(bytes(32)))})

    with pytest.raises(NotGenuine, match="not those of epoch 1 of custodian-1"):
        store(folder, thief).partitions()


def test_an_epoch_that_nobody_writes_down_is_not_begun(folder: Path, person: PaperPerson) -> None:
    with pytest.raises(Held):
        store(folder, PaperPerson(away=True)).keep([share(FIRST)])
    store(folder, person).keep([share(FIRST)])

    assert [*store(folder, person).partitions()] == [FIRST]


class CarelessPerson(PaperPerson):
    """Writes down something else than what was shown."""

    def hand_over(self, sheet: EpochSheet) -> None:
        super().hand_over(EpochSheet(sheet.party, sheet.number, "", words_of(bytes(32))))


def test_a_sheet_that_was_written_down_wrong_begins_nothing(
    folder: Path, person: PaperPerson
) -> None:
    with pytest.raises(Refused, match="words of another sheet"):
        store(folder, CarelessPerson()).keep([share(FIRST)])
    store(folder, person).keep([share(FIRST)])

    assert [*store(folder, person).partitions()] == [FIRST]


def test_a_new_epoch_has_a_sheet_of_its_own_and_the_old_one_is_destroyed(
    folder: Path, person: PaperPerson
) -> None:
    store(folder, person).keep([share(FIRST), share(SECOND)])
    old = person.drawer[1]
    turn = store(folder, person).new_epoch([SECOND])

    assert [*person.drawer] == [2]
    assert person.drawer[2].words != old.words
    assert turn.ended_key == old.epoch_key
    assert [*store(folder, person).partitions()] == [SECOND]


def test_until_the_old_sheet_is_destroyed_nothing_counts_as_erased(
    folder: Path, person: PaperPerson
) -> None:
    store(folder, person).keep([share(FIRST), share(SECOND)])
    person.keeps_sheets = True
    for _ in range(2):
        with pytest.raises(Held, match="sheet of epoch 1"):
            store(folder, person).new_epoch([SECOND])
    with pytest.raises(Held, match="sheet of epoch 1"):
        store(folder, person).history()
    person.keeps_sheets = False

    assert [turn.erased for turn in store(folder, person).history()] == [(FIRST,)]
    assert [*person.drawer] == [2]


def test_a_backup_of_an_ended_epoch_opens_nothing_without_its_sheet(
    folder: Path, person: PaperPerson, tmp_path: Path
) -> None:
    store(folder, person).keep([share(FIRST)])
    shutil.copytree(folder, tmp_path / "backup")
    store(folder, person).new_epoch([])
    thief = PaperPerson({1: person.drawer[2]})

    with pytest.raises(NotGenuine):
        store(tmp_path / "backup", thief).open(FIRST)


@pytest.mark.parametrize("word", ["", "disk", "Paper"])
def test_another_place_for_epoch_keys_is_refused(tmp_path: Path, word: str) -> None:
    with pytest.raises(InvalidInput, match="held by the token, or on paper"):
        create_token(
            tmp_path / "a", name="a", role=Role.CUSTODIAN, operator="a house", epoch_key=word
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sheet_has_its_words_in_both_forms(language: str) -> None:
    text = sheet_text(SHEET, language=language).decode()
    page = sheet_html(SHEET, language=language).decode()
    numbered = dict(re.findall(r"(\d+)\. (\w+)", text))

    assert [numbered[str(place)] for place in range(1, 34)] == [*SHEET.words]
    assert re.findall(r"<b>\d+</b><code>(\w+)</code>", page) == [*SHEET.words]
    assert not re.search(r"https?:|src=|<script|url\(", page)


def test_the_words_a_process_was_told_open_the_store(
    folder: Path, person: PaperPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How a service without a terminal starts: through a descriptor, or its environment."""
    store(folder, person).keep([share(FIRST)])
    monkeypatch.setenv("HAVRE_EPOCH_CUSTODIAN_1", " ".join(person.drawer[1].words))

    assert begin_epoch(folder, sheet=None, language="fr")["epoch"] == 1
    assert "HAVRE_EPOCH_CUSTODIAN_1" not in os.environ


def test_words_that_were_told_wrong_are_named(
    folder: Path, person: PaperPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(folder, person).keep([share(FIRST)])
    monkeypatch.setenv("HAVRE_EPOCH", " ".join(person.drawer[1].words[:32]))

    with pytest.raises(Misread, match="32 were given"):
        begin_epoch(folder, sheet=None, language="fr")


def test_without_a_terminal_no_epoch_begins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(Held, match="nobody is at the terminal"):
        begin_epoch(folder, sheet=None, language="fr")


def test_a_place_on_a_disk_is_told_from_one_in_memory(tmp_path: Path) -> None:
    check_in_memory(Path("/dev/shm"))
    with pytest.raises(Unprotected, match="is on a disk"):
        check_in_memory(Path("/etc"))


class Terminal:
    """A command at a terminal of its own, and a person who reads it and types."""

    def __init__(self, *words: str) -> None:
        havre = str(Path(sys.executable).parent / "havre")
        self._child, self._screen = pty.fork()
        if self._child == 0:
            os.execv(havre, [havre, *words])  # noqa: S606 - a test's own program
        self.shown = ""

    def wait_for(self, words: str, *, after: int = 0, seconds: float = 60) -> int:
        """Read until these words are there; returns where they end."""
        until = time.monotonic() + seconds
        while words not in self.shown[after:]:
            assert time.monotonic() < until, self.shown
            if select.select([self._screen], [], [], 1)[0]:
                try:
                    self.shown += os.read(self._screen, 4096).decode()
                except OSError:
                    break
        assert words in self.shown[after:], self.shown
        return after + self.shown[after:].index(words) + len(words)

    def type(self, line: str) -> None:
        os.write(self._screen, f"{line}\n".encode())

    def end(self) -> int:
        """Read to the end; the exit code."""
        while True:
            try:
                read = os.read(self._screen, 4096)
            except OSError:
                break
            if not read:
                break
            self.shown += read.decode()
        os.close(self._screen)
        return os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])

    def type_sheet(self, words: list[str], *, after: int = 0) -> int:
        for first in (1, 12, 23):
            after = self.wait_for(f"Words {first} to {first + 10}:", after=after)
            # The echo is turned off after the prompt is written.
            time.sleep(0.2)
            self.type(" ".join(words[first - 1 : first + 10]))
        return after


def words_shown(screen: str) -> list[str]:
    numbered = dict(re.findall(r"(\d+)\. ([a-z]+)", screen))
    return [numbered[str(place)] for place in range(1, 34)]


def test_an_epoch_begins_at_a_terminal_and_what_is_typed_is_not_shown(folder: Path) -> None:
    terminal = Terminal("custodian", "epoch", "--party", str(folder), "--json")
    shown = terminal.wait_for("Words 1 to 11:")
    words = words_shown(terminal.shown[:shown])
    misread = ["acid" if words[0] != "acid" else "acne", *words[1:]]
    after = terminal.type_sheet(misread)
    after = terminal.wait_for("do not fit together", after=after)
    terminal.type_sheet(words, after=after)
    code = terminal.end()
    # The program's own sentence has a word that may be drawn.
    typed = terminal.shown[shown:].replace("do not fit together", "")

    assert code == 0, terminal.shown
    assert json.loads(typed[typed.index("{") :])["held_on"] == "paper"
    assert not any(re.search(rf"\b{word}\b", typed) for word in words if len(word) > 5)


def test_a_sheet_goes_to_a_file_in_memory_and_to_no_disk(folder: Path) -> None:
    sheet = Path("/dev/shm") / f"havre-test-sheet-{os.getpid()}.html"
    try:
        words = ("custodian", "epoch", "--party", str(folder), "--sheet")
        on_a_disk = Terminal(*words, "/etc/sheet.html")
        assert on_a_disk.end() == 8
        assert "is on a disk" in on_a_disk.shown

        terminal = Terminal(*words, str(sheet))
        # An attempt was cut short: whether its sheet exists, only the person knows.
        terminal.wait_for("Type DESTROYED")
        terminal.type("DESTROYED")
        terminal.wait_for("Words 1 to 11:")
        written = re.findall(r"<b>\d+</b><code>(\w+)</code>", sheet.read_text("utf-8"))
        terminal.type_sheet(written)

        assert terminal.end() == 0, terminal.shown
        assert sheet.stat().st_mode & 0o077 == 0
        assert not set(re.findall(r"[a-z]{6,}", terminal.shown)) & {
            word for word in written if len(word) > 6
        }
    finally:
        sheet.unlink(missing_ok=True)

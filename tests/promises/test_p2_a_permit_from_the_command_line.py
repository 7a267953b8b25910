"""P2, from the command line: what a permit lacks is named, and who signs sees what they sign."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, founded, ingested
from havre.application.permits import KIND_PERMIT
from havre.bootstrap.reports import permit_details
from havre.cli import main
from havre.cli.demo_texts import PERMIT
from havre.domain.permit_text import permit_predicate
from havre.errors import NotGenuine, Refused
from havre.ports.records import Document

ENVIRONMENT = "ab" * 32
TEXT = PERMIT.format(environment=ENVIRONMENT)
PEOPLE_TABLE = TEXT[
    TEXT.index("[tables.beneficiaires.IR_BEN_R]") : TEXT.index("[tables.dcir.ER_PR")
]


@dataclass(frozen=True)
class Desk:
    """The command line at one hub."""

    hub: SmallHub
    read: Callable[[], str]
    monkeypatch: pytest.MonkeyPatch

    def say(self, *words: str, party: str | None = None) -> tuple[int, str]:
        """Give a command; its exit code, and all that it said."""
        given = [*words, "--hub", str(self.hub.hub)]
        given += ["--party", str(self.hub.parties / party)] if party else []
        self.monkeypatch.setattr(sys, "argv", ["havre", *given])
        with pytest.raises(SystemExit) as end:
            main.run()
        return int(end.value.code or 0), self.read()

    def ask(self, text: str) -> tuple[int, str]:
        application = self.hub.root / "permit.toml"
        application.write_text(text)
        return self.say("permit", "ask", str(application), party="researcher")


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    # It would close the memory of this very process, and of all that it starts, for good.
    monkeypatch.setattr(main, "keep_memory_private", lambda: None)

    def read() -> str:
        said = capsys.readouterr()
        return said.out + said.err

    return Desk(copy_of(founded(), tmp_path / "hub"), read, monkeypatch)


FAULTS = {
    "a column that is unknown": ('"BEN_SEX_COD"', '"BEN_EYE_COD"', 3, "has no column BEN_EYE_COD"),
    "a table that is unknown": ("IR_IMB_R", "IR_XXX_R", 3, "the catalogue has no table IR_XXX_R"),
    "a table of another dataset": ("dcir.ER_PHA_F", "pmsi-mco.ER_PHA_F", 3, "of dataset dcir"),
    "an end that is past": ("2030-12-31", "2026-01-02", 3, "it has already ended"),
    "people whom nobody knows": ('people = ["researcher"]', 'people = ["x"]', 3, "no researchers"),
    "a column as it is that is no key": (
        '"MED_MTF_COD"]',
        '"MED_MTF_COD"]\ntrue_keys = ["MED_MTF_COD"]',
        3,
        "IR_IMB_R.MED_MTF_COD is no technical key",
    ),
    "a column that stands twice": ('"ETA_NUM", "RSA', '"ETA_NUM", "ETA_NUM", "RSA', 2, "twice"),
    "a count that is too small": ("min_count = 11", "min_count = 1", 2, "below 11"),
    "a limit in the wrong place": ("[population]", "[permit.population]", 2, "[population]"),
    "a title that repaints": ('title = "', 'title = "\\u001b[2J', 2, "not seen"),
    "no section at all": (TEXT, "permit = 5", 2, "permit is no section"),
    "lists without an end": (TEXT, "a = " + "[" * 3_000, 2, "nests lists"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_an_application_that_lacks_something_is_refused_by_name(desk: Desk, what: str) -> None:
    old, new, code, named = FAULTS[what]
    assert old in TEXT

    ended, said = desk.ask(TEXT.replace(old, new))

    assert (ended, "Traceback" in said) == (code, False)
    assert named in said
    assert len(said.strip().splitlines()) == 2
    assert desk.hub.open().permits.list_permits() == []


def test_the_applicants_own_signature_is_refused_by_name(desk: Desk) -> None:
    desk.ask(TEXT)

    ended, said = desk.say("permit", "sign", PERMIT_NAME, party="researcher")

    assert ended != 0
    assert "authority" in said


def test_one_signature_opens_nothing(desk: Desk) -> None:
    desk.ask(TEXT)
    desk.say("permit", "sign", PERMIT_NAME, party="authority-1")

    with pytest.raises(Refused, match="is assessment"):
        desk.hub.open().extraction.extract(PERMIT_NAME)


def test_a_text_with_one_byte_altered_is_refused_by_name(desk: Desk) -> None:
    desk.ask(TEXT)
    desk.say("permit", "sign", PERMIT_NAME, party="authority-1")
    opened = desk.hub.open()
    envelope = opened.permits.standing(PERMIT_NAME).envelope
    (name,) = [
        each.name for each in opened.records.list_documents(KIND_PERMIT) if each.body == envelope
    ]
    at = envelope.index(b'"payload":"') + 400
    altered = envelope[:at] + (b"A" if envelope[at : at + 1] != b"A" else b"B") + envelope[at + 1 :]

    opened.records.commit([], [Document(KIND_PERMIT, name, altered)])

    with pytest.raises(NotGenuine, match="signature"):
        desk.hub.open().permits.sign(PERMIT_NAME, authority=desk.hub.token("authority-2"))


def _leaves(signed: object) -> Iterator[object]:
    if isinstance(signed, dict):
        for inner in signed.values():
            yield from _leaves(inner)
    elif isinstance(signed, list):
        for inner in signed:
            yield from _leaves(inner)
    else:
        yield signed


def test_who_signs_sees_every_word_that_is_signed(desk: Desk) -> None:
    asked = TEXT.replace("[1925, 2007]", '[1925, 2007]\ndepartments = ["69", "2A"]')
    asked = asked.replace('"DGN_PAL"]', '"DGN_PAL"]\ntrue_keys = ["ETA_NUM"]')
    desk.ask(asked)
    signed = permit_predicate(desk.hub.open().permits.standing(PERMIT_NAME).permit)

    _, said = desk.say("permit", "show", PERMIT_NAME)

    unseen = [leaf for leaf in _leaves(signed) if leaf != 0 and str(leaf) not in said]
    assert unseen == []
    assert "undated" in said


def test_nothing_that_was_signed_reaches_a_screen_raw(desk: Desk) -> None:
    """A permit of before such titles were refused would still be spelled, not obeyed."""
    desk.ask(TEXT)
    standing = desk.hub.open().permits.standing(PERMIT_NAME)
    object.__setattr__(standing.permit, "title", "\x1b[2Jharmless\u202e")

    row = permit_details(standing)

    assert row["title"] == r"'\x1b[2Jharmless\u202e'"


def test_a_limit_on_people_holds_where_their_table_is_not_granted(tmp_path: Path) -> None:
    """The table of people is read for the limit, so its partition is asked for and signed."""
    hub = copy_of(ingested(), tmp_path / "hub")
    hub.ask(TEXT.replace(PEOPLE_TABLE, ""))

    made = hub.open().extraction.extract(PERMIT_NAME)

    assert hub.open().permits.standing(PERMIT_NAME).permit.years["beneficiaires"] == (0,)
    assert made.rows["ER_PRS_F"] > 0
    assert "IR_BEN_R" not in made.rows

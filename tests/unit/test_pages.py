"""The public pages say what is true, in print's own signs, and to every reader."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fakes.described import described_catalogue
from fakes.exposure_checker import FOLLOWS, run_checker
from fakes.exposures import reference, shown_exposure
from fakes.parties import START, Cast
from fakes.story import RELEASED, sha256, story
from havre.adapters.pages.picture import Had
from havre.adapters.pages.site import SHOWN_ENTRIES, StaticSite
from havre.adapters.pages.words import DATASETS, LANGUAGES, WORDS, typeset, word
from havre.domain.events import EVENT_KINDS, DeliveryChecked
from havre.domain.exposure.clauses import MODES
from havre.domain.exposure.hub import MESSAGES
from havre.domain.exposure.sheet import Standing
from havre.domain.exposure.telling import Verdict
from havre.domain.permit import OutputRules, Permit, Population, TableGrant
from havre.domain.permit_states import PermitState
from havre.domain.register import read_register
from havre.domain.release import ReleaseState
from havre.domain.transparency import Cosigned, Head
from havre.domain.trust import THIS_MACHINE, Role, TrustRoots
from havre.ports.pages import ShownFile, SiteFacts, SiteSettings
from havre.ports.sandbox import Outcome

CAST = Cast()
VERIFIER = b"# the one file\n"
CHECKER = b"# the other file\n"
PAGES = (
    "index",
    "catalogue",
    "permits",
    "releases",
    "exposure",
    "drills",
    "log",
    "verify",
    "permit-diabetes",
    "dataset-dcir",
    "table-STAYS",
)
PERMIT = Permit(
    name="diabetes",
    title="Diabetes by region",
    purpose="Describe where it is.",
    applicant="researcher",
    people=("researcher",),
    period=(date(2022, 1, 1), date(2024, 12, 31)),
    starts_on=date(2026, 1, 1),
    ends_on=date(2030, 12, 31),
    tables=(TableGrant("dcir", "ER_PRS_F", ("EXE_SOI_DTD",)),),
    population=Population((1925, 2007)),
    output=OutputRules(11, ("table",)),
    environment_sha256="0" * 64,
    years={"dcir": (2022,)},
)
TABLE = ShownFile(
    name="rates.csv",
    sha256=sha256(RELEASED),
    title="Rates by age",
    here=True,
    rows=[["age", "rate"], ["40-59", "0.012"], ["60-79", "0.140"]],
    row_count=90,
)
FIGURE = ShownFile(name="figure.png", sha256="0" * 64, title="Rates, drawn", here=True)


def on_one_machine(roots: TrustRoots) -> TrustRoots:
    parties = (replace(each, operator=f"{each.name} {THIS_MACHINE}") for each in roots.parties)
    return replace(roots, parties=tuple(parties))


def facts(*, more_entries: int = 0, **changes: Any) -> SiteFacts:
    """What the story's hub shows; `changes` replace single facts."""
    events = story(CAST)
    events += [
        DeliveryChecked(
            event_id=f"{number:032x}",
            at=START,
            delivery="d1",
            outcome="accepted",
            rows_accepted=100,
            rows_set_aside=0,
            report_commitment="",
        )
        for number in range(1_000, 1_000 + more_entries)
    ]
    roots = CAST.roots
    told = SiteFacts(
        roots=roots,
        head=Head(len(events), bytes(32)),
        checkpoint=b"a head\n",
        cosigned=[Cosigned(each, int(START.timestamp())) for each in roots.with_role(Role.WITNESS)],
        cosigned_at=START,
        trust=b"{}",
        trust_sha256="0" * 64,
        register=read_register(enumerate(events)),
        permits={"diabetes": PERMIT},
        signed={"diabetes": {}},
        files={"r1": [TABLE, FIGURE]},
        receipts={},
        settings=SiteSettings(),
        exposure=shown_exposure(reference("b2")),
        catalogue=described_catalogue(),
    )
    return replace(told, **changes)


def written(folder: Path, told: SiteFacts) -> dict[str, str]:
    """Every page of a site, by path."""
    StaticSite(folder, verifier=VERIFIER, checker=CHECKER).write(told)
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*.html")
    }


class _Tags(HTMLParser):
    """Every tag with its attributes and the text right after it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.found:
            tag, attributes, before = self.found[-1]
            self.found[-1] = (tag, attributes, before + data)

    def of(self, *names: str) -> Iterator[tuple[str, dict[str, str | None], str]]:
        return (each for each in self.found if each[0] in names)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return written(tmp_path_factory.mktemp("site"), facts())


@pytest.mark.parametrize("key", ["made_up", "one_machine"])
def test_what_a_demonstration_lacks_is_said_on_every_page_and_only_when_true(
    key: str, tmp_path: Path, pages: dict[str, str]
) -> None:
    true = {
        "made_up": facts(settings=SiteSettings(made_up=True)),
        "one_machine": facts(roots=on_one_machine(CAST.roots)),
    }
    other = {"made_up": "one_machine", "one_machine": "made_up"}[key]

    shown = written(tmp_path, true[key])

    assert len(shown) == len(PAGES) * len(LANGUAGES) + 1
    for path, page in shown.items():
        language = path[:2] if "/" in path else "fr"
        assert word(key, language) in page
        assert word(other, language) not in page
        assert word(key, language) not in pages[path]


def test_every_page_says_as_of_which_head_it_is(pages: dict[str, str]) -> None:
    size = len(story(CAST))

    for name in PAGES:
        assert f"As of 2026-06-01 12:00 UTC: {size} entries on the log." in pages[f"en/{name}.html"]


def test_a_log_page_that_is_cut_says_so(tmp_path: Path, pages: dict[str, str]) -> None:
    told = facts(more_entries=SHOWN_ENTRIES)

    page = written(tmp_path, told)["en/log.html"]

    assert f"The newest {SHOWN_ENTRIES} of {told.head.size} entries." in page
    assert "The newest" not in pages["en/log.html"]


def test_a_table_that_is_cut_says_so(tmp_path: Path, pages: dict[str, str]) -> None:
    whole = replace(TABLE, row_count=2)

    assert "The first 2 of 90 rows." in pages["en/releases.html"]
    assert "The first" not in written(tmp_path, facts(files={"r1": [whole]}))["en/releases.html"]


def test_a_released_file_that_is_not_there_is_named_and_not_linked(tmp_path: Path) -> None:
    gone = replace(TABLE, here=False, rows=())

    page = written(tmp_path, facts(files={"r1": [gone]}))["en/releases.html"]

    assert "rates.csv (not on this site" in page
    assert "releases/r1/rates.csv" not in page


def test_a_figure_is_described_by_its_title(pages: dict[str, str]) -> None:
    (image,) = _Tags(pages["fr/releases.html"]).of("img")

    assert image[1]["alt"] == "Rates, drawn"


def test_numbers_of_a_table_stand_to_the_right(pages: dict[str, str]) -> None:
    cells = {text.strip(): found for _, found, text in _Tags(pages["fr/releases.html"]).of("td")}

    assert cells["0.012"].get("class") == "n"
    assert "class" not in cells["40-59"]


def test_who_granted_who_approved_and_who_witnessed_are_named(pages: dict[str, str]) -> None:
    assert "authority-2 (house of authority-2)" in pages["en/permit-diabetes.html"]
    assert "checker-1 (house of checker-1)" in pages["en/releases.html"]
    assert "witness-4 (house of witness-4)" in pages["en/log.html"]


def test_key_requests_link_to_their_permit_and_those_of_a_mandate_to_none(
    pages: dict[str, str],
) -> None:
    rows = [row for row in pages["en/log.html"].split("<tr>") if "Keys requested" in row]

    links = ["permit-diabetes.html" in row for row in rows]
    assert links == ["for ingestion" not in row for row in rows]
    assert set(links) == {True, False}


def test_words_of_the_hubs_people_are_marked_with_their_language(tmp_path: Path) -> None:
    page = written(tmp_path, facts(settings=SiteSettings(language="en")))["fr/permits.html"]

    assert '<span lang="en">Describe where it is.</span>' in page


def test_the_list_of_files_names_all_of_them_and_not_itself(tmp_path: Path) -> None:
    for path in ("log/tile/0/000", "releases/r1/rates.csv", "log/.checkpoint.new"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"")

    written(tmp_path, facts())

    listed = (tmp_path / "files.txt").read_text().splitlines()
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    there = {path for path in there if (tmp_path / path).is_file()}
    assert listed == sorted(there - {"files.txt", "log/.checkpoint.new"})


def test_the_verifier_and_the_trust_roots_are_to_be_had_from_elsewhere(
    pages: dict[str, str],
) -> None:
    page = pages["en/verify.html"]

    assert "from the project’s sources" in page
    assert hashlib.sha256(VERIFIER).hexdigest() in page
    assert "--trust trust.json" not in page


def test_who_can_read_what_is_told_in_both_languages(pages: dict[str, str]) -> None:
    french, english = pages["fr/exposure.html"], pages["en/exposure.html"]

    assert "n’obtient pas «\u202fLa base" in french
    assert "(à 2 prises de contrôle près)" in french
    assert "does not obtain “The base: what was never opened”" in english
    assert "the service goes on" in english
    for page in (french, english):
        assert "complian" not in page
        assert "conforme" not in page


def test_what_nobody_has_stated_is_told_first(tmp_path: Path, pages: dict[str, str]) -> None:
    unknown = shown_exposure(reference("b1"), unstated=["store-b"])

    page = written(tmp_path, facts(exposure=unknown))["en/exposure.html"]

    assert "No fact sheet says where these stand: Second store&#39;s host." in page
    assert page.index("No fact sheet") < page.index("In short")
    assert "No fact sheet says" not in pages["en/exposure.html"]


def test_every_answer_of_the_matrix_is_said_in_words_too(pages: dict[str, str]) -> None:
    marks = [
        found for _, found, _ in _Tags(pages["en/exposure.html"]).of("span") if "mark" in str(found)
    ]

    assert len(marks) == 7 * 3 * 3
    assert all(found["role"] == "img" and found["aria-label"] for found in marks)
    assert "by a warrant: not derivable, 2 takeovers away" in {each["aria-label"] for each in marks}


def test_the_picture_names_everybody_and_is_described(pages: dict[str, str]) -> None:
    page = pages["en/exposure.html"]
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)

    assert len(pictures) == 2
    for picture in pictures:
        assert "<title>Who holds what, who can read what</title>" in picture
        for name in ("Maker of the", "First login", "encrypted data", ">US<"):
            assert name in picture


def test_a_name_in_a_fact_sheet_cannot_write_into_the_page(tmp_path: Path) -> None:
    deployment = reference("b2")
    named = {**deployment.operators, "compute": "<script>alert(1)</script>"}

    pages = written(tmp_path, facts(exposure=shown_exposure(replace(deployment, operators=named))))

    for language in LANGUAGES:
        assert "<script" not in pages[f"{language}/exposure.html"]
        assert "&lt;script&gt;" in pages[f"{language}/exposure.html"]


def test_the_certificate_on_the_site_follows_from_the_facts_beside_it(tmp_path: Path) -> None:
    written(tmp_path, facts())

    done = run_checker(
        tmp_path / "exposure/certificate.json", "--facts", tmp_path / "exposure/facts.json"
    )

    assert done.returncode == FOLLOWS, done.stdout
    assert (tmp_path / "check_exposure.py").read_bytes() == CHECKER


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_by_ear_and_keyboard(
    name: str, language: str, pages: dict[str, str]
) -> None:
    tags = _Tags(pages[f"{language}/{name}.html"])

    levels = [int(tag[1]) for tag, _, _ in tags.of("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all("scope" in found for _, found, _ in tags.of("th"))
    assert all("aria-label" in found for _, found, _ in tags.of("nav"))
    assert sum("aria-current" in found for _, found, _ in tags.of("a")) == 1
    scrolling = [f for _, f, _ in tags.found if f.get("class") == "wide"]
    assert all(found.get("tabindex") == "0" for found in scrolling)
    assert all(found.get("tabindex") == "0" for _, found, _ in tags.of("pre"))


def test_no_head_of_a_column_is_empty(pages: dict[str, str]) -> None:
    for page in pages.values():
        assert not re.search(r"<th[^>]*></th>", page)


def test_french_is_set_as_in_print() -> None:
    for french, english in [*WORDS.values(), *DATASETS.values()]:
        assert "'" not in typeset(french, "fr") + typeset(english, "en")
        assert not re.search("[ \u00a0][;!?»]| :|« ", typeset(french, "fr"))


def test_everything_that_can_stand_on_the_log_or_in_the_matrix_has_its_words() -> None:
    keys = {
        *EVENT_KINDS,
        *(state.value for state in PermitState),
        *(f"request-{state.value}" for state in ReleaseState if state is not ReleaseState.PENDING),
        *(f"job-{outcome.value}" for outcome in Outcome),
        *(f"does_{role.value}" for role in Role),
        *(f"msg-{message.name}" for message in MESSAGES),
        *(f"short-{message.name}" for message in MESSAGES),
        *(f"had-{each}" for each in Had),
        *(f"by_{mode}" for mode in MODES),
        *(f"verdict-{verdict}" for verdict in Verdict),
        *(f"standing-{standing}" for standing in Standing),
    }

    assert keys - set(WORDS) == set()

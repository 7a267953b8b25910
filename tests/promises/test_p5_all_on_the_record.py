"""P5. Every act is on a log that a stranger verifies offline: altered, dropped, reordered,
forked or rolled back is noticed.

The stranger is `tools/verify_log.py`. Each test plants the breach; the first shows
that the untouched record passes.
"""

from __future__ import annotations

import ast
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.hub_log import WITNESSES, catalogue_event
from fakes.parties import Cast, Hands
from fakes.story import publish, story, write_beside
from fakes.verifier import GENUINE, NOT_GENUINE, USAGE, VERIFIER, verify
from havre.domain.events import Event, encode_event
from havre.domain.trust import encode_trust_roots

# More than a tile: full tiles, partial ones and a second level are all there.
PADDING = [catalogue_event(number) for number in range(280)]


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


@pytest.fixture(scope="module")
def entries(cast: Cast) -> list[bytes]:
    return [encode_event(event) for event in (*story(cast), *PADDING)]


@pytest.fixture(scope="module")
def trust(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("elsewhere") / "trust.json"
    path.write_bytes(encode_trust_roots(cast.roots))
    return path


@pytest.fixture(scope="module")
def published(cast: Cast, entries: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that grew in three steps, so that narrower tiles of earlier heads lie there too."""
    site = tmp_path_factory.mktemp("hub") / "site"
    for size in (3, 40, len(entries)):
        publish(site, entries[:size], cast=cast, at=datetime.now(UTC))
    write_beside(site, cast)
    return site


@pytest.fixture
def site(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "site"))


def test_an_untouched_record_is_genuine(site: Path, trust: Path) -> None:
    found = verify(site, "--trust", trust, "--max-age", 900, "--seen", site / "log/checkpoint")

    assert found.returncode == GENUINE, found.stdout
    assert "NOT CHECKED" not in found.stdout
    assert "3 permit statements and 2 released files" in found.stdout


def test_the_verifier_needs_nothing_of_havre() -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(VERIFIER.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def test_what_was_not_checked_is_said(site: Path, trust: Path) -> None:
    bare, named = verify(site), verify(site, "--trust", trust)

    assert (bare.returncode, named.returncode) == (GENUINE, GENUINE)
    assert "NOT CHECKED  authenticity" in bare.stdout
    assert "NOT CHECKED  freshness" in bare.stdout
    assert "NOT CHECKED  freshness" in named.stdout
    assert "authenticity" not in named.stdout


def test_a_machine_reads_the_answer_too(site: Path, trust: Path, entries: list[bytes]) -> None:
    answer = json.loads(verify(site, "--trust", trust, "--json").stdout)

    assert answer["fault"] is None
    assert answer["size"] == len(entries)


@pytest.mark.parametrize(
    "arguments", [["--max-age", "900"], ["--seen", "/nowhere"], ["--trust", "/nowhere"]]
)
def test_a_wrong_command_is_not_an_answer_about_the_log(site: Path, arguments: list[str]) -> None:
    assert verify(site, *arguments).returncode == USAGE
    assert verify(site / "nowhere").returncode == USAGE


# One file of every kind there is.
FILES = [
    "log/tile/entries/000",
    "log/tile/entries/000.p/40",
    "log/tile/entries/001.p/{rest}",
    "log/tile/0/000",
    "log/tile/0/000.p/3",
    "log/tile/0/001.p/{rest}",
    "log/tile/1/000.p/1",
    "register/permits/diabetes/9.json",
    "releases/r1/tables/rates.csv",
    "releases/r1/manifest.json",
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_one_altered_byte_is_noticed(
    site: Path, entries: list[bytes], name: str, place: str
) -> None:
    """Even without trust roots: what is hashed anew does not depend on who signs."""
    path = site / name.format(rest=len(entries) - 256)
    content = bytearray(path.read_bytes())
    content[{"first": 0, "middle": len(content) // 2, "last": -1}[place]] ^= 1
    path.write_bytes(content)

    assert verify(site).returncode == NOT_GENUINE


@pytest.mark.parametrize("name", [*FILES[:1], *FILES[2:4], *FILES[5:7], "log/checkpoint"])
def test_a_file_that_is_missing_or_cut_is_noticed(
    site: Path, entries: list[bytes], name: str
) -> None:
    path = site / name.format(rest=len(entries) - 256)
    path.write_bytes(path.read_bytes()[:-1])
    cut = verify(site)
    path.unlink()

    assert (cut.returncode, verify(site).returncode) == (NOT_GENUINE, NOT_GENUINE)


def test_a_link_in_place_of_a_file_is_noticed(site: Path) -> None:
    path = site / "log/tile/0/000"
    path.rename(site / "elsewhere")
    path.symlink_to(site / "elsewhere")

    assert verify(site).returncode == NOT_GENUINE


def test_an_altered_byte_of_the_head_changes_nothing_that_is_believed(
    site: Path, trust: Path
) -> None:
    """Refused; or, in the name of one witness, that line no longer counts and is not counted."""
    path = site / "log/checkpoint"
    genuine = path.read_bytes()
    accepted = 0
    for place in range(0, len(genuine), 23):
        altered = bytearray(genuine)
        altered[place] ^= 1
        path.write_bytes(altered)
        found = verify(site, "--trust", trust)
        assert found.returncode == NOT_GENUINE or "3 of 4 witnesses" in found.stdout
        accepted += found.returncode == GENUINE

    assert accepted < len(genuine) / 23 / 4


def retold(
    site: Path, entries: Sequence[bytes], *, cast: Cast, witnesses: Sequence[str] = WITNESSES
) -> Path:
    """Publish another log in the place of the first, by whoever holds these keys."""
    shutil.rmtree(site / "log")
    publish(site, entries, cast=cast, witnesses=witnesses, at=datetime.now(UTC))
    return site


def swapped(entries: list[bytes]) -> list[bytes]:
    return [*entries[:-2], entries[-1], entries[-2]]


def dropped(entries: list[bytes]) -> list[bytes]:
    return [*entries[:-2], entries[-1]]


@pytest.mark.parametrize("change", [swapped, dropped])
def test_another_order_or_a_dropped_entry_is_noticed_though_every_tile_is_made_anew(
    site: Path, cast: Cast, trust: Path, entries: list[bytes], change: Callable[..., list[bytes]]
) -> None:
    """The host rewrites every file, and keeps the signed head: it has no key."""
    head = (site / "log/checkpoint").read_bytes()
    retold(site, change(entries), cast=cast)
    (site / "log/checkpoint").write_bytes(head)

    assert verify(site).returncode == NOT_GENUINE
    assert verify(site, "--trust", trust).returncode == NOT_GENUINE


def test_a_rewritten_log_under_foreign_keys_is_noticed_by_who_brings_trust_roots(
    site: Path, trust: Path, entries: list[bytes]
) -> None:
    retold(site, swapped(entries), cast=Cast())

    assert verify(site, "--trust", trust).returncode == NOT_GENUINE


@pytest.mark.parametrize("liars", [(), WITNESSES[:1], WITNESSES[:2]])
def test_a_fork_by_the_hub_itself_is_noticed_unless_a_quorum_of_witnesses_lies(
    site: Path, cast: Cast, trust: Path, entries: list[bytes], liars: Sequence[str]
) -> None:
    retold(site, swapped(entries), cast=cast, witnesses=liars)

    assert verify(site, "--trust", trust).returncode == NOT_GENUINE


def test_whoever_saw_an_earlier_head_notices_a_fork_though_every_witness_lies(
    site: Path, cast: Cast, trust: Path, entries: list[bytes], tmp_path: Path
) -> None:
    shutil.copy(site / "log/checkpoint", tmp_path / "seen")
    retold(site, [*swapped(entries), encode_event(catalogue_event(1))], cast=cast)

    # The limit of what anybody can know who brings nothing but trust roots.
    assert verify(site, "--trust", trust).returncode == GENUINE
    seen = verify(site, "--trust", trust, "--seen", tmp_path / "seen")
    assert seen.returncode == NOT_GENUINE
    assert "fork" in seen.stdout


def test_a_rollback_is_noticed_by_whoever_brings_an_earlier_head_or_a_maximum_age(
    site: Path, cast: Cast, trust: Path, entries: list[bytes], tmp_path: Path
) -> None:
    shutil.copy(site / "log/checkpoint", tmp_path / "seen")
    shutil.rmtree(site / "log")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    publish(site, entries[:-5], cast=cast, at=yesterday)

    told_nothing = verify(site, "--trust", trust)
    seen = verify(site, "--trust", trust, "--seen", tmp_path / "seen")
    aged = verify(site, "--trust", trust, "--max-age", 900)

    assert (told_nothing.returncode, "NOT CHECKED  freshness" in told_nothing.stdout) == (0, True)
    assert (seen.returncode, "rolled back" in seen.stdout) == (NOT_GENUINE, True)
    assert (aged.returncode, "seconds ago" in aged.stdout) == (NOT_GENUINE, True)


def test_cosignatures_from_the_future_do_not_make_a_head_fresh(
    site: Path, cast: Cast, trust: Path, entries: list[bytes]
) -> None:
    shutil.rmtree(site / "log")
    publish(site, entries, cast=cast, at=datetime.now(UTC) + timedelta(hours=1))

    assert verify(site, "--trust", trust, "--max-age", 900).returncode == NOT_GENUINE


def test_trust_roots_with_too_few_witnesses_are_not_believed(
    site: Path, cast: Cast, tmp_path: Path
) -> None:
    body = json.loads(encode_trust_roots(cast.roots))
    for party in body["parties"]:
        if party["role"] == "witness":
            party["operator"] = "one house"
    weak = json.dumps(body, sort_keys=True, separators=(",", ":"))
    (tmp_path / "weak.json").write_text(weak, encoding="utf-8")

    assert verify(site, "--trust", tmp_path / "weak.json").returncode == NOT_GENUINE


def at(events: list[Event], kind: str, *, last: bool = False) -> int:
    places = [index for index, event in enumerate(events) if event.kind == kind]
    return places[-1 if last else 0]


def changed(kind: str, *, last: bool = False, **fields: Any) -> Callable[[list[Event]], None]:
    def change(events: list[Event]) -> None:
        place = at(events, kind, last=last)
        events[place] = replace(events[place], **fields)

    return change


def repeated(events: list[Event]) -> None:
    events.append(events[1])


def released_twice(events: list[Event]) -> None:
    events.append(replace(events[at(events, "KeysReleased")], event_id="f" * 32))


def one_vote_less(events: list[Event]) -> None:
    del events[at(events, "VoteCast")]


def a_vote_turned(events: list[Event]) -> None:
    place = at(events, "OutputReviewed")
    reviewed: Any = events[place]
    events[place] = replace(reviewed, votes=dict.fromkeys(reviewed.votes, "return"))


def not_reviewed(events: list[Event]) -> None:
    del events[at(events, "OutputReviewed")]


def revoked_before_release_of_keys(events: list[Event]) -> None:
    place = at(events, "PermitMoved", last=True)
    granted: Any = events[place]
    revoked = replace(granted, state="revoked", predecessor=place, event_id="e" * 32)
    events.insert(place + 1, revoked)
    request = at(events, "KeysRequested", last=True)
    released = at(events, "KeysReleased", last=True)
    events[released] = replace(events[released], request=request)  # type: ignore[call-arg]


# Acts that a dishonest hub could sign, and that every reader notices as nonsense.
BREACHES: dict[str, Callable[[list[Event]], None]] = {
    "an act told twice": repeated,
    "keys released without a request": changed("KeysReleased", request=0),
    "keys released for a later request": changed("KeysReleased", request=10**6),
    "one request released twice": released_twice,
    "keys released under a revoked permit": revoked_before_release_of_keys,
    "a delivery that nobody received": changed("KeysRequested", deliveries=(0,)),
    "a version without its parent": changed("VersionPublished", last=True, parent=None),
    "a version with another parent": changed("VersionPublished", last=True, parent=0),
    "a permit granted before anybody looked at it": changed("PermitMoved", state="granted"),
    "a permit without its predecessor": changed("PermitMoved", last=True, predecessor=None),
    "an extract of what is no version": changed("ExtractMade", versions={"dcir": 0}),
    "an extract under another permit": changed("ExtractMade", permit="nobody"),
    "a job on what is no extract": changed("JobRan", extract=0),
    "a vote that was never cast": one_vote_less,
    "a vote turned when it was opened": a_vote_turned,
    "a release that nobody reviewed": not_reviewed,
    "a release of another job": changed("OutputReleased", job="j9"),
    "a count that is not rounded": changed("DeliveryChecked", rows_accepted=1234),
    "another log's opening": changed("HubOpened", origin="elsewhere.example/log"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_story_that_makes_no_sense_is_noticed_though_everybody_signed_it(
    tmp_path: Path, cast: Cast, trust: Path, breach: str
) -> None:
    events = story(cast)
    BREACHES[breach](events)
    publish(tmp_path / "site", [encode_event(event) for event in events], cast=cast)

    found = verify(tmp_path / "site", "--trust", trust)

    assert found.returncode == NOT_GENUINE
    assert "is not right" in found.stdout


def test_the_story_itself_makes_sense(tmp_path: Path, cast: Cast, trust: Path) -> None:
    publish(tmp_path / "site", [encode_event(event) for event in story(cast)], cast=cast)

    assert verify(tmp_path / "site", "--trust", trust).returncode == GENUINE


def test_an_entry_in_another_spelling_is_noticed(tmp_path: Path, cast: Cast, trust: Path) -> None:
    spaced = [encode_event(event) for event in story(cast)]
    spaced[1] = spaced[1].replace(b":", b": ")
    publish(tmp_path / "site", spaced, cast=cast)

    assert verify(tmp_path / "site", "--trust", trust).returncode == NOT_GENUINE


def test_a_permit_and_a_release_that_are_not_on_the_log_are_noticed(site: Path) -> None:
    other = shutil.copytree(site / "register/permits/diabetes", site / "register/permits/other")
    permit = verify(site)
    shutil.rmtree(other)
    (site / "releases/r1/extra.csv").write_bytes(b"smuggled")

    assert (permit.returncode, verify(site).returncode) == (NOT_GENUINE, NOT_GENUINE)


def test_files_of_acts_that_were_not_published_yet_are_counted_and_not_believed(
    site: Path, cast: Cast, trust: Path, entries: list[bytes]
) -> None:
    """A hub that was stopped half way leaves them; they must not hide an alteration either."""
    head = (site / "log/checkpoint").read_bytes()
    publish(site, [*entries, encode_event(catalogue_event(9))], cast=cast)
    (site / "log/checkpoint").write_bytes(head)

    found = verify(site, "--trust", trust)

    assert found.returncode == GENUINE, found.stdout
    assert "NOT CHECKED  files past the checkpoint: 2" in found.stdout
    ahead = site / f"log/tile/0/001.p/{len(entries) + 1 - 256}"
    ahead.write_bytes(bytes(32) + ahead.read_bytes()[32:])
    assert verify(site, "--trust", trust).returncode == NOT_GENUINE


def test_a_moved_log_is_believed_under_the_new_key_and_no_longer_under_the_old(
    tmp_path: Path, cast: Cast, trust: Path
) -> None:
    from contract.suite_witness import Stage
    from fakes.parties import SetClock

    cast = Cast(people={**cast.people, "new-host": Hands("new-host")})
    stage = Stage(None, cast, SetClock())  # type: ignore[arg-type]
    stage.grow(*(encode_event(event) for event in story(cast)))
    stage.hand_over("new-host")
    stage.grow(encode_event(catalogue_event(1)))
    entries = stage.log.entries(0, stage.size)
    for signer in ("new-host", "hub"):
        publish(tmp_path / signer, entries, cast=cast, signer=signer)

    assert verify(tmp_path / "new-host", "--trust", trust).returncode == GENUINE
    assert verify(tmp_path / "hub", "--trust", trust).returncode == NOT_GENUINE

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
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.hub_log import WITNESSES, catalogue_event
from fakes.parties import Cast, Hands
from fakes.story import publish, story, write_beside
from fakes.verifier import GENUINE, NOT_GENUINE, TOO_OLD, USAGE, VERIFIER, verify
from havre.domain.events import encode_event
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
    "releases/r1/ro-crate-metadata.json",
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
    assert (aged.returncode, "TOO OLD" in aged.stdout) == (TOO_OLD, True)


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

    found = verify(site, "--trust", tmp_path / "weak.json")
    assert (found.returncode, "too few independent" in found.stderr) == (USAGE, True)


# What a name in the site could do to the reader's terminal, or to the program.
NAMES = ["x is fine.\nGENUINE AS FAR AS CHECKED\n", "\x1b[8mhidden", "caf\u00e9", "\udcff"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_the_site_writes_no_line_of_its_own(site: Path, name: str) -> None:
    (site / "register/permits" / name).write_bytes(b"{}")

    found = verify(site)

    assert found.returncode == NOT_GENUINE
    assert found.stderr == ""
    assert len(found.stdout.splitlines()) == 1
    assert found.stdout.strip().isprintable()


LINKS = ["releases/r1", "releases/r1/tables/rates.csv", "register/permits/diabetes", "log/tile"]


@pytest.mark.parametrize("name", LINKS)
def test_a_link_in_a_site_is_refused(site: Path, tmp_path: Path, name: str) -> None:
    (site / name).rename(tmp_path / "elsewhere")
    (site / name).symlink_to(tmp_path / "elsewhere")

    found = verify(site)

    assert (found.returncode, f"{name} is a link" in found.stdout) == (NOT_GENUINE, True)


def test_released_files_that_are_not_there_are_counted(site: Path, trust: Path) -> None:
    shutil.rmtree(site / "releases")

    found = verify(site, "--trust", trust)

    assert (found.returncode, "not beside the log: 2" in found.stdout) == (GENUINE, True)


def test_a_page_among_released_files_is_no_released_file(site: Path) -> None:
    (site / "releases/r1/tables/rates.csv.html").write_text("<p>other rates</p>")

    assert verify(site).returncode == NOT_GENUINE


def test_trust_roots_out_of_the_site_itself_are_no_authenticity(site: Path, trust: Path) -> None:
    shutil.copy(trust, site / "trust.json")

    found = verify(site, "--trust", site / "trust.json")

    assert "NOT CHECKED  authenticity: these trust roots come from the site" in found.stdout


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000])
def test_a_readers_own_file_that_cannot_be_used_is_no_fault_of_the_site(
    site: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "mine").write_bytes(content)

    for option in ("--trust", "--seen"):
        assert verify(site, option, tmp_path / "mine").returncode == USAGE


def test_tiles_past_the_head_or_under_strange_names_are_counted(site: Path) -> None:
    for name in ("entries/x000/000", "entries/005", "0/005"):
        path = site / "log/tile" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"anything")

    found = verify(site)

    assert "NOT CHECKED  files past the checkpoint: 2" in found.stdout
    assert "NOT CHECKED  files in log/ that are no part of a log: 1" in found.stdout


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

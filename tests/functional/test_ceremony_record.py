"""The printed record of a ceremony says what the log says, and nothing secret.

On a founded hub with real custodians; the digest is computed by the command that the
page itself gives.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.small_hub import SmallHub, copy_of, founded
from havre.adapters.custody.notes import CeremonyNotes
from havre.adapters.custody.shares import ShareStore
from havre.adapters.paper.words import _WORDS, LANGUAGES, word
from havre.bootstrap.custodian_desk import list_ceremonies, write_record
from havre.domain.ceremony_record import encode_note, parse_note
from havre.domain.events import PartitionsCreated, events_of
from havre.errors import InvalidInput, NotFound, NotGenuine, Refused
from havre.values import ObjectId

FORMS = [(language, end) for language in LANGUAGES for end in ("html", "txt")]


@pytest.fixture(scope="module")
def hub() -> SmallHub:
    return founded()


@pytest.fixture(scope="module")
def ceremony(hub: SmallHub) -> str:
    (row,) = list_ceremonies(hub.parties / "custodian-1")
    return str(row["ceremony"])


def written(hub: SmallHub, ceremony: str, out: Path, language: str = "fr") -> str:
    write_record(hub.parties / "custodian-1", ceremony, out=out, language=language)
    return out.read_text("utf-8")


def test_every_custodian_and_the_escrow_have_the_same_ceremony(
    hub: SmallHub, ceremony: str
) -> None:
    for name in ("custodian-2", "custodian-3", "escrow"):
        (row,) = list_ceremonies(hub.parties / name)
        assert row["ceremony"] == ceremony


def test_the_annex_has_the_logs_commitments_for_this_custodian(
    hub: SmallHub, ceremony: str, tmp_path: Path
) -> None:
    text = written(hub, ceremony, tmp_path / "record.txt")
    annex = dict(re.findall(r"^([0-9a-f]{32}) ([0-9a-f]{64})$", text, re.MULTILINE))
    events = (each.event for each in hub.open().log.entries())
    logged = {
        partition: shares["custodian-1"]
        for created in events_of(events, PartitionsCreated)
        for partition, shares in created.shares.items()
    }

    assert annex == logged
    assert len(annex) > 80


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_on_the_page_computes_the_digest_on_the_page(
    hub: SmallHub, ceremony: str, tmp_path: Path, language: str
) -> None:
    text = written(hub, ceremony, tmp_path / "record.txt", language)
    (command,) = re.findall(r"^ +(grep .* sha256sum)$", text, re.MULTILINE)
    computed = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.split()[0]

    assert text.count(computed) == 2


@pytest.mark.parametrize(("language", "end"), FORMS)
def test_nothing_secret_is_on_it_nor_what_an_id_stands_for(
    hub: SmallHub, ceremony: str, tmp_path: Path, language: str, end: str
) -> None:
    page = written(hub, ceremony, tmp_path / f"record.{end}", language)
    folder = hub.parties / "custodian-1"
    store = ShareStore(folder, keys=hub.token("custodian-1"), custodian="custodian-1")
    for name, partition in store.partitions().items():
        share = store.open(name)
        assert str(share["words"])[:40] not in page
        assert str(share["salt"]) not in page
        assert partition.text not in page
    assert (folder / "passphrase").read_text().strip() not in page


@pytest.mark.parametrize(("language", "end"), FORMS)
def test_it_says_in_each_language_all_that_can_be_checked(
    hub: SmallHub, ceremony: str, tmp_path: Path, language: str, end: str
) -> None:
    page = written(hub, ceremony, tmp_path / f"record.{end}", language).replace("\n", " ")
    token = hub.token("custodian-1")
    note = CeremonyNotes(hub.parties / "custodian-1").find(ceremony)
    said = re.sub(r"\s+", " ", page)
    bare = said.replace(" ", "")

    assert ceremony in said
    assert token.trust_roots().origin in said
    assert f"{note.accepted_at:%Y-%m-%d %H:%M:%S} UTC" in said
    for digest in (token.party.key_id, note.epoch_key):
        assert digest in bare
    for name in ("presence", "signature", "epoch_key", "verify", "attest"):
        assert re.sub(r"\s+", " ", word(name, language)) in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_nothing_from_elsewhere(
    hub: SmallHub, ceremony: str, tmp_path: Path, language: str
) -> None:
    page = written(hub, ceremony, tmp_path / "record.html", language)

    assert not re.search(r"https?:|src=|<script|@import|url\(", page)


def test_each_sentence_is_there_in_both_languages() -> None:
    assert all(len(row) == 2 and all(row) for row in _WORDS.values())
    assert [name for name, (french, english) in _WORDS.items() if french == english] == [
        "partitions",
        "signature",
        "partition",
        "page",
    ]


def test_a_ceremony_that_is_not_known_is_named(hub: SmallHub, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="havre custodian ceremonies"):
        written(hub, "0" * 32, tmp_path / "record.txt")


@pytest.mark.parametrize(("file", "language"), [("record.pdf", "fr"), ("record.txt", "de")])
def test_another_form_or_language_is_refused(
    hub: SmallHub, ceremony: str, tmp_path: Path, file: str, language: str
) -> None:
    with pytest.raises(InvalidInput, match=r"\.html or \.txt|in fr or en"):
        written(hub, ceremony, tmp_path / file, language)


def test_who_is_no_custodian_has_no_record(hub: SmallHub, ceremony: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="takes no part in ceremonies"):
        write_record(
            hub.parties / "witness-1", ceremony, out=tmp_path / "record.txt", language="fr"
        )


@pytest.fixture
def own(tmp_path: Path) -> SmallHub:
    """A copy, to be changed."""
    return copy_of(founded(), tmp_path / "own")


def test_a_ceremony_that_was_cut_short_has_no_record(
    own: SmallHub, ceremony: str, tmp_path: Path
) -> None:
    notes = CeremonyNotes(own.parties / "custodian-1")
    cut = replace(notes.find(ceremony), ceremony="cut", commitments={"a" * 32: "b" * 64})
    notes.add(cut)

    with pytest.raises(Refused, match="no key pair for 1 of the 1 partitions"):
        written(own, "cut", tmp_path / "record.txt")
    assert not (tmp_path / "record.txt").exists()


def test_a_share_that_the_log_does_not_know_is_no_record_to_sign(
    own: SmallHub, ceremony: str, tmp_path: Path
) -> None:
    notes = CeremonyNotes(own.parties / "custodian-1")
    note = notes.find(ceremony)
    first = ObjectId(min(note.commitments))
    notes.add(replace(note, commitments={**note.commitments, first: "b" * 64}))

    with pytest.raises(NotGenuine, match="other commitments for 1 of"):
        written(own, ceremony, tmp_path / "record.txt")


def test_a_copy_of_the_log_that_was_changed_on_the_disk_is_no_ground(
    own: SmallHub, ceremony: str, tmp_path: Path
) -> None:
    folder = own.parties / "custodian-1" / "mirror" / "log"
    note = CeremonyNotes(own.parties / "custodian-1").find(ceremony)
    mine, changed = next(iter(note.commitments.values())).encode(), 0
    for path in folder.rglob("*"):
        if path.is_file() and mine in (content := path.read_bytes()):
            path.write_bytes(content.replace(mine, b"0" * len(mine)))
            changed += 1
    assert changed

    with pytest.raises(NotGenuine):
        written(own, ceremony, tmp_path / "record.txt")


def test_a_note_reads_back_and_no_other_spelling_is_read(hub: SmallHub, ceremony: str) -> None:
    note = CeremonyNotes(hub.parties / "custodian-1").find(ceremony)
    document = encode_note(note)
    body = json.loads(document)

    assert parse_note(document) == note
    changes: list[dict[str, object]] = [
        {"epoch": "1"},
        {"epoch": True},
        {"commitments": []},
        {"commitments": {"a": "b" * 64}},
        {"commitments": {"a" * 32: "b"}},
        {"format": "havre/v2/ceremony-note"},
        {"accepted_at": "yesterday"},
        {"ceremony": "../a"},
        {"more": 1},
    ]
    for change in changes:
        changed = json.dumps({**body, **change}, sort_keys=True, separators=(",", ":"))
        with pytest.raises(InvalidInput):
            parse_note(changed.encode())

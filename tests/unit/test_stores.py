"""What `havre.toml` says of stores is read strictly, and no access key is ever in it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from havre.bootstrap.place import read_place, write_place
from havre.bootstrap.store_places import StorePlace, StoreRules, read_stores
from havre.bootstrap.stores import ONLY, list_hosts, open_store, store_places
from havre.errors import InvalidInput, Unavailable
from havre.ports.pages import SiteSettings
from havre.values import ObjectId

HUB = Path("/hub")
NEAR = '[[stores]]\nname = "near"\nhost = "cellar"\npath = "store"\n'
FAR = (
    '[[stores]]\nname = "far"\nhost = "some-cloud"\nurl = "s3://lake/one"\n'
    'endpoint = "https://s3.example"\nregion = "fr"\nkeys = "private/far.toml"\n'
)


def read(text: str) -> StoreRules:
    return read_stores(tomllib.loads(text), folder=HUB)


def test_a_directory_and_a_bucket_are_read() -> None:
    near = StorePlace("near", "cellar", path=HUB / "store")
    far = StorePlace(
        "far",
        "some-cloud",
        endpoint="https://s3.example",
        bucket="lake",
        prefix="one",
        region="fr",
        keys=HUB / "private/far.toml",
    )

    assert read(NEAR + FAR) == StoreRules((near, far), needed=2)
    assert read(NEAR + FAR + "[replicas]\nneeded = 1\n").needed == 1


def test_a_hub_that_names_no_store_has_its_one_directory(tmp_path: Path) -> None:
    write_place(
        tmp_path,
        custodians=[tmp_path / "c1"],
        escrow=tmp_path / "escrow",
        witnesses=[tmp_path / "w1"],
        settings=SiteSettings(),
    )

    place = read_place(tmp_path)

    assert store_places(place) == (StorePlace(ONLY, "", path=tmp_path / "store"),)
    assert list_hosts(place) == ((ONLY, ""),)


@pytest.mark.parametrize(
    "text",
    [
        'stores = "near"',
        "stores = [1]",
        '[[stores]]\nname = "near"',
        '[[stores]]\npath = "store"',
        '[[stores]]\nname = "Near"\npath = "store"',
        '[[stores]]\nname = "near"\nhost = "a b"\npath = "store"',
        '[[stores]]\nname = "near"\npath = 3',
        NEAR + NEAR,
        NEAR + NEAR.replace("near", "also"),
        FAR + FAR.replace('"far"', '"also"'),
        FAR.replace("s3://lake/one", "https://lake/one"),
        FAR.replace("s3://lake/one", "s3://user:word@lake/one"),
        FAR.replace("https://", "http://"),
        FAR.replace('endpoint = "https://s3.example"\n', ""),
        FAR + 'path = "store"\n',
        FAR + 'secret = "AKIA"\n',
        FAR + 'secret_access_key = "AKIA"\n',
        NEAR + "[replicas]\nneeded = 0",
        NEAR + "[replicas]\nneeded = 2",
        NEAR + '[replicas]\nneeded = "one"',
        NEAR + "[replicas]\nneeded = 1\nmore = 2",
        "replicas = 1",
    ],
)
def test_what_is_misspelled_or_does_not_belong_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read(text)


def test_a_host_of_this_machine_needs_no_https() -> None:
    assert read(FAR.replace("https://s3.example", "http://127.0.0.1:8333")).places


# ---------------------------------------------------------------- what is away

ANY = ObjectId("1" * 32)


def placed(folder: Path, text: str) -> StorePlace:
    (place,) = read_stores(tomllib.loads(text), folder=folder).places
    return place


def refusal(folder: Path, text: str) -> Unavailable:
    """What a store says that cannot be opened."""
    (folder / "hub").mkdir()
    write_place(
        folder / "hub",
        custodians=[folder / "c1"],
        escrow=folder / "escrow",
        witnesses=[folder / "w1"],
        settings=SiteSettings(),
    )
    place = read_place(folder / "hub")
    with pytest.raises(Unavailable) as told:
        open_store(place, placed(folder, text)).get(ANY)
    return told.value


def test_a_disk_that_is_not_mounted_is_no_empty_store(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()

    assert "not there, or was never prepared" in refusal(tmp_path, NEAR).message
    assert list((tmp_path / "store").iterdir()) == []


def test_an_access_key_that_was_not_given_is_named(tmp_path: Path) -> None:
    without = FAR.replace('keys = "private/far.toml"\n', "")

    told = refusal(tmp_path, without)

    assert "no access key for store far" in told.message
    assert "HAVRE_STORE_FAR_KEY_ID" in told.hint


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ('key_id = "a"\nsecret = "hidden"\n', 0o644, "Others can read"),
        ('key_id = "a"\nsecret = ""\n', 0o600, "is no access key"),
        ('key_id = "a"\nsecret = "hidden"\nmore = "b"\n', 0o600, "is no access key"),
        ("no toml", 0o600, "is no access key"),
    ],
)
def test_a_file_that_is_no_private_access_key_is_named(
    tmp_path: Path, text: str, mode: int, words: str
) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private/far.toml").write_text(text)
    (tmp_path / "private/far.toml").chmod(mode)

    told = refusal(tmp_path, FAR)

    assert words in told.message
    assert "hidden" not in str(told)

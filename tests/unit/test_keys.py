"""Shares, key files and party directories open for whom they should, and for nobody else."""

from __future__ import annotations

import itertools
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havre.adapters.tokens.file import FileToken, create_party
from havre.crypto.keyfiles import Stretch, WrongPassphrase, lock_seeds, unlock_seeds
from havre.crypto.sealing import seal_key
from havre.crypto.shares import combine_shares, split_secret
from havre.crypto.signatures import check_signature
from havre.domain.trust import Role
from havre.errors import InvalidInput, NotFound, NotGenuine, Refused

SECRET = bytes(range(32))


def test_any_two_of_three_shares_give_the_secret() -> None:
    shares = split_secret(SECRET, threshold=2, shares=3)

    assert {combine_shares(pair) for pair in itertools.combinations(shares, 2)} == {SECRET}


def test_one_share_is_not_enough_and_three_are_too_many() -> None:
    shares = split_secret(SECRET, threshold=2, shares=3)

    for wrong in (shares[:1], shares):
        with pytest.raises(InvalidInput):
            combine_shares(wrong)


def test_shares_of_two_secrets_do_not_combine() -> None:
    first = split_secret(SECRET, threshold=2, shares=3)
    second = split_secret(SECRET, threshold=2, shares=3)

    with pytest.raises((InvalidInput, NotGenuine)):
        combine_shares([first[0], second[1]])


def test_an_altered_word_is_noticed() -> None:
    shares = split_secret(SECRET, threshold=2, shares=3)
    words = shares[0].split()
    words[10] = "academic" if words[10] != "academic" else "acid"

    with pytest.raises(NotGenuine):
        combine_shares([" ".join(words), shares[1]])


@pytest.mark.parametrize(("threshold", "shares"), [(1, 3), (4, 3), (2, 17)])
def test_numbers_that_protect_nothing_are_refused(threshold: int, shares: int) -> None:
    with pytest.raises(ValueError, match="threshold"):
        split_secret(SECRET, threshold=threshold, shares=shares)


@pytest.mark.parametrize("stretch", list(Stretch))
def test_a_key_file_opens_under_its_passphrase_only(stretch: Stretch) -> None:
    locked = lock_seeds({"sign": SECRET}, passphrase=b"right", stretch=stretch)

    assert unlock_seeds(locked, passphrase=b"right") == {"sign": SECRET}
    with pytest.raises(WrongPassphrase):
        unlock_seeds(locked, passphrase=b"wrong")


def test_a_key_file_does_not_show_its_seed() -> None:
    locked = lock_seeds({"sign": SECRET}, passphrase=b"right", stretch=Stretch.MACHINE)

    assert SECRET.hex().encode() not in locked


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=100))
def test_no_bytes_break_the_key_file_reader(noise: bytes) -> None:
    with pytest.raises(InvalidInput):
        unlock_seeds(noise, passphrase=b"")


def test_a_partys_directory_signs_and_opens_and_can_be_carried_away(tmp_path: Path) -> None:
    public = create_party(tmp_path / "hub", name="hub", role=Role.HUB, operator="a house").public
    moved = FileToken((tmp_path / "hub").rename(tmp_path / "elsewhere"))
    sealed = seal_key(SECRET, to=moved.seal_public, info=b"x")

    check_signature(moved.sign(b"yes"), b"yes", public=public)
    assert moved.open_key(sealed, info=b"x") == SECRET


def test_only_its_owner_reads_a_partys_keys(tmp_path: Path) -> None:
    create_party(tmp_path / "hub", name="hub", role=Role.HUB, operator="a house")
    modes = {
        name: stat.S_IMODE((tmp_path / "hub" / name).stat().st_mode)
        for name in ("key.json", "passphrase", ".")
    }

    assert modes == {"key.json": 0o600, "passphrase": 0o600, ".": 0o700}


def test_a_party_is_not_made_twice(tmp_path: Path) -> None:
    create_party(tmp_path / "hub", name="hub", role=Role.HUB, operator="a house")

    with pytest.raises(Refused):
        create_party(tmp_path / "hub", name="hub", role=Role.HUB, operator="a house")


def test_a_directory_without_a_party_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="--party"):
        FileToken(tmp_path)

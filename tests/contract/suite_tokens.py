"""What every party's token promises (`ports.tokens`).

An adapter's test imports `*` from here and gives a fixture `bench`, which makes
a party's token and opens it anew, as another process would.
"""

from __future__ import annotations

import stat
from typing import Protocol

import pytest

from havre.bootstrap.tokens import PartyToken
from havre.crypto.sealing import seal_key
from havre.crypto.signatures import check_signature
from havre.domain.trust import Role
from havre.errors import NotFound, NotGenuine, Refused

SECRET = bytes(range(32))


class Bench(Protocol):
    """Makes tokens."""

    def make(self, name: str) -> PartyToken:
        """A new party's token."""

    def again(self, name: str) -> PartyToken:
        """The same token, opened anew."""


def test_its_signatures_fit_its_public_key_and_are_always_the_same(bench: Bench) -> None:
    token = bench.make("custodian-1")
    signatures = {token.sign(b"yes"), bench.again("custodian-1").sign(b"yes")}

    assert len(signatures) == 1
    check_signature(signatures.pop(), b"yes", public=bench.again("custodian-1").public)


def test_what_is_sealed_to_it_opens_under_the_same_context_only(bench: Bench) -> None:
    sealed = seal_key(SECRET, to=bench.make("custodian-1").seal_public, info=b"x")
    token = bench.again("custodian-1")

    assert token.open_key(sealed, info=b"x") == SECRET
    for wrong in ((sealed, b"y"), (sealed[:-1] + b"?", b"x"), (b"", b"x")):
        with pytest.raises(NotGenuine):
            token.open_key(wrong[0], info=wrong[1])


def test_what_is_sealed_to_another_party_does_not_open(bench: Bench) -> None:
    sealed = seal_key(SECRET, to=bench.make("custodian-1").seal_public, info=b"x")

    with pytest.raises(NotGenuine):
        bench.make("custodian-2").open_key(sealed, info=b"x")


def test_trust_roots_get_the_party_that_it_speaks_for(bench: Bench) -> None:
    party = bench.make("custodian-1").party

    assert (party.name, party.role, party.operator) == ("custodian-1", Role.CUSTODIAN, "a house")
    assert party.key == bench.again("custodian-1").public


def test_a_secret_is_drawn_once_and_stays(bench: Bench) -> None:
    token = bench.make("custodian-1")
    token.create_secret("stage-1")
    secret = bench.again("custodian-1").secret("stage-1")

    assert len(secret) == 32
    assert bench.again("custodian-1").secret("stage-1") == secret
    with pytest.raises(Refused, match="already"):
        token.create_secret("stage-1")
    with pytest.raises(NotFound):
        token.secret("stage-2")


def test_a_secret_of_one_name_does_not_pass_for_another(bench: Bench) -> None:
    token = bench.make("custodian-1")
    for name in ("stage-1", "stage-2"):
        token.create_secret(name)
    folder = token.folder
    (folder / "stage-1.secret.json").replace(folder / "stage-2.secret.json")

    with pytest.raises(NotGenuine):
        bench.again("custodian-1").secret("stage-2")


def test_an_epoch_opens_until_its_key_is_destroyed(bench: Bench) -> None:
    locked = bench.make("custodian-1").lock_epoch(1, SECRET)
    later = bench.again("custodian-1").lock_epoch(2, SECRET[::-1])

    assert bench.again("custodian-1").open_epoch(1, locked) == SECRET

    for _ in range(2):
        bench.again("custodian-1").destroy_epoch(1)
    with pytest.raises(Refused, match="destroyed the key of epoch 1"):
        bench.again("custodian-1").open_epoch(1, locked)
    assert bench.again("custodian-1").open_epoch(2, later) == SECRET[::-1]


def test_an_epochs_key_is_never_made_twice(bench: Bench) -> None:
    token = bench.make("custodian-1")
    locked = token.lock_epoch(1, SECRET)

    with pytest.raises(Refused, match="already"):
        token.lock_epoch(1, SECRET[::-1])
    assert token.open_epoch(1, locked) == SECRET


def test_a_locked_seed_is_bound_to_its_epoch_and_its_party(bench: Bench) -> None:
    token, other = bench.make("custodian-1"), bench.make("custodian-2")
    locked = token.lock_epoch(1, SECRET)
    token.lock_epoch(2, SECRET)
    other.lock_epoch(1, SECRET)

    assert SECRET not in locked
    altered = locked[:-1] + bytes([locked[-1] ^ 1])
    for whose, number, content in (
        (token, 2, locked),
        (other, 1, locked),
        (token, 1, altered),
        (token, 1, b""),
    ):
        with pytest.raises(NotGenuine):
            whose.open_epoch(number, content)


def test_its_directory_is_its_owners_alone(bench: Bench) -> None:
    token = bench.make("custodian-1")
    token.create_secret("stage-1")
    private = [
        token.folder,
        *(path for path in token.folder.iterdir() if path.name != "party.toml"),
    ]

    assert len(private) > 2
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in private} == {0}


def test_a_party_is_not_made_where_one_is_nor_where_its_keys_are(bench: Bench) -> None:
    folder = bench.make("custodian-1").folder
    with pytest.raises(Refused, match="holds a party already"):
        bench.make("custodian-1")
    (folder / "party.toml").rename(folder / "lost")
    with pytest.raises(Refused, match="or its keys"):
        bench.make("custodian-1")
    (folder / "lost").rename(folder / "party.toml")

    assert bench.again("custodian-1").sign(b"yes")

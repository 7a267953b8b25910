"""What a token says when it lets nobody in, and where its PIN comes from."""

from __future__ import annotations

import os
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import TokenFlag

from havre.adapters.tokens.cryptoki import TokenLocked, refusal_of, tries_left
from havre.adapters.tokens.party import read_config
from havre.bootstrap.founding import found_hub
from havre.bootstrap.pins import forget_told, pin_of
from havre.bootstrap.tokens import create_token, parse_role, split_tokens
from havre.domain.trust import Role
from havre.errors import InvalidInput, Refused
from havre.formats.token_keys import TokenKeys, encode_token_keys, parse_token_keys
from havre.ports.pages import SiteSettings


def test_a_locked_token_is_named() -> None:
    """SoftHSM never locks: what the library raises for a token that does is named here."""
    refusal = refusal_of(pkcs11.PinLocked(), label="custodian-1")

    assert isinstance(refusal, TokenLocked)
    assert "custodian-1 is locked" in refusal.message


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (pkcs11.PinExpired(), "expired"),
        (pkcs11.UserPinNotInitialized(), "no PIN yet"),
        (pkcs11.TokenWriteProtected(), "write-protected"),
    ],
)
def test_whatever_keeps_a_token_closed_is_named(fault: pkcs11.PKCS11Error, words: str) -> None:
    assert words in str(refusal_of(fault, label="custodian-1"))


def test_what_is_no_refusal_of_the_token_is_none() -> None:
    assert refusal_of(pkcs11.DeviceRemoved(), label="custodian-1") is None


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (TokenFlag(0), ""),
        (TokenFlag.USER_PIN_COUNT_LOW, "counts"),
        (TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY, "One try is left"),
    ],
)
def test_tries_that_are_left_are_told_as_far_as_the_token_tells(
    flags: TokenFlag, words: str
) -> None:
    assert words in tries_left(flags)


@pytest.fixture(autouse=True)
def _no_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HAVRE_PIN")]:
        monkeypatch.delenv(name)
    forget_told()


def test_a_partys_own_pin_comes_before_the_one_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAVRE_PIN_CUSTODIAN_1", "one")
    monkeypatch.setenv("HAVRE_PIN", "all")

    assert [pin_of(name)() for name in ("custodian-1", "custodian-2", "custodian-1")] == [
        "one",
        "all",
        "one",
    ]


def test_a_pin_in_the_environment_is_inherited_by_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAVRE_PIN_CUSTODIAN_1", "one")
    monkeypatch.setenv("HAVRE_PIN", "all")
    for name in ("custodian-1", "custodian-2"):
        pin_of(name)()

    assert not [name for name in os.environ if name.startswith("HAVRE_PIN")]


def test_a_pin_comes_through_a_descriptor_and_leaves_it_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"1234\nsomething else\n")
    os.close(writing)
    monkeypatch.setenv("HAVRE_PIN_FD", str(reading))

    assert pin_of("custodian-1")() == "1234"
    assert pin_of("custodian-2")() == "1234"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)


@pytest.mark.parametrize("descriptor", ["", "three", "-1", "987654"])
def test_a_descriptor_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, descriptor: str
) -> None:
    monkeypatch.setenv("HAVRE_PIN_FD", descriptor)

    with pytest.raises(InvalidInput, match="HAVRE_PIN_FD names no descriptor"):
        pin_of("custodian-1")()


def test_without_a_pin_and_without_a_person_it_is_said_how_to_give_one() -> None:
    with pytest.raises(Refused, match="HAVRE_PIN_CUSTODIAN_1, in HAVRE_PIN"):
        pin_of("custodian-1")()


URI = "pkcs11:token=custodian-1?module-path=/usr/lib/softhsm/libsofthsm2.so"
PARTY = 'name = "custodian-1"\nrole = "custodian"\noperator = "a house"\n'


@pytest.mark.parametrize(
    "rest",
    [
        "",
        f'token = "{URI}"\n',
        f'token = "{URI}"\nkeys = "00"\n',
        f'token = "{URI}"\nkeys = "{"0" * 32}"\npassphrase_file = "passphrase"\n',
        f'token = "{URI}"\nkeys = "{"0" * 32}"\npin = "1234"\n',
        f'token = "{URI}&pin-value=1234"\nkeys = "{"0" * 32}"\n',
        f'token = 7\nkeys = "{"0" * 32}"\n',
    ],
)
def test_a_party_file_that_says_half_or_too_much_of_its_token_is_refused(
    tmp_path: Path, rest: str
) -> None:
    (tmp_path / "party.toml").write_text(PARTY + rest)

    with pytest.raises(InvalidInput):
        read_config(tmp_path)


def test_a_party_whose_token_has_no_address_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="PKCS#11 URI"):
        create_token(
            tmp_path / "a", name="a", role=Role.CUSTODIAN, operator="a house", token="yubikey"
        )
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "words", [["custodian-1"], ["=pkcs11:"], ["custodian-1="], ["a=pkcs11:x", "a=pkcs11:y"]]
)
def test_which_party_has_which_token_is_told_in_one_way(words: list[str]) -> None:
    with pytest.raises(InvalidInput, match="NAME=ADDRESS, or a party has two"):
        split_tokens(words)


@pytest.mark.parametrize("tokens", [{"nobody": URI}, {"custodian-1": "pkcs11:token=a"}])
def test_a_founding_refuses_a_token_that_makes_no_sense_before_it_makes_anything(
    tmp_path: Path, tokens: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput):
        found_hub(
            tmp_path / "hub",
            parties=tmp_path / "parties",
            origin="havre.example/test",
            progress=print,
            settings=SiteSettings(made_up=True, language="en"),
            tokens=tokens,
        )
    assert not any(tmp_path.iterdir())


def test_a_role_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"Roles: .*custodian"):
        parse_role("depositary")


def test_token_keys_read_back_and_no_other_spelling_is_read() -> None:
    keys = TokenKeys(b"seal", bytes(1216), None, bytes(32))
    document = encode_token_keys(keys)

    assert parse_token_keys(document) == keys
    for wrong in (b"", b"{}", document[:-1], document.replace(b'"sign":null', b'"sign":"z"')):
        with pytest.raises(InvalidInput):
            parse_token_keys(wrong)

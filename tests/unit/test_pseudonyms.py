"""Pseudonyms, value by value, against vectors made with Python's `hmac` alone."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from havre.crypto.nir import normalise_nir
from havre.crypto.pseudonym_labels import foreign_label, hmac_key, is_sentinel, technical_label
from havre.crypto.pseudonyms import (
    project_key,
    project_pseudonym,
    pseudonym_of_foreign,
    pseudonym_of_nir,
    second_stage,
)
from havre.errors import InvalidInput

VECTORS: list[dict[str, str]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "pseudonyms.json").read_text("utf-8")
)


def computed(vector: dict[str, str]) -> str:
    secret = bytes.fromhex(vector["secret"])
    match vector["stage"]:
        case "nir":
            return pseudonym_of_nir(
                vector["nir"], birth=vector["birth"], sex=vector["sex"], secret=secret
            )
        case "foreign":
            return pseudonym_of_foreign(vector["value"], realm=vector["realm"], secret=secret)
        case "lake":
            return second_stage(vector["value"], secret=secret)
        case "project":
            return project_pseudonym(vector["value"], secret=secret)
    return project_key(vector["value"], key=vector["key"], secret=secret)


@pytest.mark.parametrize("vector", VECTORS)
def test_every_stage_agrees_with_the_vectors(vector: dict[str, str]) -> None:
    assert computed(vector) == vector["pseudonym"]


def test_the_hmac_key_is_the_secrets_hexadecimal_not_its_bytes() -> None:
    secret = bytes(range(32))
    message = b"havre/v1/p2\n" + b"0" * 32
    as_text = hmac.new(secret.hex().encode(), message, hashlib.sha256).hexdigest()[:32]
    as_bytes = hmac.new(secret, message, hashlib.sha256).hexdigest()[:32]

    assert second_stage("0" * 32, secret=secret) == as_text != as_bytes


@pytest.mark.parametrize(
    "nir",
    ["206127511100564", "185052A00400181", "185052B03300114", "1 69 10 99 341 001 24"],
)
def test_a_published_nir_has_a_good_key(nir: str) -> None:
    assert len(normalise_nir(nir)) == 13


@pytest.mark.parametrize(
    "nir",
    [
        "206127511100565",
        "2061275111005",
        "985052A00400181",
        "185052C00400181",
        "185052A004001811",
        "",
        "²06127511100564",
    ],
)
def test_a_nir_with_a_fault_is_refused_and_not_shown(nir: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        normalise_nir(nir)
    assert not nir or nir not in str(refusal.value)


def test_every_single_wrong_digit_of_a_nir_is_noticed() -> None:
    good = "206127511100564"
    for place in range(15):
        for digit in set("0123456789") - {good[place]}:
            with pytest.raises(InvalidInput):
                normalise_nir(good[:place] + digit + good[place + 1 :])


@pytest.mark.parametrize(
    "value",
    ["X" * 17, "x" * 17, "X" * 16 + "D", "X" * 16 + "S", "B" + "X" * 16, "0" * 17, " ", ""],
)
def test_a_sentinel_is_never_a_person(value: str) -> None:
    assert is_sentinel(value)
    with pytest.raises(InvalidInput):
        pseudonym_of_foreign(value, realm="nir-psa", secret=bytes(32))


def test_a_declared_sentinel_is_met_in_any_case() -> None:
    assert is_sentinel("Inconnu ", ("INCONNU",))
    assert not is_sentinel("inconnue", ("INCONNU",))


@pytest.mark.parametrize("name", ["", "a\nb", "é", "a/b", "-"])
def test_a_name_that_could_spell_another_label_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        foreign_label(name)
    with pytest.raises(InvalidInput):
        technical_label(name)


@pytest.mark.parametrize("text", ["", "0" * 31, "G" * 32, "A" * 32])
def test_a_later_stage_takes_only_an_earlier_stages_output(text: str) -> None:
    with pytest.raises(InvalidInput):
        second_stage(text, secret=bytes(32))
    with pytest.raises(InvalidInput):
        project_pseudonym(text, secret=bytes(32))


def test_a_secret_of_another_length_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        hmac_key(bytes(16))

"""A statement is believed for exactly the people who signed it, in its own place."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.parties import ORIGIN, Cast
from havre.domain.statements import (
    MissingSignature,
    Statement,
    WrongContext,
    merge_signatures,
    open_statement,
    sign_statement,
)
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.statements import parse_envelope

STATEMENT = Statement("havre/v1/test", ORIGIN, "subject-1", {"answer": 42})
TWO = {Role.AUTHORITY: 2}


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


def opened(
    envelope: bytes, roots: TrustRoots, required: dict[Role, int] | None = None
) -> list[str]:
    found = open_statement(
        envelope,
        roots=roots,
        predicate_type="havre/v1/test",
        origin=ORIGIN,
        required=TWO if required is None else required,
    )
    return sorted(party.name for party in found.signers)


def test_two_authorities_who_signed_are_named(cast: Cast) -> None:
    envelope = sign_statement(STATEMENT, [cast["authority-1"], cast["authority-2"]])

    assert opened(envelope, cast.roots) == ["authority-1", "authority-2"]


def test_signatures_given_one_after_the_other_make_the_same_envelope(cast: Cast) -> None:
    both = sign_statement(STATEMENT, [cast["authority-1"], cast["authority-2"]])
    apart = [sign_statement(STATEMENT, [cast[name]]) for name in ("authority-2", "authority-1")]

    assert merge_signatures(apart) == both


def test_one_signature_is_not_two(cast: Cast) -> None:
    with pytest.raises(MissingSignature, match="1 of role authority"):
        opened(sign_statement(STATEMENT, [cast["authority-1"]]), cast.roots)


def test_another_role_does_not_count(cast: Cast) -> None:
    envelope = sign_statement(STATEMENT, [cast["authority-1"], cast["checker-1"]])

    with pytest.raises(MissingSignature):
        opened(envelope, cast.roots)


def test_two_keys_of_one_house_are_one_person(cast: Cast) -> None:
    parties = tuple(
        replace(party, operator="one house") if party.role is Role.AUTHORITY else party
        for party in cast.roots.parties
    )
    envelope = sign_statement(STATEMENT, [cast["authority-1"], cast["authority-2"]])

    with pytest.raises(MissingSignature):
        opened(envelope, replace(cast.roots, parties=parties))


def test_a_strangers_signature_spoils_the_envelope(cast: Cast) -> None:
    stranger = Cast()["authority-1"]
    signers = [cast["authority-1"], cast["authority-2"], stranger]

    with pytest.raises(NotGenuine, match="not in the trust roots"):
        opened(sign_statement(STATEMENT, signers), cast.roots)


def test_a_statement_of_another_log_is_refused(cast: Cast) -> None:
    elsewhere = replace(STATEMENT, origin="havre.example/elsewhere")
    envelope = sign_statement(elsewhere, [cast["authority-1"], cast["authority-2"]])

    with pytest.raises(WrongContext):
        opened(envelope, cast.roots)


def test_a_statement_of_another_kind_is_refused(cast: Cast) -> None:
    other = replace(STATEMENT, predicate_type="havre/v1/other")
    envelope = sign_statement(other, [cast["authority-1"], cast["authority-2"]])

    with pytest.raises(WrongContext):
        opened(envelope, cast.roots)


def test_the_same_person_does_not_sign_twice(cast: Cast) -> None:
    envelope = sign_statement(STATEMENT, [cast["authority-1"]])

    with pytest.raises(Refused, match="signed already"):
        merge_signatures([envelope, envelope])


def test_signatures_on_two_texts_do_not_merge(cast: Cast) -> None:
    other = sign_statement(replace(STATEMENT, predicate={}), [cast["authority-2"]])

    with pytest.raises(Refused, match="differ"):
        merge_signatures([sign_statement(STATEMENT, [cast["authority-1"]]), other])


@given(st.data())
def test_one_altered_byte_is_refused(data: st.DataObject) -> None:
    cast = CAST
    envelope = sign_statement(STATEMENT, [cast["authority-1"], cast["authority-2"]])
    place = data.draw(st.integers(0, len(envelope) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != envelope[place]))
    altered = envelope[:place] + bytes([other]) + envelope[place + 1 :]

    with pytest.raises((InvalidInput, NotGenuine)):
        opened(altered, cast.roots)


def test_an_envelope_in_another_spelling_is_refused(cast: Cast) -> None:
    envelope = sign_statement(STATEMENT, [cast["authority-1"]])

    with pytest.raises(InvalidInput, match="canonical"):
        parse_envelope(json.dumps(json.loads(envelope), indent=1).encode())


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_envelope(noise)


CAST = Cast()

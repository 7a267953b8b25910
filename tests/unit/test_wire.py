"""What parties say to each other is read strictly, and a refusal comes back as what it was."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

import havre.domain
from havre.adapters.custody import wire as custody_wire
from havre.adapters.witness import wire as witness_wire
from havre.domain.clocks import ClockWentBack
from havre.domain.custody import ReleaseRefused, ShareRequest
from havre.errors import (
    HavreError,
    Held,
    InvalidInput,
    NotFound,
    NotGenuine,
    Refused,
    Unavailable,
    Unprotected,
)
from havre.formats.canonical import Json, encode_canonical
from havre.formats.notes import NoteSignature
from havre.formats.wire import Message, encode_refusal, from_base64, parse_refusal, to_base64
from havre.ports.custody import ShareAnswer
from havre.ports.witness import HandoverProof

KINDS = (InvalidInput, Refused, NotGenuine, NotFound, Unavailable, Held, Unprotected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_keeps_its_class_sentence_hint_and_exit_code(kind: type[HavreError]) -> None:
    read = parse_refusal(encode_refusal(kind("It is so.", hint="Do that.")))

    assert (type(read), read.message, read.hint, read.exit_code) == (
        kind,
        "It is so.",
        "Do that.",
        kind.exit_code,
    )


def test_a_class_that_is_carried_comes_back_and_another_one_as_its_kind() -> None:
    sent = encode_refusal(ClockWentBack("It went back."))

    assert type(parse_refusal(sent, carried=(ReleaseRefused, ClockWentBack))) is ClockWentBack
    assert type(parse_refusal(sent, carried=(ReleaseRefused,))) is Refused


def test_a_class_of_another_kind_than_it_says_is_not_made() -> None:
    body = encode_canonical(
        {"class": "ClockWentBack", "hint": "", "kind": "NotGenuine", "message": "No."}
    )

    assert type(parse_refusal(body, carried=(ClockWentBack,))) is NotGenuine


REFUSAL: dict[str, Json] = {"class": "Refused", "hint": "", "kind": "Refused", "message": "No."}


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "HavreError"},
        {"kind": "SystemExit"},
        {"kind": 7},
        {"message": ""},
        {"message": "a\x1b[2Jb"},
        {"message": "a\nb"},
        {"message": ["No."]},
        {"message": "x" * 4001},
        {"hint": "\x07"},
        {"more": "fields"},
    ],
)
def test_a_refusal_that_no_screen_should_show_is_not_read(changed: dict[str, Json]) -> None:
    with pytest.raises(InvalidInput):
        parse_refusal(encode_canonical({**REFUSAL, **changed}))


def test_a_refusal_of_any_length_is_sent_within_its_bounds() -> None:
    assert parse_refusal(encode_refusal(Refused("x" * 10_000, hint="y" * 10_000)))


def refusals_of_the_domain() -> set[type[HavreError]]:
    """Every refusal that a rule of the domain raises, and that is made like `HavreError` is."""
    found: set[type[HavreError]] = set()
    for module in pkgutil.iter_modules(havre.domain.__path__, "havre.domain."):
        for _, each in inspect.getmembers(import_module(module.name), inspect.isclass):
            if each.__module__ != module.name or "__init__" in vars(each):
                continue
            if issubclass(each, HavreError):
                found.add(each)
    return found


# What is raised on the way of a delivery, of a table or of a permit's form, and by no
# rule that a custodian or a witness asks.
_ELSEWHERE = {"DeliveryHeld", "HeaderDiffers", "LinesLost", "PermitFaults"}


def test_every_refusal_that_a_custodian_can_meet_is_carried() -> None:
    carried = {*custody_wire.CARRIED, *witness_wire.CARRIED}
    missing = refusals_of_the_domain() - carried

    assert {each.__name__ for each in missing} <= _ELSEWHERE


@given(st.binary(max_size=200))
def test_bytes_come_back_as_they_were(content: bytes) -> None:
    assert from_base64(to_base64(content)) == content


@pytest.mark.parametrize("text", ["!", "QQ", "QQ==\n", "QR==", " QQ==", 7, None, ["QQ=="]])
def test_bytes_have_one_spelling(text: Json) -> None:
    with pytest.raises(InvalidInput):
        from_base64(text)


@given(st.binary(max_size=60))
def test_no_bytes_break_a_reader(noise: bytes) -> None:
    readers = (
        custody_wire.parse_request,
        custody_wire.parse_answer,
        witness_wire.parse_head,
        witness_wire.parse_cosignature_line,
        parse_refusal,
        lambda body: Message(body, "a"),
    )
    for reader in readers:
        with pytest.raises(InvalidInput):
            reader(noise)


def test_messages_read_back() -> None:
    request = ShareRequest(-1, b"key", {"a" * 64: b"permit"}, {3: b"salt", 12: b""})
    answer = ShareAnswer({"p": b"sealed"}, b"receipt")
    proof = HandoverProof(b"entry", 7, (b"n" * 32,))
    line = NoteSignature("witness-1", b"1234", b"s" * 72)
    head = witness_wire.encode_head(b"note", old_size=4, proof=[b"x"], handovers=[proof])

    assert custody_wire.parse_request(custody_wire.encode_request(request)) == request
    assert custody_wire.parse_answer(custody_wire.encode_answer(answer)) == answer
    assert witness_wire.parse_head(head) == (b"note", 4, [b"x"], [proof])
    assert witness_wire.parse_cosignature_line(witness_wire.encode_cosignature_line(line)) == line


@pytest.mark.parametrize("name", ["-1", "01", "x", "", "1.0"])
def test_a_salt_of_no_entry_is_refused(name: str) -> None:
    body: dict[str, Json] = {"documents": {}, "index": 1, "one_time_key": "", "salts": {name: ""}}

    with pytest.raises(InvalidInput):
        custody_wire.parse_request(encode_canonical(body))


@pytest.mark.parametrize(
    "handover",
    [7, {}, {"entry": "", "index": "1", "proof": []}, {"entry": "", "index": 1, "proof": {}}],
)
def test_a_handover_of_another_form_is_refused(handover: Json) -> None:
    body: dict[str, Json] = {"handovers": [handover], "note": "", "old_size": 0, "proof": []}

    with pytest.raises(InvalidInput):
        witness_wire.parse_head(encode_canonical(body))

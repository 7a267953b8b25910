"""Published notes read back, verify, and are refused with anything changed."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havre.crypto.signatures import check_signature
from havre.errors import InvalidInput, NotGenuine
from havre.formats.notes import (
    ED25519,
    Checkpoint,
    NoteSignature,
    SignedNote,
    checkpoint_text,
    encode_note,
    parse_checkpoint,
    parse_cosignature,
    parse_note,
    short_key_id,
)

# The example of the Go package golang.org/x/mod/sumdb/note, from which C2SP signed-note comes.
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""


def published_key() -> bytes:
    return base64.b64decode(VERIFIER.split("+", 2)[2])[1:]


def test_the_short_id_of_the_published_key_is_the_published_one() -> None:
    assert short_key_id("PeterNeumann", published_key(), kind=ED25519).hex() == "c74f20a3"


def test_the_published_note_verifies() -> None:
    note = parse_note(NOTE.encode())

    check_signature(note.signatures[0].signature, note.text.encode(), public=published_key())


def test_the_published_note_with_one_letter_changed_does_not_verify() -> None:
    note = parse_note(NOTE.replace("answer", "Answer").encode())

    with pytest.raises(NotGenuine):
        check_signature(note.signatures[0].signature, note.text.encode(), public=published_key())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("— PeterNeumann x", "- PeterNeumann x"),
        ("AM=\n", "AM=\n\n"),
        ("AM=\n", "AM="),
        ("AM=\n", "AN=\n"),
        ("is.\n\n—", "is.\n—"),
        ("PeterNeumann x", "Peter+Neumann x"),
        ("your problem,", "your\tproblem,"),
    ],
)
def test_a_note_in_another_spelling_is_refused(old: str, new: str) -> None:
    assert old in NOTE

    with pytest.raises(InvalidInput):
        parse_note(NOTE.replace(old, new).encode())


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    try:
        note = parse_note(noise)
    except InvalidInput:
        return
    assert encode_note(note) == noise


def test_a_checkpoint_reads_back() -> None:
    checkpoint = Checkpoint("havre.example/log", 17, bytes(range(32)))

    assert parse_checkpoint(checkpoint_text(checkpoint)) == checkpoint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n17\n", "\n017\n"),
        ("\n17\n", "\n-1\n"),
        ("\n17\n", "\n1e1\n"),
        ("log\n", "log\n\n"),
        ("8=", "9="),
    ],
)
def test_a_checkpoint_in_another_spelling_is_refused(old: str, new: str) -> None:
    text = checkpoint_text(Checkpoint("havre.example/log", 17, bytes(range(32))))
    assert old in text

    with pytest.raises(InvalidInput):
        parse_checkpoint(text.replace(old, new))


def test_a_signer_with_a_space_in_its_name_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="space"):
        encode_note(SignedNote("x\n", (NoteSignature("a b", bytes(4), bytes(64)),)))


def test_a_short_cosignature_is_refused() -> None:
    with pytest.raises(InvalidInput):
        parse_cosignature(bytes(71))

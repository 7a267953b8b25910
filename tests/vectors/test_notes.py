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
    cosigned_message,
    encode_cosignature,
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


# The worked example of C2SP tlog-cosignature, whose keys are not published.
EXAMPLE_CHECKPOINT = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""
EXAMPLE_LINES = """
— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""


def test_the_published_cosignature_says_its_time_and_signs_the_published_bytes() -> None:
    note = parse_note((EXAMPLE_CHECKPOINT + EXAMPLE_LINES).encode())
    unix_time, signature = parse_cosignature(note.signatures[1].signature)

    message = cosigned_message(note.text, unix_time=unix_time)

    assert message.decode() == "cosignature/v1\ntime 1679315147\n" + EXAMPLE_CHECKPOINT
    assert encode_cosignature(unix_time, signature) == note.signatures[1].signature
    assert parse_checkpoint(note.text).size == 20852163


def test_the_short_id_of_the_specifications_verifier_key_is_the_published_one() -> None:
    """The example of C2SP signed-note, section Verifier keys."""
    public = bytes.fromhex("e932791ae6e7a840a46164c904786426d5e7821dd8b29a00d61cae72afdd4da4")

    assert short_key_id("example.com/foo", public, kind=ED25519).hex() == "530d903a"


def test_a_published_checkpoint_verifies() -> None:
    """From the test data of litewitness (FiloSottile/torchwood, multi-cosigs-ed25519.txt)."""
    origin = "sigsum.org/v1/tree/985ea163f5af026723561354f51f2ebcdcf2af809ce254ccfb64aa9aadd80f90"
    public = bytes.fromhex("52c05edad1bf5feffa81354faae59a655d9a9a1a793ed2f62c39c26c0be2aecd")
    signed = (
        f"{origin}\n1\nKgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— {origin} "
        "7BKT0gOfNZ1J0So9unY3BZtm2YkPIoNYM/dce0Z2avJDs8dxN6ts9bOSwwrVrbjm6P9K3ZxpK6jJngOG6YvGGzV/lwo=\n"
    )
    note = parse_note(signed.encode())

    assert note.signatures[0].short_id == short_key_id(origin, public, kind=ED25519)
    check_signature(note.signatures[0].signature, note.text.encode(), public=public)
    assert parse_checkpoint(note.text) == Checkpoint(origin, 1, b"\x2a" + bytes(31))


@pytest.mark.parametrize("name", ["a b", "a+b", "a\u00a0b", "a\u2003b", ""])
def test_a_name_with_a_space_of_any_kind_cannot_be_written(name: str) -> None:
    with pytest.raises(ValueError, match="space"):
        encode_note(SignedNote("x\n", (NoteSignature(name, bytes(4), bytes(64)),)))

"""What the log's store promises (`ports.log.LogStore`).

An adapter's test imports `*` from here and gives a fixture `store`, empty.
"""

from __future__ import annotations

import base64

import pytest

from havre.crypto.merkle import grow, leaf_hash, peaks_root
from havre.errors import NotFound, Refused
from havre.formats.notes import (
    Checkpoint,
    NoteSignature,
    SignedNote,
    checkpoint_text,
    encode_note,
)
from havre.ports.log import LogStore


def entries_of(start: int, end: int) -> list[bytes]:
    return [f"entry {index}".encode() for index in range(start, end)]


def naive_root(size: int) -> bytes:
    peaks: tuple[tuple[int, bytes], ...] = ()
    for entry in entries_of(0, size):
        peaks = grow(peaks, leaf_hash(entry))
    return peaks_root(peaks)


def note_of(size: int, *, signers: int = 1) -> bytes:
    text = checkpoint_text(Checkpoint("havre.example/log", size, naive_root(size)))
    lines = tuple(NoteSignature(f"signer-{n}", bytes(4), bytes(64)) for n in range(signers))
    return encode_note(SignedNote(text, lines))


def test_an_empty_log_has_published_nothing(store: LogStore) -> None:
    with pytest.raises(NotFound):
        store.checkpoint()
    assert store.pending() is None


@pytest.mark.parametrize("steps", [(1, 2, 3, 10), (255, 256, 257), (300, 301, 700), (520,)])
def test_the_root_is_that_of_all_entries_however_they_came(
    store: LogStore, steps: tuple[int, ...]
) -> None:
    at = 0
    for size in steps:
        assert store.append(entries_of(at, size), at=at) == naive_root(size)
        at = size

    assert store.entries(0, at) == entries_of(0, at)


def test_entries_are_read_from_any_place_to_any_place(store: LogStore) -> None:
    store.append(entries_of(0, 600), at=0)

    for start, end in ((0, 0), (0, 1), (255, 257), (256, 512), (599, 600), (10, 590)):
        assert store.entries(start, end) == entries_of(start, end)


def test_an_entry_that_is_not_there_is_not_found(store: LogStore) -> None:
    store.append(entries_of(0, 3), at=0)

    with pytest.raises(NotFound):
        store.entries(0, 4)


def test_every_subtree_is_the_hash_of_its_entries(store: LogStore) -> None:
    store.append(entries_of(0, 300), at=0)

    for level, index in ((0, 0), (0, 299), (3, 36), (8, 0), (7, 1), (5, 8)):
        peaks: tuple[tuple[int, bytes], ...] = ()
        for entry in entries_of(index << level, (index + 1) << level):
            peaks = grow(peaks, leaf_hash(entry))
        assert store.node(level, index, size=300) == peaks_root(peaks)


def test_appending_the_same_again_changes_nothing(store: LogStore) -> None:
    first = store.append(entries_of(0, 5), at=0)

    assert store.append(entries_of(0, 5), at=0) == first
    assert store.entries(0, 5) == entries_of(0, 5)


def test_a_pending_checkpoint_waits_until_it_is_published(store: LogStore) -> None:
    store.append(entries_of(0, 2), at=0)
    store.put_pending(note_of(2))

    assert store.pending() == note_of(2)
    with pytest.raises(NotFound):
        store.checkpoint()

    store.publish(note_of(2, signers=3))

    assert store.pending() is None
    assert store.checkpoint() == note_of(2, signers=3)


def test_a_pending_checkpoint_is_never_replaced(store: LogStore) -> None:
    store.put_pending(note_of(2))
    store.put_pending(note_of(2))

    with pytest.raises(Refused):
        store.put_pending(note_of(3))
    with pytest.raises(Refused):
        store.publish(note_of(3, signers=2))

    assert store.pending() == note_of(2)


def test_a_writer_is_alone(store: LogStore) -> None:
    with store.exclusive():
        root = store.append(entries_of(0, 1), at=0)
    with store.exclusive():
        again = store.append(entries_of(1, 2), at=1)

    assert (root, again) == (naive_root(1), naive_root(2))
    assert base64.b64encode(naive_root(0)) == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

"""Inclusion and consistency proofs for an append-only log.

Pure functions over bytes: no files, no network, no clock. Reading and writing
tiles is `formats.tiles`; deciding whether to trust a checkpoint is
`domain.transparency`.

Hashes are 32 bytes, SHA-256, as in RFC 9162 section 2.1. A subtree is named by
its level and its index: level 0 are the leaves, node (l, i) covers the leaves
from i·2^l to (i+1)·2^l - 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from havre.errors import NotGenuine

HASH_BYTES = 32

# Gives the hash of a complete subtree by its level and index.
NodeReader: TypeAlias = Callable[[int, int], bytes]

# The largest complete subtrees of a tree, from the left: level and hash.
Peaks: TypeAlias = tuple[tuple[int, bytes], ...]


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf; the prefix keeps leaves and nodes apart.

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children into their parent."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Part the leaves from `start` to `end` into the largest complete subtrees, from the left.

    >>> list(subtrees(0, 7))
    [(2, 0), (1, 2), (0, 6)]
    """
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def _fold(hashes: Sequence[bytes]) -> bytes:
    """Hash complete subtrees, given from the left, into the node above all of them."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def range_hash(start: int, end: int, *, node: NodeReader) -> bytes:
    """Hash the leaves of a range that is a subtree of some tree, RFC 9162 style.

    Raises:
        ValueError: the range is empty.
    """
    if start >= end:
        raise ValueError("a range of no leaves has no hash of its own")
    return _fold([node(level, index) for level, index in subtrees(start, end)])


def grow(peaks: Peaks, leaf: bytes) -> Peaks:
    """Take one more leaf into a tree of which only the complete subtrees are kept.

    peaks: (level, hash) of the largest complete subtrees, from the left; what
        `subtrees` names. A tree of n leaves has at most log2(n) + 1 of them, so
        that a log grows without hashing its past again.
    """
    level, found, left = 0, leaf, list(peaks)
    while left and left[-1][0] == level:
        found, level = node_hash(left.pop()[1], found), level + 1
    return (*left, (level, found))


def peaks_root(peaks: Peaks) -> bytes:
    """Compute the root of a tree from its largest complete subtrees.

    >>> peaks_root(()).hex()[:8]
    'e3b0c442'
    """
    return _fold([found for _, found in peaks]) if peaks else hashlib.sha256().digest()


def tree_root(size: int, *, node: NodeReader) -> bytes:
    """Compute the root of a tree of `size` leaves from its complete subtrees."""
    return range_hash(0, size, node=node) if size else hashlib.sha256().digest()


def _split(size: int) -> int:
    """The largest power of two that is smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, *, size: int, node: NodeReader) -> list[bytes]:
    """Give the siblings that lead from a leaf to the root, from the leaf up.

    Raises:
        ValueError: the leaf is not in the tree.

    Source: RFC 9162 section 2.1.3.1.
    """
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(range_hash(middle, end, node=node))
            end = middle
        else:
            proof.append(range_hash(start, middle, node=node))
            start = middle
    return proof[::-1]


def check_inclusion(
    leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Make sure that a leaf is in the tree that `root` names.

    leaf: hash of the entry, by `leaf_hash`.
    index: position of the entry, from 0; must be below `size`.
    proof: sibling hashes of 32 bytes, from the leaf up.

    Raises:
        NotGenuine: the proof has the wrong length or leads to another root.

    Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise NotGenuine("A proof speaks of an entry that is not in the tree.")
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise NotGenuine("A proof of inclusion is too long.")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last or found != root:
        raise NotGenuine("An entry is not in the tree that the checkpoint names.")


def consistency_proof(old_size: int, *, size: int, node: NodeReader) -> list[bytes]:
    """Give what shows that the tree of `size` leaves begins with the one of `old_size`.

    Raises:
        ValueError: the sizes are not in order.

    Source: RFC 9162 section 2.1.4.1.
    """
    if not 0 <= old_size <= size:
        raise ValueError("the sizes are not in order")
    proof: list[bytes] = []
    start, end, whole = 0, size, True
    while 0 < old_size < end:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(range_hash(middle, end, node=node))
            end = middle
        else:
            proof.append(range_hash(start, middle, node=node))
            start, whole = middle, False
    if old_size and not whole:
        proof.append(range_hash(start, end, node=node))
    return proof[::-1]


def check_consistency(
    *, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Make sure that nothing before `old_size` was removed or changed.

    Raises:
        NotGenuine: the proof has the wrong length or does not lead to both roots.

    Source: RFC 9162 section 2.1.4.2.
    """
    if old_size > size or (old_size in (0, size) and proof):
        raise NotGenuine("A proof of consistency does not fit the two sizes.")
    if old_size == size and old_root != root:
        raise NotGenuine("Two heads of one size differ: the log was forked.")
    if old_size in (0, size):
        return
    if not proof:
        raise NotGenuine("A proof of consistency is too short.")
    if _replay(old_size, old_root, size=size, proof=proof) != (old_root, root):
        raise NotGenuine("The log does not begin with what it held before: it was rewritten.")


def _replay(
    old_size: int, old_root: bytes, *, size: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Work out which old and new root a proof of consistency leads to."""
    steps = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_found = found = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            raise NotGenuine("A proof of consistency is too long.")
        if place & 1 or place == last:
            old_found, found = node_hash(sibling, old_found), node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise NotGenuine("A proof of consistency is too short.")
    return old_found, found

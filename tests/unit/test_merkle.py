"""Proofs agree with a naive tree, and nothing else passes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havre.crypto.merkle import (
    Peaks,
    check_consistency,
    check_inclusion,
    consistency_proof,
    grow,
    inclusion_proof,
    leaf_hash,
    peaks_root,
    subtrees,
    tree_root,
)
from havre.errors import NotGenuine


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    pair = naive_root(leaves[:half]) + naive_root(leaves[half:])
    return hashlib.sha256(b"\x01" + pair).digest()


def reader(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    return lambda level, index: naive_root(leaves[index << level : (index + 1) << level])


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(bytes([index % 251, index // 251])) for index in range(size)]


def test_the_root_is_the_one_of_the_specification_for_every_small_size() -> None:
    for size in range(70):
        leaves = leaves_of(size)
        assert tree_root(size, node=reader(leaves)) == naive_root(leaves)


def test_every_leaf_of_every_small_tree_is_proven() -> None:
    for size in range(1, 40):
        leaves = leaves_of(size)
        for index in range(size):
            proof = inclusion_proof(index, size=size, node=reader(leaves))
            check_inclusion(
                leaves[index], index=index, size=size, proof=proof, root=naive_root(leaves)
            )


def test_every_pair_of_small_sizes_is_consistent() -> None:
    leaves = leaves_of(40)
    for size in range(41):
        for old_size in range(size + 1):
            check_consistency(
                old_size=old_size,
                old_root=naive_root(leaves[:old_size]),
                size=size,
                root=naive_root(leaves[:size]),
                proof=consistency_proof(old_size, size=size, node=reader(leaves[:size])),
            )


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_proof_for_another_tree_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 60))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    proof = inclusion_proof(index, size=size, node=reader(leaves))
    other = list(leaves)
    other[data.draw(st.integers(0, size - 1))] = leaf_hash(b"another entry")

    with pytest.raises(NotGenuine):
        check_inclusion(leaves[index], index=index, size=size, proof=proof, root=naive_root(other))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_rewritten_past_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 60))
    old_size = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, old_size - 1))
    leaves = leaves_of(size)
    rewritten = list(leaves)
    rewritten[changed] = leaf_hash(b"another entry")

    with pytest.raises(NotGenuine):
        check_consistency(
            old_size=old_size,
            old_root=naive_root(leaves[:old_size]),
            size=size,
            root=naive_root(rewritten),
            proof=consistency_proof(old_size, size=size, node=reader(rewritten)),
        )


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_proof_with_a_hash_more_less_or_changed_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(3, 60))
    old_size = data.draw(st.integers(1, size - 1))
    leaves = leaves_of(size)
    proof = consistency_proof(old_size, size=size, node=reader(leaves))
    place = data.draw(st.integers(0, len(proof) - 1))
    broken = data.draw(
        st.sampled_from(
            [
                [*proof, bytes(32)],
                proof[:place] + proof[place + 1 :],
                [*proof[:place], bytes(32), *proof[place + 1 :]],
            ]
        )
    )

    with pytest.raises(NotGenuine):
        check_consistency(
            old_size=old_size,
            old_root=naive_root(leaves[:old_size]),
            size=size,
            root=naive_root(leaves),
            proof=broken,
        )


def test_the_published_vectors_of_certificate_transparency_hold() -> None:
    """The eight leaves that RFC 6962 implementations share (certificate-transparency, merkletree tests)."""
    entries = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in entries]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }

    found = {size: tree_root(size, node=reader(leaves)).hex() for size in roots}

    assert found == roots


def test_a_tree_that_grows_leaf_by_leaf_has_the_same_roots() -> None:
    """The frontier keeps exactly the subtrees that the specification's split names."""
    leaves = leaves_of(130)
    peaks: Peaks = ()
    for size, leaf in enumerate(leaves, start=1):
        peaks = grow(peaks, leaf)
        assert peaks_root(peaks) == naive_root(leaves[:size])
        assert [level for level, _ in peaks] == [level for level, _ in subtrees(0, size)]

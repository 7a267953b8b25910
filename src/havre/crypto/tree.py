"""Every node of a tree that is in memory whole: what proofs of inclusion are made from.

For trees of which all leaves are at hand; of a log's tiles, `formats.tiles` reads the nodes.
"""

from __future__ import annotations

from collections.abc import Sequence

from havre.crypto.merkle import NodeReader, node_hash


def nodes_of(leaves: Sequence[bytes]) -> NodeReader:
    """Hash every complete subtree once, level by level.

    leaves: their hashes, 32 bytes each.

    >>> from havre.crypto.merkle import leaf_hash, tree_root
    >>> a, b = leaf_hash(b"a"), leaf_hash(b"b")
    >>> tree_root(2, node=nodes_of([a, b])) == node_hash(a, b)
    True
    """
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]

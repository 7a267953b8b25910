"""Padmé: sizes that say little about what is inside.

Pure arithmetic. Source: Nikitin et al., "Reducing Metadata Leakage from
Encrypted Files and Communication with PURBs", PoPETs 2019, section 4.
"""

from __future__ import annotations


def padded_size(size_bytes: int) -> int:
    """Round a size up so that only its order and its first few bits remain visible.

    A size of n bits keeps about log2(n) leading bits; it grows by at most 12 %,
    and by less the larger it is.

    Raises:
        ValueError: the size is negative.

    >>> padded_size(9), padded_size(1_000_001)
    (10, 1015808)
    """
    if size_bytes < 0:
        raise ValueError("a size is not negative")
    if size_bytes < 2:
        return size_bytes
    exponent = size_bytes.bit_length() - 1
    dropped_bits = exponent - exponent.bit_length()
    mask = (1 << dropped_bits) - 1
    return (size_bytes + mask) & ~mask

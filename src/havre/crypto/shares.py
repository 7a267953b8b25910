"""Splitting a secret so that any k of n parts give it back and k - 1 say nothing.

SLIP-39 (Shamir over GF(256) with a checksum and a digest of the secret),
through `shamir-mnemonic`, its reference implementation. The library is not
hardened against side channels: splitting and combining run in a short-lived
process on a machine with no other tenant (`adapters.keyroom`).

One group, k of n, empty passphrase, as `docs/protocols.md`, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics

from havre.errors import InvalidInput, NotGenuine

SECRET_BYTES = 32

# SLIP-39 stretches a passphrase; ours is empty and the secret has 256 random
# bits, so there is nothing to stretch and the least exponent is right.
_ITERATION_EXPONENT = 0


def split_secret(secret: bytes, *, threshold: int, shares: int) -> list[str]:
    """Split 32 bytes into `shares` lines of 33 words, any `threshold` of which suffice.

    Raises:
        ValueError: the secret has another length, or the numbers make no sense.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError("a secret that is split has 32 bytes")
    if not 2 <= threshold <= shares <= 16:
        raise ValueError("the threshold is at least 2 and at most the number of shares")
    groups = generate_mnemonics(
        1,
        [(threshold, shares)],
        secret,
        passphrase=b"",
        iteration_exponent=_ITERATION_EXPONENT,
    )
    return list(groups[0])


def combine_shares(shares: Sequence[str]) -> bytes:
    """Give the secret back from exactly as many shares as are needed.

    Raises:
        InvalidInput: too few, too many, or shares of different secrets.
        NotGenuine: a share was altered: its checksum or the digest inside does not fit.
    """
    try:
        secret = bytes(combine_mnemonics(list(shares), passphrase=b""))
    except MnemonicError as fault:
        if "checksum" in str(fault).lower() or "digest" in str(fault).lower():
            raise NotGenuine("A share was altered: its checksum does not fit.") from None
        raise InvalidInput("These shares do not make a secret together.") from None
    if len(secret) != SECRET_BYTES:
        raise NotGenuine("The shares make a secret of another length.")
    return secret

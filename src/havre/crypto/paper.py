"""A secret of 32 bytes as words that a person writes down and types again.

33 words of SLIP-39, one share of one: its list has 1,024 English words that differ
in their first four letters, and its checksum notices up to three words that are
wrong. No passphrase; the secret has 256 random bits already.

Source: SLIP-0039, through `shamir-mnemonic`, its reference implementation.
"""

from __future__ import annotations

from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics
from shamir_mnemonic.wordlist import WORDLIST

from havre.errors import InvalidInput

SECRET_BYTES = 32
WORDS = 33
# The list's words differ in their first letters, so that four are enough.
_LETTERS = 4
_BY_BEGINNING = {each[:_LETTERS]: each for each in WORDLIST}


class Misread(InvalidInput):
    """What was typed is not what a sheet of paper says."""


def words_of(secret: bytes) -> tuple[str, ...]:
    """Write a secret as words.

    Raises:
        ValueError: the secret has another length.

    >>> len(words_of(bytes(32)))
    33
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError("a secret on paper has 32 bytes")
    ((mnemonic,),) = generate_mnemonics(1, [(1, 1)], secret, passphrase=b"", iteration_exponent=0)
    return tuple(mnemonic.split())


def secret_of(typed: str) -> bytes:
    """Read a secret from words as a person types them.

    typed: words between blanks; capitals, numbers before words and whatever follows a
        word's fourth letter do not matter.

    Raises:
        Misread: saying which word is none, or that they do not fit together.

    >>> secret_of(" ".join(word[:4].upper() for word in words_of(bytes(32)))) == bytes(32)
    True
    """
    words = [word for word in typed.casefold().split() if not word.rstrip(".").isdecimal()]
    whole = [_BY_BEGINNING.get(word[:_LETTERS]) for word in words]
    if wrong := [place for place, word in enumerate(whole, start=1) if word is None]:
        places = ", ".join(map(str, wrong[:WORDS]))
        raise Misread(f"Words that are none of the list stand at: {places}.")
    if len(whole) != WORDS:
        raise Misread(f"A sheet has {WORDS} words; {len(whole)} were given.")
    try:
        secret = bytes(combine_mnemonics([" ".join(map(str, whole))], passphrase=b""))
    except MnemonicError:
        raise Misread(
            "The words do not fit together: at least one is another than on the sheet."
        ) from None
    if len(secret) != SECRET_BYTES:
        raise Misread("The words are not those of an epoch's sheet.")
    return secret

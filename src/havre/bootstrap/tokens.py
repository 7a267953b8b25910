"""The one place that knows which kind of token a party has: its directory says so."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from havre.adapters.tokens.file import FileToken, create_party
from havre.adapters.tokens.party import read_config
from havre.bootstrap.pins import pin_of
from havre.domain.trust import Role
from havre.errors import InvalidInput
from havre.formats.token_uri import parse_token_uri

if TYPE_CHECKING:
    from havre.adapters.tokens.pkcs11 import Pkcs11Token

# The library of hardware tokens is loaded by whoever has one.
PartyToken: TypeAlias = "FileToken | Pkcs11Token"


def open_token(folder: Path) -> PartyToken:
    """Open a party's token in its directory; the keys are opened when they are first needed.

    Raises:
        NotFound, InvalidInput: there is no party here, or `party.toml` cannot be read.
    """
    config = read_config(folder)
    if config.token is None:
        return FileToken(folder)
    from havre.adapters.tokens.pkcs11 import Pkcs11Token

    return Pkcs11Token(folder, pin=pin_of(config.name))


def create_token(
    folder: Path, *, name: str, role: Role, operator: str, token: str = ""
) -> PartyToken:
    """Make a party's directory with new keys.

    token: a PKCS#11 URI, for a party whose keys a hardware token keeps; else the
        keys lie in the directory, beside their passphrase.

    Raises:
        InvalidInput: no such URI.
        Refused: the directory holds a party already, or the token does not serve.
        Unavailable: the token is not there.
    """
    if not token:
        return create_party(folder, name=name, role=role, operator=operator)
    place = parse_token_uri(token)
    from havre.adapters.tokens.pkcs11 import create_token_party

    return create_token_party(
        folder, name=name, role=role, operator=operator, place=place, pin=pin_of(name)
    )


def split_tokens(words: Sequence[str]) -> dict[str, str]:
    """Read which party has which token: `NAME=ADDRESS`, one for each.

    Raises:
        InvalidInput: a word of another form, or a party twice.

    >>> split_tokens(["escrow=pkcs11:token=a?module-path=/lib/a.so"])
    {'escrow': 'pkcs11:token=a?module-path=/lib/a.so'}
    """
    pairs = [word.partition("=") for word in words]
    told = {name: address for name, _, address in pairs}
    if len(told) != len(words) or not all(name and address for name, address in told.items()):
        raise InvalidInput(
            "A party's token is not told as NAME=ADDRESS, or a party has two.",
            hint="Write it like custodian-1=pkcs11:token=LABEL?module-path=/usr/lib/p11.so.",
        )
    return told


def parse_role(word: str) -> Role:
    """Read a role.

    Raises:
        InvalidInput: there is none of this name.
    """
    try:
        return Role(word)
    except ValueError:
        raise InvalidInput(
            "No party has such a role.", hint=f"Roles: {', '.join(sorted(Role))}."
        ) from None


def describe(token: PartyToken) -> dict[str, str]:
    """Tell what others need to know of a party, and where its keys are; nothing secret."""
    place = token.config.token
    return {
        "name": token.name,
        "role": token.config.role.value,
        "operator": token.config.operator,
        "key": token.public.hex(),
        "key_id": token.party.key_id,
        "seal_key_sha256": hashlib.sha256(token.seal_public).hexdigest(),
        "keys_in": f"hardware token {place.label}" if place else "a file of this directory",
    }

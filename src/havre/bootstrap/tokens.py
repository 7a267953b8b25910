"""The one place that knows which kind of token a party has: its directory says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from havre.adapters.tokens.file import FileToken, create_party
from havre.adapters.tokens.party import read_config
from havre.bootstrap.pins import pin_of
from havre.domain.trust import Role
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

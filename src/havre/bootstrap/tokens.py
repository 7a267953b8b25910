"""The one place that knows which kind of token a party has: its directory says so."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from havre.adapters.tokens.file import FileToken, PaperFileToken, create_party
from havre.adapters.tokens.paper import OnPaper
from havre.adapters.tokens.party import EpochKeyAt, read_config
from havre.bootstrap.epoch_desk import TerminalDesk
from havre.bootstrap.pins import pin_of
from havre.domain.trust import Role
from havre.errors import InvalidInput
from havre.formats.token_uri import parse_token_uri
from havre.ports.tokens import EpochDesk

if TYPE_CHECKING:
    from havre.adapters.tokens.pkcs11 import Pkcs11Token

# The library of hardware tokens is loaded by whoever has one.
PartyToken: TypeAlias = "FileToken | Pkcs11Token"


def open_token(folder: Path, *, desk: EpochDesk | None = None) -> PartyToken:
    """Open a party's token in its directory; the keys are opened when they are first needed.

    desk: where a person sits who keeps epoch keys on paper; this process's terminal
        if null.

    Raises:
        NotFound, InvalidInput: there is no party here, or `party.toml` cannot be read.
    """
    config = read_config(folder)
    paper = config.epoch_key is EpochKeyAt.PAPER
    token: PartyToken
    if config.token is None:
        token = PaperFileToken(folder) if paper else FileToken(folder)
    else:
        from havre.adapters.tokens.pkcs11 import PaperPkcs11Token, Pkcs11Token

        kind = PaperPkcs11Token if paper else Pkcs11Token
        token = kind(folder, pin=pin_of(config.name))
    if isinstance(token, OnPaper):
        token.desk = desk or TerminalDesk()
    return token


def create_token(
    folder: Path,
    *,
    name: str,
    role: Role,
    operator: str,
    token: str = "",
    epoch_key: str = EpochKeyAt.TOKEN,
) -> PartyToken:
    """Make a party's directory with new keys.

    token: a PKCS#11 URI, for a party whose keys a hardware token keeps; else the
        keys lie in the directory, beside their passphrase.
    epoch_key: `token` or `paper`, for a custodian.

    Raises:
        InvalidInput: no such URI, or epoch keys cannot be held there.
        Refused: the directory holds a party already, or the token does not serve.
        Unavailable: the token is not there.
    """
    at = _parse_epoch_key(epoch_key)
    if not token:
        create_party(folder, name=name, role=role, operator=operator, epoch_key_at=at)
        return open_token(folder)
    place = parse_token_uri(token)
    from havre.adapters.tokens.pkcs11 import create_token_party

    create_token_party(
        folder,
        name=name,
        role=role,
        operator=operator,
        place=place,
        pin=pin_of(name),
        epoch_key_at=at,
    )
    return open_token(folder)


def _parse_epoch_key(word: str) -> EpochKeyAt:
    try:
        return EpochKeyAt(word)
    except ValueError:
        raise InvalidInput("An epoch's key is held by the token, or on paper.") from None


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
        "epoch_keys_on": token.config.epoch_key.value,
    }

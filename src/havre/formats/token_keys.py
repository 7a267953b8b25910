"""What a party's directory holds of keys that a hardware token keeps: wrapped bytes, public halves.

Wrapped bytes are a label, a nonce of 12 bytes, and AES-256-GCM's ciphertext with
its tag. They are bound to the party and to what they are for.
"""

from __future__ import annotations

from dataclasses import dataclass

from havre.errors import InvalidInput, NotGenuine
from havre.formats.canonical import encode_canonical, parse_canonical

FORMAT = "havre/v1/token-keys"
_WRAPPED = b"havre/v1/token-wrapped\n"
NONCE_BYTES = 12
_FIELDS = ["format", "seal", "seal_public", "sign", "sign_public"]
_MAX_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """One party's keys as they lie in its directory.

    seal: the wrapped seed of the seal key.
    sign: the wrapped seed of the signing key, or null when the token holds the key itself.
    seal_public, sign_public: as they are given to others; 1,216 and 32 bytes.
    """

    seal: bytes
    seal_public: bytes
    sign: bytes | None
    sign_public: bytes


def encode_token_keys(keys: TokenKeys) -> bytes:
    """Write them as canonical JSON."""
    return encode_canonical(
        {
            "format": FORMAT,
            "seal": keys.seal.hex(),
            "seal_public": keys.seal_public.hex(),
            "sign": None if keys.sign is None else keys.sign.hex(),
            "sign_public": keys.sign_public.hex(),
        }
    )


def parse_token_keys(document: bytes) -> TokenKeys:
    """Read them strictly.

    Raises:
        InvalidInput: not of this form.
    """
    body = parse_canonical(document, limit_bytes=_MAX_BYTES)
    if not isinstance(body, dict) or sorted(body) != _FIELDS or body["format"] != FORMAT:
        raise InvalidInput(f"A key file is not of the form {FORMAT}.")
    sign = body["sign"]
    try:
        return TokenKeys(
            bytes.fromhex(str(body["seal"])),
            bytes.fromhex(str(body["seal_public"])),
            None if sign is None else bytes.fromhex(str(sign)),
            bytes.fromhex(str(body["sign_public"])),
        )
    except ValueError:
        raise InvalidInput(f"A key file is not of the form {FORMAT}.") from None


def wrapped_context(*, party: str, use: str) -> bytes:
    """Write what wrapped bytes are bound to: whose they are, and what they are for."""
    return f"havre/v1/token-wrapped\n{party}\n{use}".encode()


def join_wrapped(nonce: bytes, ciphertext: bytes) -> bytes:
    """Write wrapped bytes.

    >>> split_wrapped(join_wrapped(bytes(12), b"c"))[1]
    b'c'
    """
    return _WRAPPED + nonce + ciphertext


def split_wrapped(content: bytes) -> tuple[bytes, bytes]:
    """Read wrapped bytes: the nonce, and the ciphertext with its tag.

    Raises:
        NotGenuine: they are none.
    """
    rest = content.removeprefix(_WRAPPED)
    if rest == content or len(rest) <= NONCE_BYTES:
        raise NotGenuine("What a token wrapped was altered, or is nothing that one wrapped.")
    return rest[:NONCE_BYTES], rest[NONCE_BYTES:]

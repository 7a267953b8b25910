"""Where a hardware token is: the part of RFC 7512 (PKCS#11 URIs) that a party's file may use.

`pkcs11:token=LABEL?module-path=/PATH`, with `serial` where two tokens have one
label. A PIN has no place in a file: the attributes that would hold one, or say
where one lies, are refused by name.

Source: RFC 7512, sections 2.3 and 2.4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from havre.errors import InvalidInput

_SCHEME = "pkcs11:"
# CK_TOKEN_INFO has 32 bytes for a label and 16 for a serial number.
_LABEL_BYTES, _SERIAL_BYTES = 32, 16
_MAX_CHARACTERS = 1024
_PLAIN = re.compile(r"[A-Za-z0-9._~:\[\]@!$'()*+,=-]")
_VALUE = re.compile(r"(?:%[0-9A-Fa-f]{2}|[^%])*")
_HINT = "Write it like pkcs11:token=LABEL?module-path=/usr/lib/softhsm/libsofthsm2.so."


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """One hardware token.

    label: as the token was initialised with; at most 32 bytes of UTF-8.
    serial: its serial number, or empty when the label says enough.
    module: absolute path of the PKCS#11 library that speaks to it.
    """

    label: str
    module: str
    serial: str = ""

    @property
    def uri(self) -> str:
        """Spell it.

        >>> TokenPlace("Custodian 1", "/usr/lib/p11.so").uri
        'pkcs11:token=Custodian%201?module-path=/usr/lib/p11.so'
        """
        serial = f";serial={_encoded(self.serial)}" if self.serial else ""
        return f"{_SCHEME}token={_encoded(self.label)}{serial}?module-path={_encoded(self.module, also='/')}"


def is_token_uri(text: str) -> bool:
    """Tell whether a text means to be such a URI."""
    return text.startswith(_SCHEME)


def parse_token_uri(text: str) -> TokenPlace:
    """Read a PKCS#11 URI strictly.

    Raises:
        InvalidInput: another scheme, an attribute that is unknown, missing, given
            twice or empty, or one that would bring a PIN.

    >>> parse_token_uri("pkcs11:token=Custodian%201?module-path=/usr/lib/p11.so").label
    'Custodian 1'
    """
    if not is_token_uri(text) or len(text) > _MAX_CHARACTERS or not text.isprintable():
        raise InvalidInput("A token's address is no PKCS#11 URI.", hint=_HINT)
    path, _, query = text.removeprefix(_SCHEME).partition("?")
    given = [*_attributes(path, ";"), *_attributes(query, "&")]
    if pins := sorted({name for name, _ in given if name.startswith("pin-")}):
        raise InvalidInput(
            f"A token's address says {', '.join(pins)}: a PIN has no place in a file.",
            hint="The PIN is asked for, or read from HAVRE_PIN or HAVRE_PIN_FD.",
        )
    told = dict(given)
    if len(told) != len(given) or told.keys() - {"token", "serial", "module-path"}:
        raise InvalidInput(
            "A token's address has an attribute twice, or one that Havre does not know.", hint=_HINT
        )
    return _checked(told)


def _checked(told: dict[str, str]) -> TokenPlace:
    place = TokenPlace(told.get("token", ""), told.get("module-path", ""), told.get("serial", ""))
    if not 0 < len(place.label.encode()) <= _LABEL_BYTES:
        raise InvalidInput("A token's address lacks the label, or it is too long.", hint=_HINT)
    if len(place.serial.encode()) > _SERIAL_BYTES or ("serial" in told and not place.serial):
        raise InvalidInput("A token's serial number has 1 to 16 bytes.", hint=_HINT)
    if not place.module.startswith("/"):
        raise InvalidInput(
            "A token's address lacks module-path, or it is not an absolute path.", hint=_HINT
        )
    return place


def _attributes(text: str, separator: str) -> list[tuple[str, str]]:
    pairs = [each.partition("=") for each in text.split(separator)] if text else []
    return [(name, _decoded(value)) for name, _, value in pairs]


def _decoded(value: str) -> str:
    if not _VALUE.fullmatch(value):
        raise InvalidInput("A token's address has a % that stands for nothing.", hint=_HINT)
    parts = re.split(r"(%[0-9A-Fa-f]{2})", value)
    raw = b"".join(
        bytes.fromhex(part[1:]) if part.startswith("%") else part.encode() for part in parts
    )
    try:
        decoded = raw.decode()
    except ValueError:
        raise InvalidInput("A token's address is not UTF-8.", hint=_HINT) from None
    if not decoded.isprintable():
        raise InvalidInput("A token's address holds a sign that cannot be printed.", hint=_HINT)
    return decoded


def _encoded(text: str, *, also: str = "") -> str:
    def spelled(sign: str) -> str:
        if sign in also or _PLAIN.fullmatch(sign):
            return sign
        return "".join(f"%{byte:02X}" for byte in sign.encode())

    return "".join(map(spelled, text))

"""Where a party answers as a process of its own: a Unix socket, or a host and a port.

Pure spelling. A name stands in the address, because a hub must be able to say who
does not answer, and because whoever answers must be that party and no other.

    unix:../parties/custodian-1/custodian-1.sock   named after the file
    https://custodian-3@keys.hospital.example:7443  named before the @
    https://custodian-3.hospital.example:7443       named after the host's first label
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from havre.errors import InvalidInput
from havre.values import parse_name

_HTTPS = re.compile(
    r"https://(?:(?P<name>[^@/:]{1,64})@)?(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]{2,45}\])"
    r":(?P<port>[1-9][0-9]{0,4})/?"
)
_UNIX = re.compile(r"unix:(?://)?(?P<path>[^\x00-\x1f]{1,4096})")
_MOST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """One party's address.

    name: its short name, as in the trust roots.
    socket: path of a Unix socket, as it is written; empty for a host.
    host, port: for TLS; an IPv6 address has no brackets.
    """

    name: str
    socket: str = ""
    host: str = ""
    port: int = 0

    @property
    def text(self) -> str:
        """The one spelling of this address.

        >>> parse_address("https://custodian-3.example:7443").text
        'https://custodian-3@custodian-3.example:7443'
        """
        if self.socket:
            return f"unix:{self.socket}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{self.name}@{host}:{self.port}"


def is_address(text: str) -> bool:
    """Tell an address from a directory's path.

    >>> is_address("unix:a.sock"), is_address("../parties/custodian-1")
    (True, False)
    """
    return text.startswith(("unix:", "https:", "http:"))


def parse_address(text: str) -> ServiceAddress:
    """Read an address strictly.

    Raises:
        InvalidInput: it is none, or the party's name cannot be told from it.

    >>> parse_address("unix:///run/havre/witness-2.sock").name
    'witness-2'
    """
    if found := _UNIX.fullmatch(text):
        path = found["path"]
        stem = path.rsplit("/", 1)[-1].removesuffix(".sock")
        return ServiceAddress(_name(stem, text), socket=path)
    if found := _HTTPS.fullmatch(text):
        host, port = found["host"].strip("[]"), int(found["port"])
        if port <= _MOST_PORT:
            name = found["name"] or host.split(".", 1)[0]
            return ServiceAddress(_name(name, text), host=host, port=port)
    raise InvalidInput(
        "An address of a service is spelled otherwise than it should be.",
        hint="Write unix:///run/havre/NAME.sock or https://NAME@host:port.",
    )


def _name(name: str, text: str) -> str:
    try:
        return parse_name(name)
    except InvalidInput:
        scheme = text.split(":", 1)[0]
        raise InvalidInput(
            f"An address of the scheme {scheme} does not say which party answers there.",
            hint="Write unix:///run/havre/NAME.sock or https://NAME@host:port.",
        ) from None

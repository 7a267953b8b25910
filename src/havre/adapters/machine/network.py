"""Whether anything on this network tried to reach out, by the kernel's own counters.

In a network namespace without a route every attempt fails at once, and the kernel
counts it: no program, in whatever language, can call out without being counted.
The counters are the namespace's, so they begin at zero in a new one.
"""

from __future__ import annotations

import fcntl
import socket
import struct
from contextlib import suppress
from pathlib import Path

_SNMP, _SNMP6 = Path("/proc/self/net/snmp"), Path("/proc/self/net/snmp6")
# No route for a packet; a datagram sent, though it be to a resolver of this machine;
# a connection begun, though it be to a relay of this machine.
_COUNTED = (
    "IpOutNoRoutes",
    "Ip6OutNoRoutes",
    "UdpOutDatagrams",
    "Udp6OutDatagrams",
    "TcpActiveOpens",
)
_SIOCSIFFLAGS = 0x8914
_IFF_UP_LOOPBACK_RUNNING = 0x1 | 0x8 | 0x40
# Of blocks that are reserved for documents: nobody has these addresses.
_NOWHERE, _NOWHERE6, _NOBODY = "192.0.2.1", "2001:db8::1", "drill.invalid"


def count_calls() -> int:
    """Count the attempts so far, on this process's network, to reach anything."""
    found = _read_pairs(_SNMP.read_text(encoding="ascii"))
    for line in _SNMP6.read_text(encoding="ascii").splitlines():
        name, value = line.split()
        found[name] = int(value)
    return sum(found.get(name, 0) for name in _COUNTED)


def is_cut_off() -> bool:
    """Tell whether this network has no interface but its loopback."""
    return [name for _, name in socket.if_nameindex()] == ["lo"]


def raise_loopback() -> None:
    """Bring the loopback up, without which attempts over IPv6 fail before they are counted.

    Raises:
        OSError: this process may not.
    """
    request = struct.pack("16sh22x", b"lo", _IFF_UP_LOOPBACK_RUNNING)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SIOCSIFFLAGS, request)


def call_out_on_purpose() -> int:
    """Try to reach nobody in three ways; returns how many there were.

    Who counts calls must count these, or finding none means nothing.
    """
    for family, address in ((socket.AF_INET, _NOWHERE), (socket.AF_INET6, _NOWHERE6)):
        with suppress(OSError), socket.socket(family) as handle:
            handle.settimeout(1)
            handle.connect((address, 443))
    with suppress(OSError):
        socket.getaddrinfo(_NOBODY, 443)
    return 3


def _read_pairs(text: str) -> dict[str, int]:
    """Read lines of names each followed by a line of values, both behind the protocol's name."""
    lines = text.splitlines()
    found: dict[str, int] = {}
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        protocol = names.split(":")[0]
        pairs = zip(names.split()[1:], values.split()[1:], strict=True)
        found |= {f"{protocol}{name}": int(value) for name, value in pairs}
    return found

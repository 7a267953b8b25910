"""A custodian or a witness as a process of its own: its configuration, its desk, its door.

`service.toml` in the party's directory says where it listens and where it reads the
log; `peers/NAME.pem` are the certificates it has pinned. Whoever is pinned there is
named in the party's own trust roots, which say what it may ask.
"""

from __future__ import annotations

import fcntl
import os
import socket
import ssl
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from havre.adapters.channel.certificates import (
    Certificate,
    check_current,
    read_certificates,
    tls_context,
)
from havre.adapters.channel.server import Caller, Service
from havre.adapters.channel.trail import Trail
from havre.adapters.custody.desk import CustodianDesk
from havre.adapters.custody.local import EscrowCustodian, LocalCustodian
from havre.adapters.log.remote import MirrorDesk
from havre.adapters.machine.clock import SystemClock
from havre.adapters.witness.desk import WitnessDesk
from havre.bootstrap.reaching import (
    identity_of,
    open_custodian,
    open_log,
    open_mirror,
    open_witness,
    pins_of,
)
from havre.bootstrap.tokens import PartyToken, open_token
from havre.domain.service_address import ServiceAddress, parse_address
from havre.domain.transparency import NotFresh
from havre.domain.trust import Role
from havre.errors import HavreError, InvalidInput, NotFound, Refused, Unavailable
from havre.formats.canonical import encode_canonical
from havre.ports.channel import Act, Desk

CONFIGURATION = "service.toml"
FORMAT = "havre/v1/service"
_EXAMPLE = f'format = "{FORMAT}", listen = "unix:NAME.sock", log = "/srv/hub/site/log"'
_FIELDS = frozenset({"format", "listen", "log"})
_OPTIONAL = frozenset({"log_certificate"})
# A Unix socket's path has 107 bytes and a zero in the kernel's own structure.
MAX_SOCKET_PATH_BYTES = 107
# A log that is not asked about is looked at now and then, and after a fault once more.
_FOLLOW_EVERY_S = 300.0
_LOOK_AGAIN_AFTER_S = 20.0
# The file system lets in who may use the socket's directory; of those, the group too.
_SOCKET_MODE = 0o660


Ready: TypeAlias = Callable[[Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """What `service.toml` says.

    log: a directory with the published log, absolute, or the address of its folder.
    log_certificate: the web server's own certificate, if no public authority vouches for it.
    """

    listen: ServiceAddress
    log: str
    log_certificate: Path | None = None


def read_service(party: Path) -> ServiceConfig:
    """Read a party's `service.toml`; paths in it are relative to the party's directory.

    Raises:
        NotFound: there is none.
        InvalidInput: it lacks something, or says something unknown.
    """
    try:
        body = tomllib.loads((party / CONFIGURATION).read_text(encoding="utf-8"))
    except OSError:
        raise NotFound(
            f"There is no {CONFIGURATION} in {party.name}.", hint=f"Write one: {_EXAMPLE}."
        ) from None
    except ValueError:
        raise InvalidInput(f"{CONFIGURATION} of {party.name} is not TOML.") from None
    if body.get("format") != FORMAT or not _FIELDS <= set(body) <= _FIELDS | _OPTIONAL:
        raise InvalidInput(
            f"{CONFIGURATION} of {party.name} has other fields than it should have.",
            hint=f"Write {_EXAMPLE}.",
        )
    listen, log = parse_address(str(body["listen"])), str(body["log"])
    if listen.socket:
        listen = ServiceAddress(listen.name, socket=str((party / listen.socket).resolve()))
    certificate = body.get("log_certificate")
    return ServiceConfig(
        listen,
        log if "://" in log else str((party / log).resolve()),
        None if certificate is None else party / str(certificate),
    )


def _read_pins(party: Path) -> dict[str, list[Certificate]]:
    """Read every pinned certificate of a party, by the name under which it is pinned.

    Raises:
        InvalidInput: a certificate names another party than its file.
    """
    pins = {path.stem: read_certificates(path) for path in pins_of(party).glob("*.pem")}
    for name, certificates in pins.items():
        if any(each.name != name for each in certificates):
            raise InvalidInput(
                f"The certificate that is pinned as {name} names somebody else.",
                hint="Remove it, and pin the right one: `havre certificate pin`.",
            )
    return pins


def serve_custodian(party: Path, *, ready: Ready) -> None:
    """Serve a custodian, or an escrow, until the process is asked to stop; raises as `_serve`."""
    _serve(party, roles=frozenset({Role.CUSTODIAN, Role.ESCROW}), ready=ready)


def serve_witness(party: Path, *, ready: Ready) -> None:
    """Serve a witness until the process is asked to stop; raises as `_serve`."""
    _serve(party, roles=frozenset({Role.WITNESS}), ready=ready)


def _serve(party: Path, *, roles: frozenset[Role], ready: Ready) -> None:
    """Serve a party until the process is asked to stop.

    roles: what the party may be. ready: told once, when it answers, who and where.

    Raises:
        Refused: it has another role, or is served already; or its certificate has ended.
        NotFound, InvalidInput: its configuration.
        Unavailable: the address cannot be listened at.
    """
    token = open_token(party)
    if token.config.role not in roles:
        raise Refused(
            f"{token.name} has the role {token.config.role.value} and is served by another command.",
            hint="A custodian and an escrow: `havre custodian serve`; a witness: `havre witness serve`.",
        )
    config, clock = read_service(party), SystemClock()
    trail = Trail(party / "service.jsonl", party=token.name, clock=clock)
    with _served_once(party, token.name), _listening(config.listen) as door:
        desk, follow = _desk(party, token.config.role, config)
        service = Service(
            name=token.name,
            desk={**desk, "who": Act(lambda _body: encode_canonical({}), frozenset(Role))},
            callers=_callers(party, token),
            clock=clock,
            trail=trail,
        )
        follow(trail)
        service.run(
            door,
            tls=None if config.listen.socket else _tls(party, token.name),
            ready=lambda _stop: ready(
                {
                    "party": token.name,
                    "role": token.config.role.value,
                    "listen": config.listen.text,
                    "pid": os.getpid(),
                }
            ),
        )
        trail.say("stopped")


def _desk(party: Path, role: Role, config: ServiceConfig) -> tuple[Desk, Callable[[Trail], None]]:
    """Wire a party's acts, and what it does of its own accord."""
    if role is Role.WITNESS:
        return WitnessDesk(open_witness(party)).acts, lambda _trail: None
    mirror = open_mirror(party)
    kind = EscrowCustodian if role is Role.ESCROW else LocalCustodian
    log = open_log(config.log, certificate=config.log_certificate)
    custodian = open_custodian(party, mirror=mirror, log=log, kind=kind)
    desk = {**CustodianDesk(custodian).acts, **MirrorDesk(mirror).acts}
    return desk, partial(_keep_following, custodian)


def _keep_following(custodian: LocalCustodian, trail: Trail) -> None:
    """Follow the log of its own accord, so that a log which goes back is seen unasked."""

    def work() -> None:
        last, told = "", ""
        while True:
            fault = _followed(custodian)
            # A head that its hub is about to publish looks for a moment like a log that
            # went back: what still is so at the second look is said, and said once.
            if fault and fault == last != told:
                trail.say(f"the log cannot be followed. {fault}")
                told = fault
            last = fault
            time.sleep(_LOOK_AGAIN_AFTER_S if fault else _FOLLOW_EVERY_S)

    threading.Thread(target=work, name="follow", daemon=True).start()


def _followed(custodian: LocalCustodian) -> str:
    """Follow the log once; returns what is wrong with it, or nothing."""
    try:
        custodian.follow()
    except NotFresh:
        # A hub that does nothing renews nothing.
        return ""
    except HavreError as refusal:
        return f"{type(refusal).__name__}: {refusal.message}"
    return ""


def _callers(party: Path, token: PartyToken) -> dict[str, Caller]:
    """Find each pinned peer's role in the party's own trust roots."""
    roles = {each.name: each.role for each in token.trust_roots().parties}
    pins = _read_pins(party)
    if strangers := sorted(set(pins) - set(roles)):
        raise InvalidInput(
            f"{token.name} has pinned certificates of parties that its trust roots do not name:"
            f" {', '.join(strangers)}.",
            hint="Remove them from peers, or correct trust.json.",
        )
    return {name: Caller(certificates, roles[name]) for name, certificates in pins.items()}


def _tls(party: Path, name: str) -> ssl.SSLContext:
    identity, pins = identity_of(party), _read_pins(party)
    (own,) = read_certificates(identity)
    check_current(own, now=SystemClock().now())
    if not pins:
        raise NotFound(
            f"{name} has pinned no certificate: nobody could ask it.",
            hint="Pin the hub's: `havre certificate pin`.",
        )
    peers = [each for certificates in pins.values() for each in certificates]
    return tls_context(ssl.PROTOCOL_TLS_SERVER, identity=identity, peers=peers)


@contextmanager
def _served_once(party: Path, name: str) -> Iterator[None]:
    """Keep a second service of one party out; the kernel lets go when a process dies."""
    flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
    descriptor = os.open(party / "service.lock", flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refused(
            f"{name} is served already, by another process.", hint="Stop that one first."
        ) from None
    finally:
        os.close(descriptor)


@contextmanager
def _listening(address: ServiceAddress) -> Iterator[socket.socket]:
    """Open the door: a socket that is bound, and whose file goes when it is closed."""
    family = socket.AF_UNIX if address.socket else _family(address.host)
    with socket.socket(family, socket.SOCK_STREAM) as door:
        try:
            if address.socket:
                _bind_file(door, Path(address.socket))
            else:
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                door.bind((address.host, address.port))
        except OSError as fault:
            raise Unavailable(
                f"The service cannot listen at its address: {os.strerror(fault.errno or 0)}.",
                hint=f"Correct listen in {CONFIGURATION}, or end what listens there.",
            ) from None
        try:
            yield door
        finally:
            if address.socket:
                Path(address.socket).unlink(missing_ok=True)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def check_socket_path(path: Path) -> None:
    """Refuse a path that is too long for a Unix socket, as it is or made absolute.

    Raises:
        InvalidInput: naming how long it may be.
    """
    size = len(os.fsencode(path.resolve()))
    if size > MAX_SOCKET_PATH_BYTES:
        raise InvalidInput(
            f"A Unix socket's path may have {MAX_SOCKET_PATH_BYTES} bytes, and this one has {size}.",
            hint="Name a shorter one, such as /run/havre/NAME.sock, or a directory that is less deep.",
        )


def _bind_file(door: socket.socket, path: Path) -> None:
    check_socket_path(path)
    # Left by a process that was killed: only one serves this party (`_served_once`).
    if path.is_socket():
        path.unlink()
    before = os.umask(0o777 & ~_SOCKET_MODE)
    try:
        door.bind(str(path))
    finally:
        os.umask(before)

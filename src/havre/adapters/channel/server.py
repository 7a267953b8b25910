"""A party's service: one desk behind a Unix socket, or behind TLS with pinned callers.

The desk's code is the one that runs in process; here stand only the limits. A
message is bounded in bytes and seconds before anybody reads it, a caller over TLS
is known by its pinned certificate and may ask what its role may ask. Over a Unix
socket, whoever the file system lets in may ask: there the socket's mode decides.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import struct
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from havre.adapters.channel.certificates import Certificate, check_current
from havre.adapters.channel.trail import Trail
from havre.domain.trust import Role
from havre.errors import HavreError, InvalidInput, NotFound, Refused, Unavailable
from havre.formats.wire import MAX_MESSAGE_BYTES, encode_refusal
from havre.ports.channel import PARTY_HEADER, Act, Desk
from havre.ports.clock import Clock

_BODY_WITHIN_S = 30.0
_STOP_WITHIN_S = 10
_KEEP_ALIVE_S = 1
_DAILY_AT_ONCE, _DIRECT_AT_ONCE = 8, 4
_MOST_HEADER_BYTES = 16 * 1024
_REFUSED_STATUS = 422


Stop: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Caller:
    """A pinned peer: who it is, and what its role is in the service's own trust roots."""

    certificates: Sequence[Certificate]
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One party's service.

    desk: what it does. callers: pinned peers by name; for TLS only.
    """

    name: str
    desk: Desk
    callers: Mapping[str, Caller]
    clock: Clock
    trail: Trail

    def run(
        self, listening: socket.socket, *, tls: ssl.SSLContext | None, ready: Callable[[Stop], None]
    ) -> None:
        """Answer until the process is asked to stop; what is being answered is finished.

        ready: called once, when callers are let in, with what ends the service.
        """
        with (
            ThreadPoolExecutor(_DAILY_AT_ONCE, "daily") as daily,
            ThreadPoolExecutor(_DIRECT_AT_ONCE, "direct") as direct,
        ):
            app = _Answering(self, daily=daily, direct=direct).app()
            if tls is not None:
                tls.sslobject_class = _told_to(self.trail)
            config = uvicorn.Config(
                app,
                http=_WithCaller,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_STOP_WITHIN_S,
                ssl_context_factory=None if tls is None else lambda *_: tls,
            )
            _Server(config, ready=ready).run([listening])


class _Server(uvicorn.Server):
    """Says when it is ready, and takes being told to stop for a good end."""

    def __init__(self, config: uvicorn.Config, *, ready: Callable[[Stop], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready(self._stop)

    def _stop(self) -> None:
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()


class _WithCaller(H11Protocol):
    """Keeps, for each connection, what says who is at its other end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        seen: dict[str, Any] = {"certificate": tls.getpeercert(binary_form=True) if tls else None}
        opened = transport.get_extra_info("socket")
        if tls is None and opened is not None and opened.family == socket.AF_UNIX:
            credentials = opened.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
            )
            seen["uid"] = struct.unpack("3i", credentials)[1]
        self.app_state = {**self.app_state, **seen}


def _told_to(trail: Trail) -> type[ssl.SSLObject]:
    """Make connections that tell the operator when a caller's certificate is not a pinned one."""

    def shake_hands(self: ssl.SSLObject) -> None:
        try:
            ssl.SSLObject.do_handshake(self)
        except ssl.SSLCertVerificationError:
            trail.turn_away(outcome="certificate not pinned")
            raise

    return type("Telling", (ssl.SSLObject,), {"do_handshake": shake_hands})


class _Answering:
    """The web application of one service."""

    def __init__(
        self, service: Service, *, daily: ThreadPoolExecutor, direct: ThreadPoolExecutor
    ) -> None:
        self._service = service
        self._daily = daily
        self._direct = direct

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/{act}", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        name, started = request.path_params["act"], time.monotonic()
        caller = "nobody known"
        try:
            caller, act = self._admitted(request, name)
            said, status, outcome = await self._done(request, act), 200, "answered"
        except HavreError as fault:
            said, status, outcome = encode_refusal(fault), _REFUSED_STATUS, type(fault).__name__
        try:
            shown = name if name in self._service.desk else "something unknown"
            took_s = time.monotonic() - started
            self._service.trail.note(shown, caller=caller, outcome=outcome, took_s=took_s)
        except OSError as fault:
            # What is not written down is not given.
            said, status = encode_refusal(self._unkept(fault)), _REFUSED_STATUS
        return self._response(said, status)

    async def _done(self, request: Request, act: Act) -> bytes:
        try:
            body = await asyncio.wait_for(_read(request), _BODY_WITHIN_S)
        except TimeoutError:
            raise Unavailable("The message did not come in time.") from None
        lane = self._direct if act.direct else self._daily
        return await asyncio.get_running_loop().run_in_executor(lane, self._asked, act, body)

    def _admitted(self, request: Request, name: str) -> tuple[str, Act]:
        """Find out who asks, and whether it may.

        Raises:
            CertificateEnded, Refused, NotFound: naming who or what.
        """
        act = self._service.desk.get(name)
        certificate: bytes | None = request.state.certificate
        if certificate is None:
            if act is None:
                raise NotFound(f"{self._service.name} has no such act.")
            return f"uid {getattr(request.state, 'uid', '?')}", act
        caller, role = self._pinned(certificate)
        if act is None:
            raise NotFound(f"{self._service.name} has no such act.")
        if role not in act.callers:
            raise Refused(f"{caller} has the role {role.value}, which may not ask for this.")
        return caller, act

    def _pinned(self, certificate: bytes) -> tuple[str, Role]:
        for name, caller in self._service.callers.items():
            for each in caller.certificates:
                if each.der == certificate:
                    check_current(each, now=self._service.clock.now())
                    return name, caller.role
        raise Refused(f"{self._service.name} has not pinned this certificate.")

    def _asked(self, act: Act, body: bytes) -> bytes:
        """Do an act in a thread of its lane, and name what goes wrong; no value is repeated."""
        try:
            return act.answer(body)
        except HavreError:
            raise
        except OSError as fault:
            raise self._unkept(fault) from fault
        except Exception as fault:
            last = traceback.extract_tb(fault.__traceback__)[-1]
            place = f"{Path(last.filename).name}, line {last.lineno}"
            self._service.trail.say(f"a fault of its own: {type(fault).__name__} in {place}")
            raise Unavailable(
                f"{self._service.name} has met a fault of its own: {type(fault).__name__}.",
                hint="Its operator sees in its log where.",
            ) from fault

    def _unkept(self, fault: OSError) -> Unavailable:
        return Unavailable(
            f"{self._service.name} cannot use its directory:"
            f" {os.strerror(fault.errno or errno.EIO)}."
        )

    def _response(self, said: bytes, status: int) -> Response:
        return Response(
            said,
            status_code=status,
            media_type="application/json",
            headers={PARTY_HEADER: self._service.name, "connection": "close"},
        )


async def _read(request: Request) -> bytes:
    """Read a message that is not longer than a message may be."""
    said = bytearray()
    async for piece in request.stream():
        said += piece
        if len(said) > MAX_MESSAGE_BYTES:
            raise InvalidInput(f"A message is longer than {MAX_MESSAGE_BYTES} bytes.")
    return bytes(said)

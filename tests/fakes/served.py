"""A desk behind a real socket, served by a thread of the test: what the contract suites of services stand on."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from havre.adapters.channel.client import HttpChannel
from havre.adapters.channel.server import Caller, Service, Stop
from havre.adapters.channel.trail import Trail
from havre.adapters.custody import wire as custody_wire
from havre.adapters.witness import wire as witness_wire
from havre.domain.service_address import ServiceAddress
from havre.ports.channel import Desk
from havre.ports.clock import Clock

CARRIED = (*custody_wire.CARRIED, *witness_wire.CARRIED)


@contextmanager
def running(service: Service, door: socket.socket, *, tls: ssl.SSLContext | None) -> Iterator[Stop]:
    """Run a service until the context ends, and see it end; gives what tells it to, before that."""
    stops: list[Stop] = []
    begun = threading.Event()

    def ready(stop: Stop) -> None:
        stops.append(stop)
        begun.set()

    thread = threading.Thread(target=service.run, args=(door,), kwargs={"tls": tls, "ready": ready})
    thread.start()
    try:
        assert begun.wait(20)
        yield stops[0]
    finally:
        stops[0]()
        thread.join(30)
        assert not thread.is_alive()


@contextmanager
def behind_a_socket(
    name: str,
    desk: Desk,
    *,
    clock: Clock,
    callers: Mapping[str, Caller] | None = None,
    stops: list[Stop] | None = None,
) -> Iterator[HttpChannel]:
    """Serve a desk on a Unix socket; gives a channel to it.

    stops: gets what tells the service to end. One takes a quarter of a second over it: whoever
        has many tells all of them first.
    """
    with (
        TemporaryDirectory(prefix="havre-") as folder,
        socket.socket(socket.AF_UNIX) as door,
    ):
        path = Path(folder) / f"{name}.sock"
        door.bind(str(path))
        service = Service(
            name=name,
            desk=desk,
            callers=callers or {},
            clock=clock,
            trail=Trail(Path(folder) / "service.jsonl", party=name, clock=clock),
        )
        with running(service, door, tls=None) as stop:
            if stops is not None:
                stops.append(stop)
            address = ServiceAddress(name, socket=str(path))
            yield HttpChannel(address, carried=CARRIED, clock=clock)

"""A hub whose custodians and witnesses are real processes, started as a person starts them.

On Unix sockets as `havre init --services` founds it, or over TLS on the loopback
address, each party with a certificate of its own that the hub has pinned.
"""

from __future__ import annotations

import hashlib
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from fakes.small_hub import SmallHub, copy_of, quiet
from havre.application.ceremony import PartitionCatalogue
from havre.application.vault.keys import KeysWanted
from havre.bootstrap.certificates import make_certificate, pin_certificate
from havre.bootstrap.founding import found_hub
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.services import Services
from havre.cli.demo_texts import PERMIT
from havre.crypto.random import new_object_id
from havre.crypto.sealing import PartitionKey
from havre.domain.custody import ShareRequest
from havre.domain.events import KeysRequested
from havre.domain.permit import project_secret
from havre.domain.permit_signing import Ground
from havre.domain.statements import Statement, envelope_digest, sign_statement
from havre.domain.withdrawal import PREDICATE_DECISION
from havre.ports.pages import SiteSettings
from havre.values import Partition, PartitionKind

CUSTODIANS = ("custodian-1", "custodian-2", "custodian-3")
WITNESSES = ("witness-1", "witness-2", "witness-3", "witness-4")
PARTIES = (*CUSTODIANS, "escrow", *WITNESSES)
NAME = "diabetes-regions"
SECRET = Partition(PartitionKind.SECRET, project_secret(NAME))
COVERED = Partition(PartitionKind.DATASET, "dcir", 2023)


@cache
def _founded() -> SmallHub:
    """A hub without data whose parties are served, made once per process."""
    hub = SmallHub(Path(mkdtemp(prefix="havre-served-")))
    found_hub(
        hub.hub,
        parties=hub.parties,
        origin="havre.example/test",
        progress=quiet,
        settings=SiteSettings(made_up=True, language="en"),
        services=True,
    )
    return hub


@dataclass
class ServedHub:
    """One hub under a short path (a Unix socket's has 107 bytes), and its running services."""

    hub: SmallHub
    services: Services = field(default_factory=Services)

    def party(self, name: str) -> Path:
        return self.hub.parties / name

    def start(self, *names: str) -> None:
        self.services.start([self.party(name) for name in names or PARTIES])

    def stop(self, *names: str) -> None:
        for name in names:
            assert self.services.stop(name) == 0

    def kill(self, *names: str) -> None:
        for name in names:
            assert self.services.stop(name, with_signal=signal.SIGKILL) == -signal.SIGKILL

    def hang(self, *names: str) -> None:
        """Stop a process in its tracks: its socket still lets callers in, and nobody answers."""
        for name in names:
            self.services.running[name].send_signal(signal.SIGSTOP)

    def wake(self, *names: str) -> None:
        for name in names:
            self.services.running[name].send_signal(signal.SIGCONT)

    def open(self) -> OpenHub:
        """The hub, as a new process opens it."""
        return self.hub.open()

    def log_of(self, name: str) -> str:
        """What a service told its operator."""
        return (self.party(name) / "service.log").read_text()

    def granted(self) -> KeysWanted:
        """A permit in force, and a request for what it covers."""
        self.hub.ask(PERMIT.format(environment="a" * 64), name=NAME)
        opened = self.open()
        opened.ceremonies.make([SECRET])
        return self.wanted(opened)

    def wanted(self, opened: OpenHub) -> KeysWanted:
        """The request again, on whatever entry the permit stands now."""
        standing = opened.permits.standing(NAME)
        known = PartitionCatalogue(opened.records, log=opened.log)
        return KeysWanted(
            purpose="extract",
            partitions=[known.find(COVERED), known.find(SECRET)],
            permit=standing.index,
            documents={envelope_digest(standing.envelope): standing.envelope},
        )

    def asked(self, hub: OpenHub, key: bytes = b"") -> ShareRequest:
        """A request on the log, made by hand, so that one custodian can be asked by itself."""
        wanted, key = self.wanted(hub), key or PartitionKey.generate().public
        (index,) = hub.journal.record(
            KeysRequested(
                event_id=new_object_id(),
                at=hub.clock.now(),
                permit=wanted.permit,
                deliveries=(),
                partitions=tuple(sorted(known.partition_id for known in wanted.partitions)),
                purpose="extract",
                plan_commitment="",
                one_time_key_sha256=hashlib.sha256(key).hexdigest(),
            )
        )
        return ShareRequest(index, key, wanted.documents, {})

    def decision(
        self, hub: OpenHub, state: str, *, by: str = "authority-1", hours_ago: int = 0
    ) -> bytes:
        """What an authority signs about the permit, and hands to parties without the hub."""
        at = hub.clock.now() - timedelta(hours=hours_ago)
        ground = Ground(hub.permits.standing(NAME).index, at)
        text = {"reason": "a breach", "state": state, **ground.fields}
        statement = Statement(PREDICATE_DECISION, hub.roots.origin, NAME, text)
        return sign_statement(statement, [self.hub.token(by)])

    def start_changed(self, name: str, lines: str) -> None:
        """Start a party's service with one thing changed in it; the lines run before Havre does."""
        true = self.services.program
        self.services.program = changed_program(lines)
        try:
            self.start(name)
        finally:
            self.services.program = true


def changed_program(lines: str) -> tuple[str, ...]:
    """Havre with one thing changed in it, as a program."""
    return (sys.executable, "-c", f"{lines}\nfrom havre.cli.main import run\nrun()")


def skewed_clock(seconds: int) -> str:
    """The lines that set a process's clock wrong."""
    return (
        "from datetime import timedelta\n"
        "from havre.adapters.machine.clock import SystemClock\n"
        "true = SystemClock.now\n"
        f"SystemClock.now = lambda self: true(self) + timedelta(seconds={seconds})\n"
    )


@contextmanager
def served_hub(*names: str, tls: bool = False) -> Iterator[ServedHub]:
    """Copy the hub, and serve these of its parties, or all; what runs is stopped at the end."""
    root = Path(mkdtemp(prefix="hv-"))
    served = ServedHub(copy_of(_founded(), root))
    if tls:
        over_tls(served)
    try:
        served.start(*names)
        yield served
    finally:
        for name in served.services.running:
            served.wake(name)
        served.services.stop_all()
        shutil.rmtree(root, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def over_tls(served: ServedHub, *, names: Sequence[str] = PARTIES) -> None:
    """Give each party a certificate and a port, and let hub and party pin each other."""
    hub = served.hub.hub
    own = make_certificate(hub / "party", renew=False)
    text = (hub / "havre.toml").read_text()
    for name in names:
        party, port = served.party(name), free_port()
        made = make_certificate(party, renew=False)
        pin(party, hub / "party", str(own["sha256"]))
        pin(hub / "party", party, str(made["sha256"]))
        before = f"unix:../parties/{name}/{name}.sock"
        assert before in text
        text = text.replace(before, f"https://{name}@127.0.0.1:{port}")
        config = (party / "service.toml").read_text()
        config = config.replace(f"unix:{name}.sock", f"https://127.0.0.1:{port}")
        (party / "service.toml").write_text(config)
    (hub / "havre.toml").write_text(text)


def pin(party: Path, peer: Path, fingerprint: str) -> None:
    pin_certificate(party, peer / "tls/certificate.pem", fingerprint=fingerprint, replace=False)

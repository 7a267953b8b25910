"""P1, P2 and P5 where nothing is in one place: parties that are processes, objects at a real S3 server.

The hub's commands are processes too. What they write goes to a directory and to the
server; what opens it comes from custodians over sockets.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fakes.kept_twice import KeptTwice
from fakes.processes import ServedHub, served_hub
from fakes.seaweed import Seaweed, running_seaweed
from fakes.small_hub import PERMIT_NAME, quiet
from fakes.verifier import GENUINE, verify
from havre.bootstrap.synthetic import write_synthetic
from havre.cli.demo_texts import PERMIT
from havre.domain.events import ExtractMade, events_of

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Apart:
    """A hub, its services, and the server that has a copy of every object."""

    served: ServedHub
    server: Seaweed

    def havre(self, *words: object) -> tuple[int, Any]:
        command = [sys.executable, "-m", "havre", *map(str, words)]
        done = subprocess.run(
            [*command, "--hub", str(self.served.hub.hub), "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return done.returncode, json.loads(done.stdout)

    def extracts(self) -> int:
        log = self.served.open().log.entries()
        return len(events_of([logged.event for logged in log], ExtractMade))


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    with (
        running_seaweed() as server,
        served_hub() as served,
        pytest.MonkeyPatch.context() as patch,
    ):
        hub = served.hub
        KeptTwice(hub, server.endpoint, monkeypatch=patch, url="s3://havre/lake")
        write_synthetic(
            hub.root / "files", people=300, first_year=2023, years=1, seed=5, progress=quiet
        )
        hub.holder().deliver(sorted(hub.deliveries.iterdir()), progress=quiet)
        running = Apart(served, server)
        assert running.havre("ingest")[0] == 0
        yield running


def test_without_a_permit_nothing_opens(apart: Apart) -> None:
    """P2: what the server has is of no use to whoever has no permit."""
    refused, _ = apart.havre("extract", PERMIT_NAME)

    assert refused != 0
    assert apart.extracts() == 0


def test_a_permit_opens_with_two_custodians_and_not_with_one(apart: Apart) -> None:
    """P2: the first extract needs all three, because it makes the project's keys."""
    apart.served.hub.ask(PERMIT.format(environment="a" * 64))
    assert apart.havre("extract", PERMIT_NAME)[0] == 0
    apart.served.kill("custodian-1")
    with_two, _ = apart.havre("extract", PERMIT_NAME)
    apart.served.kill("custodian-2")
    alone, told = apart.havre("extract", PERMIT_NAME)
    apart.served.start("custodian-1", "custodian-2")

    assert with_two == 0
    assert alone != 0
    assert "2 are needed" in json.dumps(told)
    assert apart.extracts() == 2


def test_the_server_alone_serves_an_extract_until_the_permit_is_revoked(apart: Apart) -> None:
    """P2, and reading over S3: the hub's own disk has lost every object of the lake."""
    hub, before = apart.served.hub, apart.extracts()
    objects = hub.hub / "store/objects"
    kept = {path.name for path in objects.rglob("?" * 32)}
    for path in objects.rglob("?" * 32):
        path.unlink()
    assert apart.havre("extract", PERMIT_NAME)[0] == 0
    assert apart.havre("store", "repair")[0] == 0
    party = hub.parties / "authority-1"
    words = ("permit", "revoke", PERMIT_NAME, "--reason", "a breach", "--party", party)
    assert apart.havre(*words)[0] == 0

    refused, _ = apart.havre("extract", PERMIT_NAME)

    assert refused != 0
    assert apart.extracts() == before + 1
    assert kept <= {path.name for path in objects.rglob("?" * 32)}


def test_a_stranger_verifies_all_of_it_offline(apart: Apart) -> None:
    """P5: every request for keys, every extract and the revocation stand on a witnessed log."""
    apart.served.open().publication.publish()
    trust = apart.served.party("researcher") / "trust.json"

    done = verify(apart.served.hub.hub / "site", "--trust", trust, "--max-age", 900)

    assert done.returncode == GENUINE, done.stderr


def test_the_subpoena_finds_nothing_in_either_store(apart: Apart) -> None:
    """P1: everything that both hosts have is searched for canaries, keys and clear bytes."""
    code, told = apart.havre("drill", "subpoena")

    assert (code, told["verdict"]) == (0, "held")
    assert sum(1 for path in Path(apart.served.hub.hub, "store").rglob("?" * 32)) > 0

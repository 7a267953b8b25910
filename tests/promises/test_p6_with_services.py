"""P6 with services: a hub leaves while its custodians and witnesses are processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.processes import PARTIES, ServedHub, served_hub
from fakes.verifier import verify
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.place import read_place
from havre.bootstrap.services import served as served_at
from havre.domain.service_address import ServiceAddress


@pytest.fixture
def served() -> Iterator[ServedHub]:
    with served_hub() as running:
        running.granted()
        yield running


def havre(*words: object, expect: int = 0) -> Any:
    command = [sys.executable, "-m", "havre", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == expect, done.stderr
    return json.loads(done.stdout)


def departed(served: ServedHub) -> tuple[Path, Path]:
    """Depart for a new host; gives the package and the new host's directory."""
    package, new = served.hub.root / "package", served.hub.root / "new"
    havre("arrive", "--prepare", "--hub", new)
    words = ("--hub", served.hub.hub, "--for", new / "host.json", "--out", package)
    havre("depart", "move-1", *words, "--party", served.party("controller"))
    return package, new


def check_moved(served: ServedHub, new: Path) -> None:
    """The new hub asks the same services, acts and opens keys; the old one does not."""
    served.services.stop_all()
    # What `havre services` does at its start: each reads the log at the new host.
    with served_at(new) as running:
        served.services = running
        _check_moved(served, new)


def _check_moved(served: ServedHub, new: Path) -> None:
    hub = OpenHub(new)
    hub.wake()
    with hub.release.open(served.wanted(hub)) as keys:
        assert keys.request > 0
    place = read_place(new)
    parties = (*place.custodians, place.escrow, *place.witnesses)
    assert [each.name for each in parties] == list(PARTIES)
    assert all(isinstance(each, ServiceAddress) for each in parties)
    assert havre("ceremony", "--hub", new, "--landing", 1) == {"key_pairs": 1}
    assert havre("audit", "--hub", new)["alarms"] == []
    havre("ceremony", "--hub", served.hub.hub, "--landing", 1, expect=3)
    havre("publish", "--hub", new)
    trust = served.party("researcher") / "trust.json"
    done = verify(new / "site", "--trust", trust, "--max-age", 900)
    assert done.returncode == 0, done.stderr


def test_a_hub_moves_and_its_services_stay_where_they_are(served: ServedHub) -> None:
    package, new = departed(served)
    served.kill("custodian-1")

    havre("arrive", package, "--hub", new, "--parties", served.hub.parties)

    served.start("custodian-1")
    check_moved(served, new)


def test_a_hub_moves_by_a_file_that_says_where_everybody_is(served: ServedHub) -> None:
    """Nothing of the parties is on the new host but their addresses, and its own trust roots."""
    package, new = departed(served)
    told = served.hub.root / "parties.toml"

    def address(name: str) -> str:
        return json.dumps(f"unix://{served.party(name)}/{name}.sock")

    told.write_text(
        "[parties]\n"
        f"custodians = [{', '.join(map(address, PARTIES[:3]))}]\n"
        f"escrow = {address('escrow')}\n"
        f"witnesses = [{', '.join(map(address, PARTIES[4:]))}]\n"
    )
    (new / "party/trust.json").write_bytes((served.party("researcher") / "trust.json").read_bytes())

    havre("arrive", package, "--hub", new, "--parties", told)

    check_moved(served, new)

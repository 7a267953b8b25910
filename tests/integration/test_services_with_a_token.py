"""A custodian that is a service and keeps its keys in a hardware token: what goes wrong is named at the hub.

Real processes over a Unix socket, SoftHSM behind PKCS#11; the PIN comes to the
service alone, through its environment.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from fakes.processes import PARTIES, changed_program
from fakes.soft_hsm import PIN, SoftHsm
from havre.bootstrap.services import Services

pytestmark = pytest.mark.integration
NAME = "custodian-1"
WRONG = "00000000"
# The lines that have a service note each PIN which its token refused.
NOTED = """
from havre.adapters.tokens.cryptoki import Cryptoki
true = Cryptoki._flags_after
def noted(self, token):
    with open({file!r}, "a") as file:
        file.write("tried\\n")
    return true(self, token)
Cryptoki._flags_after = noted
"""


@dataclass
class Bench:
    root: Path
    hsm: SoftHsm
    services: Services = field(default_factory=Services)

    def havre(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A command of the hub, which has no PIN."""
        return subprocess.run(
            [sys.executable, "-m", "havre", *map(str, words), "--json"],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def ceremony(self) -> subprocess.CompletedProcess[str]:
        return self.havre("ceremony", "--hub", self.root / "hub", "--landing", "1")

    @contextmanager
    def served(self, name: str, *, pin: str) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOFTHSM2_CONF", str(self.hsm.configuration))
            patch.setenv("HAVRE_PIN_CUSTODIAN_1", pin)
            self.services.start([self.root / "parties" / name])
        try:
            yield
        finally:
            self.services.stop(name)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A hub whose services run, but the one whose keys are in a token."""
    root = Path(mkdtemp(prefix="hv-"))
    bench = Bench(root, SoftHsm(root / "hsm"))
    place = bench.hsm.initialise(NAME)
    words = ("--hub", str(root / "hub"), "--parties", str(root / "parties"), "--services")
    subprocess.run(
        [sys.executable, "-m", "havre", "init", *words, "--token", f"{NAME}={place.uri}"],
        env={**bench.hsm.environment, "HAVRE_PIN_CUSTODIAN_1": PIN},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    try:
        bench.services.start([root / "parties" / name for name in PARTIES if name != NAME])
        yield bench
    finally:
        bench.services.stop_all()
        shutil.rmtree(root, ignore_errors=True)


def error_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(done.stdout)["error"]
    return error


def test_the_service_has_the_pin_and_the_hub_needs_none(bench: Bench) -> None:
    with bench.served(NAME, pin=PIN):
        done = bench.ceremony()

    assert json.loads(done.stdout) == {"key_pairs": 1}


def test_a_wrong_pin_is_named_at_the_hub_and_is_tried_once(bench: Bench) -> None:
    """A service is asked again and again; a few wrong tries would lock a real token."""
    tries = bench.root / "tries"
    true = bench.services.program
    bench.services.program = changed_program(NOTED.format(file=str(tries)))
    try:
        with bench.served(NAME, pin=WRONG):
            refused = [error_of(bench.ceremony()) for _ in range(3)]
    finally:
        bench.services.program = true

    assert all("custodian-1 refuses this PIN" in each["message"] for each in refused)
    assert tries.read_text() == "tried\n"
    with bench.served(NAME, pin=PIN):
        assert json.loads(bench.ceremony().stdout) == {"key_pairs": 1}


def test_a_token_pulled_out_of_a_running_service_is_named_and_serves_again_when_put_back(
    bench: Bench,
) -> None:
    with bench.served(NAME, pin=PIN):
        assert json.loads(bench.ceremony().stdout) == {"key_pairs": 1}
        bench.hsm.pull_out(NAME)
        refused = error_of(bench.ceremony())
        bench.hsm.put_back(NAME)

        assert "The token custodian-1 is not there" in refused["message"]
        assert refused["class"] == "Unavailable"
        assert json.loads(bench.ceremony().stdout) == {"key_pairs": 1}

"""A hub one of whose custodians keeps its keys in a hardware token, from founding to a taken-in delivery.

Real commands as processes of their own, SoftHSM behind PKCS#11. One of three daily
custodians is away for good: without the token's the hub opens nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fakes.soft_hsm import PIN, SoftHsm
from fakes.verifier import verify

pytestmark = pytest.mark.integration
NAME = "custodian-1"


@dataclass
class Stage:
    root: Path
    hsm: SoftHsm

    def havre(self, *words: str | Path, pin: str | None = PIN) -> subprocess.CompletedProcess[str]:
        environment = {
            name: value
            for name, value in self.hsm.environment.items()
            if not name.startswith("HAVRE_PIN")
        }
        if pin is not None:
            environment["HAVRE_PIN_CUSTODIAN_1"] = pin
        return subprocess.run(
            [str(Path(sys.executable).parent / "havre"), *map(str, words)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def told(self, *words: str | Path, pin: str | None = PIN) -> Any:
        done = self.havre(*words, "--json", pin=pin)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def refused(self, *words: str | Path, pin: str | None = PIN) -> tuple[int, str]:
        done = self.havre(*words, pin=pin)
        return done.returncode, done.stdout + done.stderr

    @property
    def hub(self) -> Path:
        return self.root / "hub"

    @property
    def parties(self) -> Path:
        return self.root / "parties"

    def places_left(self) -> int:
        """How many landing places the log knows that no delivery has used."""
        return int(self.told("status", "--hub", self.hub, pin=None)["landing_places_left"])

    def make_landing_places(self) -> tuple[str, ...]:
        return ("ceremony", "--hub", str(self.hub), "--landing", "1")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    root = tmp_path_factory.mktemp("token-hub")
    stage = Stage(root, SoftHsm(root / "hsm"))
    place = stage.hsm.initialise(NAME)
    words = ("init", "--hub", stage.hub, "--parties", stage.parties, "--made-up")
    stage.told(*words, "--token", f"{NAME}={place.uri}")
    stage.told("synth", "--out", root / "files", "--people", "400", "--years", "1")
    # From here on two daily custodians are left, and two are needed.
    (stage.parties / "custodian-3").rename(root / "carried-away")
    return stage


def test_a_founding_whose_token_is_away_is_begun_anew_when_it_is_there(tmp_path: Path) -> None:
    stage = Stage(tmp_path, SoftHsm(tmp_path / "hsm"))
    place = stage.hsm.initialise(NAME)
    words = ("init", "--hub", stage.hub, "--parties", stage.parties, "--token")
    stage.hsm.pull_out(NAME)
    code, said = stage.refused(*words, f"{NAME}={place.uri}")
    stage.hsm.put_back(NAME)
    founded = stage.told(*words, f"{NAME}={place.uri}")

    assert (code, "The token custodian-1 is not there" in said) == (6, True)
    assert founded["key_pairs"] > 80


def test_the_partys_file_says_which_token_and_no_pin(stage: Stage) -> None:
    folder = stage.parties / NAME
    files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    assert "pkcs11:token=custodian-1?module-path=" in (folder / "party.toml").read_text()
    assert not (folder / "passphrase").exists()
    assert PIN.encode() not in files


def test_a_party_shows_its_public_keys(stage: Stage) -> None:
    shown = stage.told("party", "show", "--party", stage.parties / NAME)
    trust = json.loads((stage.parties / "controller" / "trust.json").read_text())
    (believed,) = [each["key"] for each in trust["parties"] if each["name"] == NAME]

    assert (shown["key"], shown["keys_in"]) == (believed, "hardware token custodian-1")


def test_a_ceremony_without_the_token_is_refused_and_leaves_nothing_half_done(stage: Stage) -> None:
    (stage.root / "carried-away").rename(stage.parties / "custodian-3")
    before = stage.places_left()
    stage.hsm.pull_out(NAME)
    code, said = stage.refused(*stage.make_landing_places())
    after = stage.places_left()
    stage.hsm.put_back(NAME)
    made = stage.told(*stage.make_landing_places())
    (stage.parties / "custodian-3").rename(stage.root / "carried-away")

    assert (code, after) == (6, before)
    assert "The token custodian-1 is not there" in said
    assert (made["key_pairs"], stage.places_left()) == (1, before + 1)


def test_a_delivery_is_opened_with_the_token_and_its_pin_only(stage: Stage) -> None:
    """Three tries, because the mandate opens a delivery three times a day at most."""
    delivery = min((stage.root / "files" / "deliveries").iterdir())
    holder = stage.parties / "holder"
    stage.told("deliver", delivery, "--party", holder, "--hub", stage.hub, pin=None)

    code, said = stage.refused("ingest", "--hub", stage.hub, pin="00000000")
    assert code != 0
    assert "The token custodian-1 refuses this PIN" in said

    stage.hsm.pull_out(NAME)
    code, said = stage.refused("ingest", "--hub", stage.hub)
    stage.hsm.put_back(NAME)
    assert code != 0
    assert "The token custodian-1 is not there" in said

    told = stage.told("ingest", "--hub", stage.hub)
    assert [row["accepted"] > 0 for row in told["rows"]] == [True]


def test_a_stranger_verifies_the_log_of_such_a_hub(stage: Stage) -> None:
    found = verify(stage.hub / "site", "--trust", stage.parties / "controller" / "trust.json")

    assert found.returncode == 0, found.stdout


def test_a_disk_without_its_token_opens_no_share(stage: Stage, tmp_path: Path) -> None:
    """Everything that is on the custodian's disk, on a machine with another token of its name."""
    shutil.copytree(stage.parties / NAME, tmp_path / NAME)
    thiefs = SoftHsm(tmp_path / "hsm")
    thiefs.initialise(NAME)
    environment = {**os.environ, "SOFTHSM2_CONF": str(thiefs.configuration), "HAVRE_PIN": PIN}
    reading = (
        "import sys\nfrom pathlib import Path\n"
        "from havre.adapters.custody.shares import ShareStore\n"
        "from havre.bootstrap.tokens import open_token\n"
        "folder = Path(sys.argv[1])\n"
        "store = ShareStore(folder, keys=open_token(folder), custodian='custodian-1')\n"
        "print(len(store.partitions()))\n"
    )

    def shares(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", reading, str(folder)],
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    own = shares(stage.parties / NAME, SOFTHSM2_CONF=str(stage.hsm.configuration))
    stolen = shares(tmp_path / NAME)

    assert int(own.stdout) > 80
    assert (stolen.stdout, stolen.returncode) == ("", 1)
    assert "WrongToken" in stolen.stderr

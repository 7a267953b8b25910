"""What other accounts of the machine find of a hub: the site, and nothing that is not for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.small_hub import copy_of, founded, quiet
from havre.adapters.records.sql import SqlRecords
from havre.bootstrap.hub import OpenHub

NOBODY = 65534
# Steps into the hub, becomes another account, and says what it can read of what it was told.
STRANGER = f"""
import json, os, sys
from pathlib import Path
os.chdir(sys.argv[1])
os.setgroups([]); os.setresgid({NOBODY}, {NOBODY}, {NOBODY}); os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
readable = []
for name in json.loads(sys.argv[2]):
    try:
        Path(name).read_bytes()
        readable.append(name)
    except OSError:
        pass
try:
    os.listdir(".")
    readable.append(".")
except OSError:
    pass
print(json.dumps(readable))
"""


def mode_of(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def test_the_records_are_their_owners_alone(tmp_path: Path) -> None:
    SqlRecords(f"sqlite:///{tmp_path}/records.sqlite").commit([])

    assert {mode_of(path) for path in tmp_path.glob("records.sqlite*")} == {"0o600"}


def test_records_that_lay_open_are_closed_when_they_are_opened(tmp_path: Path) -> None:
    SqlRecords(f"sqlite:///{tmp_path}/records.sqlite").commit([])
    (tmp_path / "records.sqlite").chmod(0o644)

    SqlRecords(f"sqlite:///{tmp_path}/records.sqlite")

    assert mode_of(tmp_path / "records.sqlite") == "0o600"


def test_what_a_hub_has_is_closed_and_what_it_shows_is_open(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path).hub

    assert {
        path.relative_to(hub).as_posix(): mode_of(path)
        for path in (hub, *hub.iterdir())
        if not path.name.startswith("records.sqlite-")
    } == {
        ".": "0o711",
        "havre.toml": "0o600",
        "holders": "0o755",
        "inbox": "0o700",
        "party": "0o700",
        "private": "0o700",
        "records.sqlite": "0o600",
        "site": "0o755",
    }


def test_a_hub_that_lay_open_is_closed_when_it_is_opened(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path).hub
    for path in (hub, hub / "party", hub / "private"):
        path.chmod(0o755)

    OpenHub(hub)

    assert [mode_of(hub / name) for name in (".", "party", "private")] == ["0o711"] + ["0o700"] * 2


def test_what_an_operator_closed_further_stays_so(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path).hub
    hub.chmod(0o700)

    OpenHub(hub)

    assert mode_of(hub) == "0o700"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_another_account_reads_the_site_and_nothing_else(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path / "hub")
    hub.holder().deliver([hub.deliveries / "cepidc-2024"], progress=quiet)
    hub.open().objects  # noqa: B018 - the store is made when it is first opened
    files = [path.relative_to(hub.hub).as_posix() for path in hub.hub.rglob("*") if path.is_file()]

    done = subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, str(hub.hub), json.dumps(files)],
        capture_output=True,
        text=True,
        check=True,
    )

    readable = set(json.loads(done.stdout))
    assert readable == {name for name in files if name.split("/")[0] in ("site", "holders")}

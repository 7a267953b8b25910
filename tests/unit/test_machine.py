"""The machine is asked, not trusted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from havre.adapters.machine import guarantees
from havre.adapters.machine.clock import SystemClock
from havre.adapters.machine.guarantees import (
    check_swap,
    inspect_machine,
    is_under_dm_crypt,
    look_at_disk,
)
from havre.adapters.sandbox.bubblewrap import BubblewrapSandbox
from havre.bootstrap.doctor import examine
from havre.errors import Unprotected


def test_every_fact_that_does_not_hold_says_how_to_mend_it() -> None:
    facts = inspect_machine()

    assert [fact.name for fact in facts if fact.held == bool(fact.mend)] == []


def test_a_process_that_turned_core_dumps_off_has_them_off() -> None:
    script = (
        "from havre.adapters.machine.guarantees import *; turn_off_core_dumps();"
        "print([fact.held for fact in inspect_machine() if 'core' in fact.name])"
    )

    seen = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert seen.stdout.strip() == "[True]"


def test_every_command_begins_by_closing_its_memory() -> None:
    """The limit is open when it starts; the command asked for does nothing but end."""
    script = (
        "import contextlib, ctypes, resource, sys\n"
        "sys.argv = ['havre', '--version']\n"
        "from havre.cli.main import run\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0] != 0)\n"
        "with contextlib.suppress(SystemExit): run()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )

    seen = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -c 4096; exec "$@"', "sh", sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )

    before, _version, after = seen.stdout.splitlines()
    assert (before, after) == ("True", "(0, 0) 0")


def block_device(sys_folder: Path, name: str, *below: Path, uuid: str = "") -> Path:
    """A device as `/sys` shows it."""
    device = sys_folder / name
    (device / "slaves").mkdir(parents=True)
    for each in below:
        (device / "slaves" / each.name).symlink_to(each)
    if uuid:
        (device / "dm").mkdir()
        (device / "dm" / "uuid").write_text(uuid)
    return device


def test_a_device_is_encrypted_when_everything_below_it_is(tmp_path: Path) -> None:
    disk = block_device(tmp_path, "sda2")
    crypt = block_device(tmp_path, "dm-0", disk, uuid="CRYPT-LUKS2-x")
    volume = block_device(tmp_path, "dm-1", crypt, uuid="LVM-x")
    half = block_device(tmp_path, "dm-2", crypt, disk, uuid="LVM-y")
    memory = block_device(tmp_path, "zram0")

    found = {each.name: is_under_dm_crypt(each) for each in (disk, crypt, volume, half, memory)}

    assert found == {"sda2": False, "dm-0": True, "dm-1": True, "dm-2": False, "zram0": True}
    assert not is_under_dm_crypt(tmp_path / "0:42")


def test_swap_in_the_clear_is_refused_with_how_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text(f"Filename Type Size Used Priority\n{tmp_path}/no-such-file file 1 0 -2\n")
    monkeypatch.setattr(guarantees, "SWAPS", swaps)

    with pytest.raises(Unprotected, match="1 of them not encrypted") as refusal:
        check_swap()

    assert "swapoff" in refusal.value.hint


def test_no_swap_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "swaps").write_text("Filename Type Size Used Priority\n")
    monkeypatch.setattr(guarantees, "SWAPS", tmp_path / "swaps")

    check_swap()


def test_a_disk_without_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the folder's nearest parent that is there: a hub may be yet to come."""
    monkeypatch.setattr(guarantees, "WANTED_DISK_BYTES", 2**80)

    fact = look_at_disk(tmp_path / "no" / "hub")

    assert (fact.held, "Make room" in fact.mend) == (False, True)


def test_the_sandbox_is_tried_and_the_environment_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: object) -> None:
        raise Unprotected("No sandbox.", hint="Mend it.")

    monkeypatch.setattr(BubblewrapSandbox, "probe", refuse)

    facts = {fact.name: fact for fact in examine(tmp_path, environment=tmp_path)}

    sandbox = facts["studies can run in a sandbox"]
    environment = facts["there is a study environment"]
    assert (sandbox.held, sandbox.mend) == (False, "Mend it.")
    assert (environment.held, "environment build" in environment.mend) == (False, True)


def test_the_clock_speaks_utc() -> None:
    assert SystemClock().now().utcoffset().total_seconds() == 0  # type: ignore[union-attr]

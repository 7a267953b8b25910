"""Custodians and witnesses as processes of their own, started, asked and stopped from the command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from fakes.processes import PARTIES, ServedHub, served_hub
from havre.bootstrap.place import read_place
from havre.bootstrap.services import served
from havre.domain.service_address import ServiceAddress
from havre.errors import NotFound


def havre(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "havre", *map(str, words), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def answer(*words: object) -> Any:
    done = havre(*words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def running() -> Iterator[ServedHub]:
    with served_hub() as hub:
        yield hub


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a Unix socket's has 107 bytes."""
    made = Path(mkdtemp(prefix="hv-"))
    yield made
    shutil.rmtree(made)


def test_a_hub_is_founded_with_its_parties_as_services(folder: Path) -> None:
    words = ("--hub", folder / "hub", "--parties", folder / "parties")
    told = answer("init", *words, "--services", "--made-up")

    place = read_place(folder / "hub")
    parties = (*place.custodians, place.escrow, *place.witnesses)
    assert [each.name for each in parties] == list(PARTIES)
    assert all(isinstance(each, ServiceAddress) for each in parties)
    assert "havre services" in told["separated"]


def test_all_services_of_a_hub_are_run_by_one_command(folder: Path) -> None:
    words = ("--hub", folder / "hub", "--parties", folder / "parties")
    founded = answer("init", *words, "--services", "--made-up")
    command = [sys.executable, "-m", "havre", "services", "--hub", str(folder / "hub"), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())["ready"]
        made = answer("ceremony", "--hub", folder / "hub", "--landing", 1)
        twice = havre("custodian", "serve", "--party", folder / "parties/custodian-1")
        process.send_signal(signal.SIGTERM)
        ended = process.wait(60)

    assert [each["party"] for each in ready["services"]] == list(PARTIES)
    assert len({each["process"] for each in ready["services"]} | {process.pid}) == 9
    assert ready["services"][0]["holds"] == {
        "key_shares": founded["key_pairs"],
        "log_entries": 4,
    }
    assert ready["services"][-1]["holds"] == {"log_head": 4}
    assert made == {"key_pairs": 1}
    assert twice.returncode == 3
    assert "served already" in twice.stderr
    assert ended == 0
    after = havre("ceremony", "--hub", folder / "hub", "--landing", 1)
    assert after.returncode == 6
    assert "does not answer at its address" in after.stderr


@contextmanager
def run_services(hub: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """`havre services` as a person runs it, and what it said when all of them answered."""
    command = [sys.executable, "-m", "havre", "services", "--hub", str(hub), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())["ready"]
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def own(folder: Path) -> Path:
    """A hub of its own, whose services do not run."""
    answer(
        *("init", "--hub", folder / "hub", "--parties", folder / "parties"),
        *("--services", "--made-up"),
    )
    return folder / "hub"


def test_services_that_run_already_are_not_started_again(own: Path) -> None:
    with run_services(own) as (process, ready):
        twice = havre("services", "--hub", own)

        assert twice.returncode == 3
        assert "custodian-1 did not start. custodian-1 is served already" in twice.stderr
        assert process.poll() is None
        assert answer("status", "--hub", own)["parties_away"] == []
    assert ready["elsewhere"] == []


def test_a_service_that_ends_by_itself_is_told_of_and_the_others_go_on(own: Path) -> None:
    with run_services(own) as (process, ready):
        assert process.stderr is not None
        os.kill(ready["services"][1]["process"], signal.SIGKILL)

        said = process.stderr.readline()
        assert "custodian-2 has ended (SIGKILL). Start it: havre custodian serve --party" in said
        assert answer("status", "--hub", own)["parties_away"] == ["custodian-2"]


def test_services_end_when_the_command_that_started_them_is_killed(own: Path) -> None:
    with run_services(own) as (process, ready):
        process.kill()
        process.wait(60)
        left = {each["process"] for each in ready["services"]}
        deadline = time.monotonic() + 60
        while left := {each for each in left if Path(f"/proc/{each}").exists()}:
            assert time.monotonic() < deadline, left
            time.sleep(0.1)

    with run_services(own) as (_, ready):
        assert len(ready["services"]) == len(PARTIES)


def test_a_party_that_is_not_served_from_here_is_named(own: Path) -> None:
    (own.parent / "parties/witness-2/service.toml").unlink()

    with run_services(own) as (_, ready):
        assert ready["elsewhere"] == ["witness-2"]
        assert len(ready["services"]) == len(PARTIES) - 1


def test_a_hub_and_its_parties_that_were_moved_together_are_served_where_they_are(
    own: Path, folder: Path
) -> None:
    (folder / "new").mkdir()
    for name in ("hub", "parties"):
        (folder / name).rename(folder / "new" / name)

    with run_services(folder / "new/hub"):
        assert answer("ceremony", "--hub", folder / "new/hub", "--landing", 1) == {"key_pairs": 1}


def test_a_hub_whose_sockets_would_lie_too_deep_is_not_founded(folder: Path) -> None:
    deep = folder / ("d" * 70)

    done = havre("init", "--hub", deep / "hub", "--parties", deep / "parties", "--services")

    assert done.returncode == 2
    assert "A Unix socket's path may have 107 bytes" in done.stderr
    assert not (deep / "parties").exists()
    assert not (deep / "hub/party").exists()


def test_what_separates_the_services_is_what_the_command_says(folder: Path) -> None:
    """As root each has an account of its own, where the program can be run by such an account."""
    folder.chmod(0o755)
    words = ("--hub", folder / "hub", "--parties", folder / "parties")
    answer("init", *words, "--services", "--made-up")

    with served(folder / "hub") as services:
        uids = {
            name: Path(f"/proc/{process.pid}").stat().st_uid
            for name, process in services.running.items()
        }
        said = services.separation

    own = "account of its own" in said
    assert len(set(uids.values())) == (len(PARTIES) if own else 1)
    assert uids == services.uids or not own


def test_services_of_a_hub_of_directories_are_not_run(folder: Path) -> None:
    answer("init", "--hub", folder / "hub", "--parties", folder / "parties", "--made-up")

    with pytest.raises(NotFound, match="directories"), served(folder / "hub"):
        pytest.fail("there is nothing to serve")


def test_a_service_that_is_told_to_stop_finishes_and_leaves_no_socket(running: ServedHub) -> None:
    running.stop("witness-4")

    assert not (running.party("witness-4") / "witness-4.sock").exists()
    assert running.log_of("witness-4").rstrip().endswith("witness-4: stopped")
    running.start("witness-4")


def test_a_service_that_was_killed_starts_over_its_own_socket(running: ServedHub) -> None:
    running.kill("witness-3")
    assert (running.party("witness-3") / "witness-3.sock").is_socket()

    running.start("witness-3")

    assert running.open().witnesses[2].size_seen("havre.example/test") > 0


@pytest.mark.parametrize(
    ("words", "party", "said"),
    [
        (("custodian", "serve"), "witness-1", "witness-1 has the role witness"),
        (("witness", "serve"), "custodian-1", "custodian-1 has the role custodian"),
        (("witness", "serve"), "researcher", "researcher has the role researcher"),
    ],
)
def test_a_party_is_served_by_the_command_of_its_role(
    running: ServedHub, words: tuple[str, ...], party: str, said: str
) -> None:
    done = havre(*words, "--party", running.party(party))

    assert done.returncode == 3
    assert said in done.stderr


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (None, 5, "There is no service.toml in witness-1"),
        ("format = ", 2, "service.toml of witness-1 is not TOML"),
        ('format = "havre/v1/service"\nlisten = "unix:a.sock"', 2, "other fields"),
        ('format = "havre/v2/service"\nlisten = "unix:a.sock"\nlog = "l"', 2, "other fields"),
        ('format = "havre/v1/service"\nlisten = "tcp:1"\nlog = "l"', 2, "spelled otherwise"),
        ('format = "havre/v1/service"\nlisten = "https://a:99999"\nlog = "l"', 2, "spelled"),
        (
            f'format = "havre/v1/service"\nlisten = "unix:/{"d" * 110}/a.sock"\nlog = "l"',
            2,
            "A Unix socket's path may have 107 bytes, and this one has 118",
        ),
        ('format = "havre/v1/service"\nlisten = "unix:no/a.sock"\nlog = "l"', 6, "cannot listen"),
        (
            'format = "havre/v1/service"\nlisten = "https://127.0.0.1:7"\nlog = "l"',
            5,
            "certificate",
        ),
    ],
)
def test_a_configuration_that_is_amiss_is_named(
    running: ServedHub, folder: Path, text: str | None, code: int, said: str
) -> None:
    party = folder / "witness-1"
    shutil.copytree(running.party("witness-1"), party, ignore=shutil.ignore_patterns("*.sock"))
    (party / "service.toml").unlink()
    if text is not None:
        (party / "service.toml").write_text(text)

    done = havre("witness", "serve", "--party", party)

    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def ask_in_the_raw(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(path))
        line.sendall(request)
        said = b""
        while piece := line.recv(65536):
            said += piece
        return said


@pytest.mark.parametrize(
    ("request_line", "body", "said"),
    [
        ("POST /v1/size-seen", b"", b"not canonical JSON"),
        ("POST /v1/size-seen", b'{"origin": "a"}', b"not in its canonical spelling"),
        ("POST /v1/size-seen", b'{"origin":1}', b"is no text"),
        ("POST /v1/size-seen", b'{"more":1,"origin":"a"}', b"other fields"),
        ("POST /v1/size-seen", b"[" * 100_000, b"not canonical JSON"),
        ("POST /v1/cosign", b'{"handovers":[],"note":"!","old_size":0,"proof":[]}', b"no base64"),
        ("POST /v1/release", b"{}", b"witness-1 has no such act"),
        ("POST /v1/../../etc/passwd", b"{}", b"Not Found"),
        ("GET /v1/size-seen", b"", b"Method Not Allowed"),
    ],
)
def test_what_is_no_message_is_refused_and_the_service_goes_on(
    running: ServedHub, request_line: str, body: bytes, said: bytes
) -> None:
    path = running.party("witness-1") / "witness-1.sock"
    head = f"{request_line} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n"

    answered = ask_in_the_raw(path, head.encode() + body)

    assert said in answered
    assert not answered.startswith(b"HTTP/1.1 200")
    assert running.open().witnesses[0].size_seen("havre.example/test") > 0


def test_a_message_that_is_too_long_is_cut_off(running: ServedHub) -> None:
    path = running.party("witness-1") / "witness-1.sock"
    size = 33 * 1024 * 1024
    head = f"POST /v1/size-seen HTTP/1.1\r\nhost: a\r\ncontent-length: {size}\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        line.connect(str(path))
        line.sendall(head.encode())
        sent = 0
        try:
            while sent < size:
                sent += line.send(b"x" * 65536)
        except OSError:
            pass
        said = line.recv(65536)

    assert b"longer than" in said


def test_the_trail_holds_what_was_done_and_no_content(running: ServedHub) -> None:
    answer("ceremony", "--hub", running.hub.hub, "--landing", 1)

    lines = [
        json.loads(line)
        for line in (running.party("custodian-1") / "service.jsonl").read_text().splitlines()
    ]
    acts = [line["act"] for line in lines]
    assert acts[-3:] == ["begin-ceremony", "accept", "mirror-extend"]
    assert all(sorted(line) == ["act", "at", "caller", "outcome"] for line in lines)


def test_status_names_a_service_that_does_not_answer(running: ServedHub) -> None:
    running.kill("custodian-2")

    try:
        begun = time.monotonic()
        told = answer("status", "--hub", running.hub.hub)
        assert told["parties_away"] == ["custodian-2"]
        assert time.monotonic() - begun < 30
    finally:
        running.start("custodian-2")

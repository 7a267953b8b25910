"""A custodian in a directory keeps the port's promises, and its chain of answers.

Real processes, really killed (SIGKILL): a child releases shares and dies at its
n-th flush to the disk, for every n there is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contract.suite_custody import *  # noqa: F403
from fakes.hub_keys import HubKeys
from havre.crypto.sealing import PartitionKey
from havre.domain.clocks import ClockWentBack
from havre.domain.custody import ShareRequest
from havre.domain.receipt import open_receipt
from havre.domain.statements import envelope_digest
from havre.domain.transparency import NotFresh
from havre.errors import NotGenuine, Refused, Unavailable

# Imports once, then forks: for each folder a process that dies at a later flush than
# the one before, or for each request one that takes its time over the receipt.
CHILD = """
import json, os, signal, sys, time
from pathlib import Path
from fakes.hub_keys import HubKeys
from havre.domain.clocks import ClockWentBack
from havre.domain.custody import ShareRequest
kind, requests, *folders = sys.argv[1:]
requests = [
    ShareRequest(
        each["index"],
        bytes.fromhex(each["key"]),
        {sha256: bytes.fromhex(text) for sha256, text in each["documents"].items()},
        {},
    )
    for each in json.loads(requests)
]
flush = os.fsync

def dying_at(step):
    left = step
    def fsync(descriptor):
        nonlocal left
        left -= 1
        if left == 0 and kind == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        flush(descriptor)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return fsync

def die(folder, step):
    custodian = HubKeys(Path(folder)).custodian("custodian-1")
    os.fsync = dying_at(step)
    custodian.release(requests[0])

def race(folder, request):
    custodian = HubKeys(Path(folder)).custodian("custodian-1")
    sign = custodian._token.sign
    def slowly(message):
        time.sleep(0.5)
        return sign(message)
    custodian._token.sign = slowly
    custodian.release(request)

if kind == "race":
    works = [lambda request=request: race(folders[0], request) for request in requests]
else:
    works = [lambda f=f, n=n: die(f, n) for n, f in enumerate(folders, start=1)]
children = []
for work in works:
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    children.append(child)
for child in children:
    _, status = os.waitpid(child, 0)
    print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)
"""
# A release flushes the clock, the answer and the counter, each with its folder.
FLUSHES = 10


@pytest.fixture
def hub(tmp_path: Path) -> HubKeys:
    return HubKeys(tmp_path / "hub")


def run_children(kind: str, requests: list[ShareRequest], *folders: Path) -> list[int]:
    """Run the child; returns how each of its processes ended (9: killed, 0: it lived)."""
    spelled = [
        {
            "index": request.index,
            "key": request.one_time_key.hex(),
            "documents": {name: text.hex() for name, text in request.documents.items()},
        }
        for request in requests
    ]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, kind, json.dumps(spelled), *map(str, folders)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


def new_key() -> bytes:
    return PartitionKey.generate().public


def check_one_chain(hub: HubKeys, *requests: ShareRequest) -> None:
    """Ask everything again, and hold what was given against the counter: one chain, no fork."""
    custodian = hub.custodian("custodian-1")
    receipts = {request.index: custodian.release(request).receipt for request in requests}
    lines = (hub.root / "custodian-1" / "counter").read_text().splitlines()
    order = [int(line.split()[0]) for line in lines]
    opened = [
        open_receipt(receipts[index], roots=hub.roots, custodian="custodian-1") for index in order
    ]
    digests = [envelope_digest(receipts[index]) for index in order]

    assert sorted(order) == sorted(receipts)
    assert [line.split()[1] for line in lines] == digests
    assert [each.answers_before for each in opened] == list(range(len(order)))
    assert [each.previous for each in opened] == ["", *digests[:-1]]


@pytest.mark.parametrize("kind", ["before", "after"])
def test_a_custodian_killed_anywhere_gives_one_answer_and_counts_it_once(
    hub: HubKeys, tmp_path: Path, kind: str
) -> None:
    wanted = hub.granted()
    request, later = (hub.asked(new_key(), wanted=wanted) for _ in range(2))
    folders = [tmp_path / f"{kind}-{number:02d}" for number in range(FLUSHES)]
    for folder in folders:
        shutil.copytree(hub.root, folder)

    ends = run_children(kind, [request], *folders)

    assert 0 in ends
    assert len([end for end in ends if end == 9]) >= 5
    for folder in folders:
        stored = [path.read_bytes() for path in (folder / "custodian-1/answers").glob("*.json")]
        check_one_chain(HubKeys(folder), request, later)
        answer = (folder / "custodian-1/answers" / f"{request.index}.json").read_bytes()
        assert stored in ([], [answer])


def test_two_processes_of_one_custodian_make_one_chain(hub: HubKeys) -> None:
    wanted = hub.granted()
    requests = [hub.asked(new_key(), wanted=wanted) for _ in range(3)]

    assert run_children("race", requests, hub.root) == [0, 0, 0]

    check_one_chain(hub, *requests)


def test_a_torn_line_of_the_counter_is_cut_off_and_counted_again(hub: HubKeys) -> None:
    wanted = hub.granted()
    requests = [hub.asked(new_key(), wanted=wanted) for _ in range(3)]
    counter = hub.root / "custodian-1" / "counter"
    for request in requests[:2]:
        hub.custodian("custodian-1").release(request)
    whole = counter.read_bytes()

    for torn in (1, 2, 30, len(whole) // 2):
        counter.write_bytes(whole[:-torn])
        check_one_chain(hub, *requests[:2])
    check_one_chain(hub, *requests)


def test_an_answer_that_was_counted_and_is_gone_is_named(hub: HubKeys) -> None:
    request = hub.asked(new_key())
    hub.custodian("custodian-1").release(request)
    (hub.root / "custodian-1" / "answers" / f"{request.index}.json").unlink()

    with pytest.raises(NotGenuine, match="custodian-1 was set back"):
        hub.custodian("custodian-1").release(request)


def test_a_log_from_before_a_request_that_was_answered_is_refused(hub: HubKeys) -> None:
    """Its copy of the log was set back too; what it answered still tells it that this one is old."""
    wanted = hub.granted()
    shutil.copytree(hub.root / "log", hub.root / "log-before")
    request = hub.asked(new_key(), wanted=wanted)
    hub.custodian("custodian-1").release(request)
    shutil.rmtree(hub.root / "log")
    (hub.root / "log-before").rename(hub.root / "log")

    with pytest.raises(NotGenuine, match="lacks a request that custodian custodian-1 has answered"):
        hub.custodian("custodian-1").release(request)


def test_a_counter_set_back_by_two_answers_is_not_guessed_at(hub: HubKeys) -> None:
    wanted = hub.granted()
    requests = [hub.asked(new_key(), wanted=wanted) for _ in range(3)]
    counter = hub.root / "custodian-1" / "counter"
    hub.custodian("custodian-1").release(requests[0])
    (hub.root / "custodian-1" / "answers" / f"{requests[0].index}.json").unlink()
    counter.unlink()
    for request in requests[1:]:
        hub.custodian("custodian-1").release(request)
    counter.write_bytes(b"1 " + b"0" * 64 + b"\n")

    with pytest.raises(NotGenuine, match="custodian-1 was set back"):
        hub.custodian("custodian-1").release(requests[2])


@pytest.mark.parametrize("content", [b"x\n", b"1 2 3\n", b"\xff 00\n", b"\n"])
def test_a_counter_that_cannot_be_read_is_named(hub: HubKeys, content: bytes) -> None:
    request = hub.asked(new_key())
    (hub.root / "custodian-1" / "counter").write_bytes(content)

    with pytest.raises(NotGenuine, match="cannot be read"):
        hub.custodian("custodian-1").release(request)


def test_a_state_that_cannot_be_kept_is_named(hub: HubKeys) -> None:
    request = hub.asked(new_key())
    (hub.root / "custodian-1" / "counter").mkdir()

    with pytest.raises(Unavailable, match="Custodian custodian-1 cannot keep its state"):
        hub.custodian("custodian-1").release(request)


def test_a_ceremony_that_was_cut_short_can_be_gone_on_with(hub: HubKeys) -> None:
    custodian, partition = hub.custodian("custodian-1"), "a" * 32
    shares = shares_for(hub, custodian, partition)  # noqa: F405
    one_time = hub.root / "custodian-1" / "ceremonies" / "again"
    kept = one_time.read_bytes()
    custodian.accept("again", shares)
    one_time.write_bytes(kept)

    assert list(hub.custodian("custodian-1").accept("again", shares)) == [partition]


def test_a_clock_that_went_back_opens_nothing_by_an_old_head(hub: HubKeys) -> None:
    """What has ended since would be in force again, by a head that was fresh at that time."""
    request = hub.asked(new_key())
    checkpoint = hub.log.site / "log" / "checkpoint"
    old, then = checkpoint.read_bytes(), hub.log.clock.at
    hub.log.clock.move(days=300)
    hub.journal.renew()
    with pytest.raises(Refused):
        hub.custodian("custodian-1").release(request)
    hub.log.clock.at = then
    checkpoint.write_bytes(old)

    with pytest.raises(ClockWentBack, match="custodian-1 went back"):
        hub.custodian("custodian-1").release(request)


def test_a_clock_that_is_set_right_by_a_minute_goes_on(hub: HubKeys) -> None:
    wanted = hub.granted()
    hub.custodian("custodian-1").release(hub.asked(new_key(), wanted=wanted))
    hub.log.clock.move(minutes=-1)

    hub.custodian("custodian-1").release(hub.asked(new_key(), wanted=wanted))


def test_a_clock_that_ran_ahead_by_mistake_does_not_close_a_custodian(hub: HubKeys) -> None:
    request = hub.asked(new_key())
    hub.log.clock.move(days=300)
    with pytest.raises(NotFresh):
        hub.custodian("custodian-1").release(request)
    hub.log.clock.move(days=-300)

    hub.custodian("custodian-1").release(request)

"""P5: what a custodian counts is held against the log; whoever hides something is named.

In process, each way in which a counter can be wrong; across processes, what the
command says of real services.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from fakes.hub_keys import DCIR_2021, HubKeys
from fakes.processes import NAME, ServedHub, served_hub
from havre.adapters.custody import local
from havre.adapters.custody.local import LocalCustodian
from havre.application.asking import Patience
from havre.application.counting import CounterAudit, CounterReport
from havre.crypto.sealing import PartitionKey
from havre.domain.counter import CounterHead, sign_counter
from havre.domain.custody import ShareRequest, check_release
from havre.domain.permit_states import PermitState
from havre.domain.receipt import Receipt, sign_receipt
from havre.domain.statements import envelope_digest
from havre.domain.withdrawal import open_withdrawal
from havre.errors import Unavailable
from havre.ports.counters import Accountable, CounterPage


@pytest.fixture
def hub(tmp_path: Path) -> HubKeys:
    return HubKeys(tmp_path / "hub")


def audit(hub: HubKeys, custodians: Sequence[Accountable] | None = None) -> CounterReport:
    asked = hub.custodians() if custodians is None else custodians
    return CounterAudit(
        log=hub.log.public(),
        custodians=asked,
        keepers=[*asked, *hub.log.witnesses()],
        roots=hub.roots,
        clock=hub.log.clock,
        patience=Patience(within_s=10, rest_s=1),
    ).audit()


def opened(hub: HubKeys) -> int:
    with hub.release().open(hub.granted()) as keys:
        return keys.request


def test_what_was_opened_is_counted_by_those_who_opened_it_and_nothing_differs(
    hub: HubKeys,
) -> None:
    opened(hub)

    report = audit(hub)

    assert report == CounterReport(answers={"custodian-1": 1, "custodian-2": 1, "custodian-3": 0})


def test_an_answer_whose_receipt_the_hub_did_not_need_is_no_difference(hub: HubKeys) -> None:
    hub.custodian("custodian-3").release(hub.asked(PartitionKey.generate().public))

    assert audit(hub).differences == []


def test_an_answer_without_a_request_is_an_alarm_that_names_the_custodian(
    hub: HubKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A custodian that lets somebody have keys whom no entry names."""
    wanted = hub.granted()
    request = hub.asked(PartitionKey.generate().public, wanted=wanted)
    monkeypatch.setattr(local, "check_release", lambda _request, view: view.events[request.index])
    for index in (1, 4711):
        hub.custodian("custodian-2").release(replace(request, index=index))

    differences = audit(hub).differences

    assert [(each.custodian, each.request) for each in differences] == [
        ("custodian-2", 1),
        ("custodian-2", 4711),
    ]
    assert all("no such request" in each.what for each in differences)


def test_an_answer_that_opened_more_than_the_entry_names_is_an_alarm(
    hub: HubKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = hub.asked(PartitionKey.generate().public)
    more = hub.known(DCIR_2021).partition_id
    true = check_release
    monkeypatch.setattr(
        local,
        "check_release",
        lambda asked, view: replace(true(asked, view), partitions=(more,)),
    )
    hub.custodian("custodian-1").release(request)

    (difference,) = audit(hub).differences

    assert difference.what == "it opened other partitions than the log's entry names"


def test_a_counter_that_was_set_back_is_an_alarm_that_names_the_custodian(hub: HubKeys) -> None:
    request = opened(hub)
    folder = hub.root / "custodian-1"
    (folder / "counter").unlink()
    shutil.rmtree(folder / "answers")

    (difference,) = audit(hub).differences

    assert (difference.custodian, difference.request) == ("custodian-1", request)
    assert "set back" in difference.what


def test_a_counter_that_cannot_be_its_own_is_an_alarm_too(hub: HubKeys) -> None:
    request = opened(hub)
    (hub.root / "custodian-1/answers" / f"{request}.json").unlink()

    report = audit(hub)

    assert list(report.faults) == ["custodian-1"]
    assert "set back or altered" in report.faults["custodian-1"].message
    assert "custodian-1" not in report.answers


@dataclass
class Telling:
    """A custodian that tells something else of itself than it should."""

    true: LocalCustodian
    tell: Callable[[CounterPage, LocalCustodian], CounterPage]
    decisions: list[bytes] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.true.name

    def counter(self, first: int) -> CounterPage:
        return self.tell(self.true.counter(first), self.true)

    def withdrawals(self) -> list[bytes]:
        return self.decisions


def head_of(teller: LocalCustodian, **fields: Any) -> bytes:
    head = CounterHead(teller.name, 2, "", teller._clock.now())
    return sign_counter(replace(head, **fields), origin=teller._roots.origin, signer=teller._token)


def one_receipt_left_out(page: CounterPage, _: LocalCustodian) -> CounterPage:
    return replace(page, receipts=page.receipts[1:])


def receipts_in_another_order(page: CounterPage, _: LocalCustodian) -> CounterPage:
    return replace(page, receipts=page.receipts[::-1])


def a_shorter_chain_under_a_head_of_its_own(
    page: CounterPage, custodian: LocalCustodian
) -> CounterPage:
    kept = page.receipts[:1]
    return CounterPage(head_of(custodian, answers=1, last=envelope_digest(kept[0])), kept)


def an_empty_counter(_page: CounterPage, custodian: LocalCustodian) -> CounterPage:
    return CounterPage(head_of(custodian, answers=0), [])


def a_head_that_counts_more(page: CounterPage, custodian: LocalCustodian) -> CounterPage:
    return replace(page, head=head_of(custodian, answers=7))


def a_head_about_another_custodian(page: CounterPage, custodian: LocalCustodian) -> CounterPage:
    return replace(page, head=head_of(custodian, custodian="custodian-2"))


def a_request_that_is_counted_twice(page: CounterPage, custodian: LocalCustodian) -> CounterPage:
    digest = envelope_digest(page.receipts[0])
    again = sign_receipt(
        Receipt(custodian.name, _request_of(custodian), (), 1, digest),
        origin=custodian._roots.origin,
        signer=custodian._token,
    )
    receipts = [page.receipts[0], again]
    return CounterPage(head_of(custodian, answers=2, last=envelope_digest(again)), receipts)


def _request_of(custodian: LocalCustodian) -> int:
    line = (custodian._folder / "counter").read_text().splitlines()[0]
    return int(line.split()[0])


TOLD: list[tuple[Callable[[CounterPage, LocalCustodian], CounterPage], str]] = [
    (one_receipt_left_out, "fewer answers than it says"),
    (receipts_in_another_order, "no chain at answer 0"),
    (a_shorter_chain_under_a_head_of_its_own, "set back"),
    (an_empty_counter, "set back"),
    (a_head_that_counts_more, "fewer answers than it says"),
    (a_head_about_another_custodian, "somebody else's"),
    (a_request_that_is_counted_twice, "counts one request twice"),
]


@pytest.mark.parametrize(("tell", "said"), TOLD, ids=lambda each: getattr(each, "__name__", ""))
def test_whatever_a_custodian_tells_of_itself_that_is_not_so_is_an_alarm(
    hub: HubKeys, tell: Callable[[CounterPage, LocalCustodian], CounterPage], said: str
) -> None:
    wanted = hub.granted()
    for _ in range(2):
        with hub.release().open(wanted):
            pass

    report = audit(hub, [Telling(hub.custodian("custodian-1"), tell)])

    alarms = [each.what for each in report.differences] + [
        each.message for each in report.faults.values()
    ]
    assert any(said in each for each in alarms), alarms


def test_a_custodian_that_does_not_answer_is_named_and_the_others_are_compared(
    hub: HubKeys,
) -> None:
    class Away(Telling):
        def counter(self, first: int) -> CounterPage:
            raise Unavailable(f"custodian-1 does not answer, from {first} on.")

    request = opened(hub)
    (hub.root / "custodian-2" / "counter").unlink()
    shutil.rmtree(hub.root / "custodian-2" / "answers")
    away = Away(hub.custodian("custodian-1"), one_receipt_left_out)

    report = audit(hub, [away, hub.custodian("custodian-2")])

    assert list(report.silent) == ["custodian-1"]
    assert [(each.custodian, each.request) for each in report.differences] == [
        ("custodian-2", request)
    ]


def hours_ago(hub: HubKeys, hours: int, state: str = "revoked") -> bytes:
    """A decision that an authority signed some hours ago, handed over without the hub."""
    wanted = hub.granted()
    hub.log.clock.move(hours=-hours)
    signed = hub.decided(state, about=wanted.permit)
    hub.log.clock.move(hours=hours)
    return signed


@pytest.mark.parametrize(("hours", "reported"), [(23, False), (25, True)])
def test_a_decision_that_the_log_has_not_after_a_day_is_reported(
    hub: HubKeys, hours: int, reported: bool
) -> None:
    signed = hours_ago(hub, hours)
    hub.custodian("custodian-2").revoke(signed)
    hub.log.witness("witness-1").keep_decision(signed)

    unlogged = audit(hub).unlogged

    told = [(each.permit, each.state, each.told) for each in unlogged]
    wanted = [("diabetes", "revoked", ("custodian-2", "witness-1"))]
    assert told == (wanted if reported else [])


def test_a_decision_that_the_log_has_is_not_reported(hub: HubKeys) -> None:
    wanted = hub.granted()
    signed = hub.decided("revoked", about=wanted.permit)
    hub.custodian("custodian-2").revoke(signed)
    hub.move(signed, PermitState.REVOKED, after=wanted.permit)
    hub.log.clock.move(hours=48)
    hub.journal.renew()

    assert audit(hub).unlogged == []


@pytest.fixture(scope="module")
def served() -> Iterator[ServedHub]:
    with served_hub() as running:
        wanted = running.granted()
        with running.open().release.open(wanted):
            pass
        yield running


def command(served: ServedHub, *words: str) -> tuple[int, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "havre", *words, "--hub", str(served.hub.hub), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, json.loads(done.stdout)


def test_services_that_say_what_the_log_says_pass_the_audit(served: ServedHub) -> None:
    code, told = command(served, "audit")

    assert (code, told["alarms"], told["could_not_be_asked"]) == (0, [], {})
    assert sum(told["answers_counted"].values()) == 2


def test_a_service_that_was_set_back_is_named_by_the_audit(served: ServedHub) -> None:
    folder = served.party("custodian-1")
    served.stop("custodian-1")
    for name in ("counter", "answers"):
        (folder / name).rename(folder / f"{name}-away")
    served.start("custodian-1")

    try:
        code, told = command(served, "audit")
        assert code == 4
        assert len(told["alarms"]) == 1
        assert told["alarms"][0].startswith("custodian-1, request ")
        assert "set back" in told["alarms"][0]
    finally:
        served.stop("custodian-1")
        for name in ("counter", "answers"):
            (folder / f"{name}-away").rename(folder / name)
        served.start("custodian-1")


def test_a_service_that_is_away_is_named_by_the_audit(served: ServedHub) -> None:
    served.kill("custodian-3")

    try:
        code, told = command(served, "audit")
        assert (code, told["alarms"]) == (6, [])
        assert list(told["could_not_be_asked"]) == ["custodian-3"]
    finally:
        served.start("custodian-3")


def test_a_decision_that_the_hub_keeps_to_itself_is_told_by_audit_and_status(
    served: ServedHub,
) -> None:
    hub = served.open()
    signed = served.decision(hub, "suspended", by="authority-2", hours_ago=30)
    decided_at = open_withdrawal(signed, roots=hub.roots).ground.decided_at
    hub.custodians[0].revoke(signed)
    hub.witnesses[2].keep_decision(signed)

    code, told = command(served, "audit")
    _, status = command(served, "status")

    assert code == 4
    (alarm,) = told["alarms"]
    assert alarm == (
        f"Permit {NAME} was suspended by an authority at {decided_at.isoformat()}, and the log does not say so;"
        " told were custodian-1, witness-3."
    )
    assert status["decisions_not_on_the_log"] == [NAME]


def test_whoever_is_passed_over_is_told_at_the_end_of_the_command(served: ServedHub) -> None:
    served.kill("witness-4")

    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "havre", "ceremony", "--landing", "1"),
                *("--hub", str(served.hub.hub)),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0
        assert "havre: witness-4 was passed over. witness-4 does not answer" in done.stderr
    finally:
        served.start("witness-4")


def test_the_audit_would_notice_nothing_if_it_compared_nothing(
    hub: HubKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breach, planted: an audit that believes counters finds an answer without a request fine."""
    from havre.application import counting

    request: ShareRequest = hub.asked(PartitionKey.generate().public)
    monkeypatch.setattr(local, "check_release", lambda _request, view: view.events[request.index])
    hub.custodian("custodian-2").release(replace(request, index=4711))
    assert audit(hub).differences
    monkeypatch.setattr(counting, "compare_counter", lambda *_: [])

    assert audit(hub).differences == []

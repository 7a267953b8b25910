"""P2. Shares go to others only as two houses order and people attend; a ceremony can be killed anywhere.

Whoever could have shares given to custodians of his own would need no permit.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.ceremony import Prepared, prepared, rewrite_parties
from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, granted
from havre.adapters.tokens.file import create_party
from havre.application.ceremony import PartitionCatalogue
from havre.application.vault.resharing import Resharing
from havre.bootstrap.key_life import erase, erase_project
from havre.bootstrap.resharing import (
    adopt,
    attend,
    draft_trust,
    reshare,
    resharing,
)
from havre.bootstrap.tokens import open_token
from havre.crypto.random import new_object_id
from havre.domain.erasure import Ground
from havre.domain.events import KeysRequested, events_of
from havre.domain.key_events import PartitionsReshared, ResharingOrdered
from havre.domain.resharing import (
    CeremonyOrder,
    CeremonyRefused,
    open_ceremony,
    sign_ceremony,
)
from havre.domain.statements import MissingSignature
from havre.domain.succession import check_succession, holders_of, trust_digest
from havre.domain.trust import (
    Party,
    Role,
    TrustRoots,
    encode_trust_roots,
    parse_trust_roots,
)
from havre.errors import HavreError, InvalidInput, NotGenuine, Refused, Unavailable
from havre.values import PartitionKind, instant_text

OLD = ("custodian-1", "custodian-2")


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(granted(), tmp_path / "hub")


def nothing_was_shared(hub: SmallHub) -> bool:
    events = [each.event for each in hub.open().log.entries()]
    return not events_of(events, PartitionsReshared)


@pytest.mark.parametrize(
    "signers",
    [
        ("controller",),
        ("authority-1",),
        ("authority-1", "authority-2"),
        ("controller", "researcher"),
        ("controller", "custodian-1"),
    ],
)
def test_an_order_that_two_houses_did_not_sign_is_no_order(
    hub: SmallHub, signers: tuple[str, ...]
) -> None:
    ceremony = prepared(hub, by=signers)

    with pytest.raises(MissingSignature):
        ceremony.attended_by("custodian-1")
    with pytest.raises(MissingSignature):
        ceremony.held()
    events = [each.event for each in hub.open().log.entries()]
    assert events_of(events, ResharingOrdered) == []


def test_a_custodian_whose_people_have_not_looked_keeps_its_shares(hub: SmallHub) -> None:
    ceremony = prepared(hub).attended_by("custodian-1")

    with pytest.raises(Refused, match="custodian-2: Nobody here has looked at"):
        ceremony.held()
    assert nothing_was_shared(hub)
    assert ceremony.attended_by("custodian-2").held().ended is not None


def test_the_order_of_another_hub_is_attended_nowhere_here(hub: SmallHub) -> None:
    ceremony = prepared(hub)
    signed = open_ceremony(ceremony.order.read_bytes(), roots=hub.open().roots)
    signers = [hub.token("controller"), hub.token("authority-1")]
    foreign = sign_ceremony(signed.order, origin="elsewhere.example/log", signers=signers)
    ceremony.order.write_bytes(foreign)

    with pytest.raises(NotGenuine, match="another log"):
        ceremony.attended_by("custodian-1")
    with pytest.raises(NotGenuine, match="another log"):
        ceremony.held()


def test_an_order_is_no_good_twice(hub: SmallHub) -> None:
    """After new shares were made the same order, told again, gives nothing to anybody."""
    ceremony = prepared(hub).attended_by(*OLD)
    ceremony.held()
    opened = hub.open()
    first = next(each for each in opened.log.entries() if isinstance(each.event, ResharingOrdered))
    assert isinstance(first.event, ResharingOrdered)
    opened.journal.record(replace(first.event, event_id=new_object_id()))
    again = len(hub.open().log.entries()) - 1
    before = len(_asked(hub))
    with pytest.raises(HavreError):
        _asks(hub, again, ceremony)
    resharing(hub.open()).carry_out(again)

    assert len(_asked(hub)) == before + 1


def _asked(hub: SmallHub) -> list[KeysRequested]:
    events = [each.event for each in hub.open().log.entries()]
    return [each for each in events_of(events, KeysRequested) if each.order is not None]


def _asks(hub: SmallHub, index: int, ceremony: Prepared) -> None:
    """A hub that asks all the same for what an order is no longer about."""
    desk: Resharing = resharing(hub.open())
    partitions = [each.partition_id for each in desk._catalogue.list_living()][:3]
    desk._reshare(index, partitions, ceremony.order.read_bytes())


def test_an_order_about_trust_roots_that_are_no_more_is_refused(hub: SmallHub) -> None:
    first = prepared(hub, name="first").attended_by(*OLD)
    late = prepared(hub, lost=("custodian-2",), fresh=("custodian-5",), name="late")
    late.attended_by("custodian-1", "custodian-3")
    rewrite_parties(hub, ["custodian-1", "custodian-2", "custodian-4"], former=["custodian-3"])
    first.held()

    with pytest.raises(Refused, match="rests on others than the hub's"):
        late.held()


def test_an_order_that_waited_too_long_is_given_anew(hub: SmallHub) -> None:
    ceremony = prepared(hub)
    signed = open_ceremony(ceremony.order.read_bytes(), roots=hub.open().roots)
    old = replace(signed.order, decided_at=signed.order.decided_at - timedelta(days=31))
    signers = [hub.token("controller"), hub.token("authority-1")]
    ceremony.order.write_bytes(sign_ceremony(old, origin=hub.open().roots.origin, signers=signers))

    with pytest.raises(CeremonyRefused, match="within 30 days"):
        ceremony.attended_by(*OLD).held()


def another_authority(roots: TrustRoots) -> TrustRoots:
    changed = [
        replace(each, key=bytes(32)) if each.name == "authority-2" else each
        for each in roots.parties
    ]
    return replace(roots, parties=tuple(changed))


def another_key_for_a_custodian(roots: TrustRoots) -> TrustRoots:
    changed = [
        replace(each, key=bytes(32)) if each.name == "custodian-1" else each
        for each in roots.parties
    ]
    return replace(roots, parties=tuple(changed))


def a_custodian_forgotten(roots: TrustRoots) -> TrustRoots:
    kept = [each for each in roots.parties if each.name != "custodian-3"]
    return replace(roots, parties=tuple(kept))


def a_witness_who_is_a_custodian(roots: TrustRoots) -> TrustRoots:
    changed = [
        replace(each, role=Role.CUSTODIAN) if each.name == "checker-1" else each
        for each in roots.parties
    ]
    return replace(roots, parties=tuple(changed))


def another_origin(roots: TrustRoots) -> TrustRoots:
    return replace(roots, origin="elsewhere.example/log")


def a_stranger_who_was_one(roots: TrustRoots) -> TrustRoots:
    stranger = Party("nobody", Role.FORMER, "house of nobody", bytes(32))
    return replace(roots, parties=(*roots.parties, stranger))


CHANGES: dict[str, Callable[[TrustRoots], TrustRoots]] = {
    "another authority": another_authority,
    "another key for a custodian": another_key_for_a_custodian,
    "a custodian forgotten": a_custodian_forgotten,
    "a checker who becomes a custodian": a_witness_who_is_a_custodian,
    "another log": another_origin,
    "a former custodian who never was one": a_stranger_who_was_one,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_ceremony_changes_nobody_but_custodians(hub: SmallHub, change: str) -> None:
    roots = hub.open().roots
    changed = CHANGES[change](roots)
    order = CeremonyOrder(
        name=new_object_id(),
        holders=holders_of(changed),
        threshold=changed.custodian_threshold,
        trust_sha256=trust_digest(changed),
        previous_sha256=trust_digest(roots),
        decided_at=hub.open().clock.now(),
        log_size=len(hub.open().log.entries()),
    )
    signers = [hub.token("controller"), hub.token("authority-1")]
    files = Prepared(hub, hub.root / "o.json", hub.root / "t.json")
    files.order.write_bytes(sign_ceremony(order, origin=roots.origin, signers=signers))
    files.trust.write_bytes(encode_trust_roots(changed))

    with pytest.raises((Refused, InvalidInput)):
        check_succession(roots, changed)
    with pytest.raises(Refused):
        files.held()
    with pytest.raises(Refused):
        adopt(files.order, files.trust, hub.parties / "witness-1")


def test_a_party_adopts_only_what_follows_on_its_own_roots(hub: SmallHub, tmp_path: Path) -> None:
    ceremony = prepared(hub)
    other = prepared(hub, lost=("custodian-2",), fresh=("custodian-5",), name="other")
    before = (hub.parties / "witness-1" / "trust.json").read_bytes()

    with pytest.raises(Refused, match="about other trust roots"):
        adopt(ceremony.order, other.trust, hub.parties / "witness-1")
    assert (hub.parties / "witness-1" / "trust.json").read_bytes() == before
    for _ in range(2):
        adopt(ceremony.order, ceremony.trust, hub.parties / "witness-1")
    new = parse_trust_roots((hub.parties / "witness-1" / "trust.json").read_bytes())
    assert trust_digest(new) == trust_digest(parse_trust_roots(ceremony.trust.read_bytes()))
    stranger = create_party(
        tmp_path / "stranger", name="stranger", role=Role.CUSTODIAN, operator="nobody"
    )
    with pytest.raises(Refused, match="do not name this party"):
        adopt(ceremony.order, ceremony.trust, stranger.folder)


def test_what_is_half_done_keeps_an_erasure_waiting(hub: SmallHub) -> None:
    ceremony = prepared(hub).attended_by("custodian-1")
    with pytest.raises(Refused):
        ceremony.held()

    with pytest.raises(CeremonyRefused, match="half done"):
        erase_project(hub.open(), PERMIT_NAME)


def test_a_ceremony_comes_to_its_end_although_a_project_was_erased_meanwhile(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some have accepted or destroyed shares of the project, and others are asked after it is gone."""
    from havre.adapters.custody.succession import Succession

    ceremony, retire = prepared(hub).attended_by(*OLD), Succession.retire

    def silent(self: Succession, *words: object, **more: object) -> bytes:
        if self._signer.name != "escrow":
            raise Unavailable("Away.")
        return retire(self, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Succession, "retire", silent)
    assert ceremony.held().retired == ("escrow",)
    monkeypatch.undo()
    opened = hub.open()
    project = [
        each
        for each in PartitionCatalogue(opened.records, log=opened.log).list_living()
        if each.partition.kind is PartitionKind.PROJECT
    ]
    erase(opened, project, ground=Ground.DECIDED, signers=[hub.token("controller")])
    report = ceremony.held()

    assert report.missing == {}
    assert report.ended is not None


def test_old_shares_stay_while_one_who_is_to_hold_new_ones_has_not_accepted(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub that lost new shares cannot have the old ones destroyed."""
    from havre.adapters.custody.succession import Succession

    ceremony = prepared(hub).attended_by(*OLD)
    confirm = Succession.confirm

    def silent(self: Succession, *words: object, **more: object) -> bytes:
        if self._signer.name == "custodian-4":
            raise NotGenuine("The new shares are not here.")
        return confirm(self, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Succession, "confirm", silent)
    report = ceremony.held()

    assert (report.retired, report.ended) == ((), None)
    assert "custodian-4 has not" in report.missing["custodian-1"]
    monkeypatch.undo()
    assert ceremony.held().ended is not None


def test_an_order_can_be_signed_on_two_machines(hub: SmallHub) -> None:
    from havre.bootstrap.key_life import sign_too

    ceremony = prepared(hub, by=("controller",))
    sign_too(ceremony.order, hub.parties / "authority-1")

    assert ceremony.attended_by(*OLD).held().ended is not None


def test_trust_roots_that_are_there_already_are_not_written_over(hub: SmallHub) -> None:
    out = hub.root / "trust.json"
    out.write_text("something")

    with pytest.raises(Refused, match="already"):
        draft_trust(hub.open(), add=[], former=["custodian-3"], threshold=None, out=out)
    assert out.read_text() == "something"


def test_a_ceremony_killed_anywhere_is_gone_on_with(hub: SmallHub, tmp_path: Path) -> None:
    ceremony = prepared(hub).attended_by(*OLD)
    steps = _steps(copied(ceremony, tmp_path / "whole"), at=0)
    died = 0
    for number, step in enumerate(range(1, steps, max(1, steps // 8))):
        there = copied(ceremony, tmp_path / f"killed-{number}")
        died += _killed(there, step)
        report = there.held()

        assert report.ended is not None, f"killed at step {step}"
        assert set(report.missing) <= {"custodian-3"}
        assert there.hub.open().extraction.extract(PERMIT_NAME).rows
        shutil.rmtree(there.hub.root)
    assert died >= 7


def copied(ceremony: Prepared, folder: Path) -> Prepared:
    hub = copy_of(ceremony.hub, folder)
    return Prepared(hub, folder / ceremony.order.name, folder / ceremony.trust.name)


def _steps(ceremony: Prepared, *, at: int) -> int:
    """Hold a ceremony in a child, and count its flushes to the disk; killed at one of them."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        count, flush = 0, os.fsync

        def counted(descriptor: int) -> None:
            nonlocal count
            count += 1
            if count == at:
                os.kill(os.getpid(), 9)
            flush(descriptor)

        os.fsync = counted  # type: ignore[assignment]
        try:
            reshare(ceremony.hub.open(), ceremony.order, ceremony.trust)
            os.write(writer, str(count).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        said = told.read()
    _, status = os.waitpid(child, 0)
    return -1 if os.WIFSIGNALED(status) else int(said or 0)


def _killed(ceremony: Prepared, step: int) -> bool:
    return _steps(ceremony, at=step) == -1


def test_the_names_of_an_order_tell_when_it_was_given(hub: SmallHub) -> None:
    ceremony = prepared(hub)
    shown = attend(ceremony.order, hub.parties / "custodian-1")

    assert shown["signed_by"] == ["authority-1 (authority)", "controller (controller)"] or shown[
        "signed_by"
    ] == ["controller (controller)", "authority-1 (authority)"]
    assert instant_text(shown["decided_at"])  # type: ignore[arg-type]
    assert open_token(hub.parties / "custodian-1").name == shown["custodian"]

"""P2. Each custodian looks for itself: shares are taken in, signed for and destroyed by the log alone.

The hub is the caller here, and asks for what it may not have.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.ceremony import Prepared, prepared, rewrite_parties
from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, granted
from havre.application.ceremony import PartitionCatalogue
from havre.bootstrap import services
from havre.bootstrap.resharing import adopt, draft_trust, resharing, write_ceremony_order
from havre.crypto.commitments import commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.crypto.sealing import seal_key
from havre.domain.events import KeysReleased, KeysRequested, events_of
from havre.domain.key_events import OldSharesErased, PartitionsReshared
from havre.domain.key_states import read_key_states
from havre.domain.resharing import CeremonyRefused, CeremonyRequest
from havre.errors import NotFound, NotGenuine, Refused, Unavailable
from havre.formats.canonical import Json, encode_canonical
from havre.ports.custody import SHARE_LABEL, SealedShares, ceremony_context, ceremony_name

OLD = ("custodian-1", "custodian-2")


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(granted(), tmp_path / "hub")


def sealed_for(hub: SmallHub, ceremony: str, key: bytes, *, custodian: str) -> SealedShares:
    """What a hub could make up by itself: shares of its own, sealed to a custodian's key."""
    share = {
        "id": "a" * 32,
        "text": "dataset/dcir/2023/1",
        "salt": "0" * 64,
        "words": "of its own",
    }
    info = ceremony_context(origin=hub.open().roots.origin, ceremony=ceremony, custodian=custodian)
    return SealedShares(custodian, seal_key(encode_canonical([{**share}]), to=key, info=info))


def test_a_custodian_takes_in_no_shares_that_no_order_on_the_log_makes_its_own(
    hub: SmallHub,
) -> None:
    ceremony = ceremony_name(0, "b" * 12)
    custodian = hub.open().custodians[0]
    sealed = sealed_for(hub, ceremony, custodian.begin_ceremony(ceremony), custodian="custodian-1")

    with pytest.raises(CeremonyRefused, match="makes custodian custodian-1 a holder"):
        custodian.accept(ceremony, sealed)


def test_a_custodian_that_leaves_takes_in_no_new_shares(hub: SmallHub) -> None:
    ceremony = prepared(hub).attended_by(*OLD)
    index = ceremony.held().order
    name = ceremony_name(index, "b" * 12)
    former = resharing(hub.open())._custodians["custodian-3"]
    sealed = sealed_for(hub, name, former.begin_ceremony(name), custodian="custodian-3")

    with pytest.raises(CeremonyRefused, match="makes custodian custodian-3 a holder"):
        former.accept(name, sealed)


def placed(ceremony: Prepared) -> CeremonyRequest:
    """The order on the log and the trust roots taken over; nobody was asked for anything."""
    order, trust = ceremony.order.read_bytes(), ceremony.trust.read_bytes()
    index = resharing(ceremony.hub.open()).place(order, trust)
    adopt(ceremony.order, ceremony.trust, ceremony.hub.hub / "party")
    return CeremonyRequest(index, order, trust)


def test_nobody_signs_for_shares_that_the_log_did_not_give_him(hub: SmallHub) -> None:
    request = placed(prepared(hub))
    desk = resharing(hub.open())

    for name in (*OLD, "custodian-3", "custodian-4"):
        with pytest.raises(CeremonyRefused, match=r"gave custodian \S+ no share"):
            desk._custodians[name].confirm(request)


def test_nothing_is_destroyed_before_new_shares_are_on_the_log(hub: SmallHub) -> None:
    request = placed(prepared(hub))
    desk = resharing(hub.open())

    for name in OLD:
        with pytest.raises(CeremonyRefused, match="have no new shares yet"):
            desk._custodians[name].retire(request)
    assert hub.open().extraction.extract(PERMIT_NAME).rows


def test_who_held_no_share_before_has_nothing_to_destroy(hub: SmallHub) -> None:
    ceremony = prepared(hub).attended_by(*OLD)
    report = ceremony.held()
    desk = resharing(hub.open())
    said = {
        name: hub.open().records.document("share-acceptance", f"{report.order}-{name}")
        for name in report.accepted
    }
    request = CeremonyRequest(
        report.order, ceremony.order.read_bytes(), ceremony.trust.read_bytes(), said
    )

    with pytest.raises(CeremonyRefused, match="held no share before"):
        desk._custodians["custodian-4"].retire(request)


def silenced(act: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One custodian does not get as far as this act."""
    from havre.adapters.custody.succession import Succession

    true = getattr(Succession, act)

    def changed(self: Succession, *words: object, **more: object) -> bytes:
        if self._signer.name == name:
            raise Unavailable("Killed.")
        answer: bytes = true(self, *words, **more)
        return answer

    monkeypatch.setattr(Succession, act, changed)


def lose_new_shares(hub: SmallHub, custodian: str) -> int:
    """What waits in a custodian's store is deleted from its disk."""
    waiting = list((hub.parties / custodian / "epochs").rglob("*.next"))
    for path in waiting:
        path.unlink()
    return len(waiting)


def test_who_lost_its_new_shares_does_not_sign_for_them(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ceremony = prepared(hub).attended_by(*OLD)
    silenced("confirm", "custodian-4", monkeypatch)
    ceremony.held()
    monkeypatch.undo()
    lost = lose_new_shares(hub, "custodian-4")
    report = ceremony.held()

    assert f"does not hold the shares of {lost} partitions" in report.missing["custodian-4"]
    assert (report.retired, report.ended) == ((), None)
    # Everybody else's old and new shares are there: the hub goes on.
    assert hub.open().extraction.extract(PERMIT_NAME).rows


def test_who_lost_its_new_shares_keeps_its_old_ones(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ceremony = prepared(hub).attended_by(*OLD)
    silenced("retire", "custodian-1", monkeypatch)
    ceremony.held()
    monkeypatch.undo()
    assert lose_new_shares(hub, "custodian-1")
    report = ceremony.held()

    assert "lacks a new share of its own" in report.missing["custodian-1"]
    assert "custodian-1" not in report.retired


def test_an_order_that_is_none_is_not_carried_out(hub: SmallHub) -> None:
    for index in (0, 10_000, -1):
        with pytest.raises(NotFound, match="no order for a ceremony"):
            resharing(hub.open()).carry_out(index)


def test_a_hub_takes_the_orders_trust_roots_over_before_anybody_is_asked(hub: SmallHub) -> None:
    ceremony = prepared(hub).attended_by(*OLD)
    desk = resharing(hub.open())
    index = desk.place(ceremony.order.read_bytes(), ceremony.trust.read_bytes())

    with pytest.raises(Refused, match="not those that the ceremony's order names") as refusal:
        resharing(hub.open()).carry_out(index)
    assert "havre keys adopt" in refusal.value.hint


def test_a_holder_whose_place_the_hub_does_not_know_is_named(hub: SmallHub) -> None:
    ceremony = prepared(hub).attended_by(*OLD)
    rewrite_parties(hub, [*OLD], former=["custodian-3"])

    with pytest.raises(NotFound, match="where custodian-4 is") as refusal:
        ceremony.held()
    assert "havre.toml" in refusal.value.hint
    events = [each.event for each in hub.open().log.entries()]
    assert events_of(events, PartitionsReshared) == []


def test_a_former_custodian_that_nobody_knows_is_not_drafted(hub: SmallHub) -> None:
    with pytest.raises(NotFound, match="nobody called custodian-9"):
        draft_trust(
            hub.open(), add=[], former=["custodian-9"], threshold=None, out=hub.root / "t.json"
        )


def test_an_order_that_is_there_already_is_not_written_over(hub: SmallHub) -> None:
    ceremony = prepared(hub)
    before = ceremony.order.read_bytes()
    signers = [hub.parties / "controller", hub.parties / "authority-1"]

    with pytest.raises(Refused, match="already"):
        write_ceremony_order(hub.open(), ceremony.trust, parties=signers, out=ceremony.order)
    assert ceremony.order.read_bytes() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another account")
def test_what_root_notes_in_a_partys_directory_its_own_account_can_read(hub: SmallHub) -> None:
    ceremony, party = prepared(hub), hub.parties / "custodian-1"
    os.chown(party, 61_100, 61_100)
    ceremony.attended_by("custodian-1").adopted_by("custodian-1")
    (noted,) = (party / "attended").iterdir()

    owners = {path.stat().st_uid for path in (noted, noted.parent, party / "trust.json")}
    assert owners == {61_100}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another account")
@pytest.mark.parametrize("laid", ["attended", ".trust.json.part", "trust.json"])
def test_root_follows_no_link_that_a_partys_account_has_laid(
    hub: SmallHub, tmp_path: Path, laid: str
) -> None:
    ceremony, party, roots_own = prepared(hub), hub.parties / "custodian-1", tmp_path / "root's own"
    if laid == "attended":
        roots_own.mkdir()
    else:
        roots_own.write_bytes((party / "trust.json").read_bytes())
        (party / laid).unlink(missing_ok=True)
    (party / laid).symlink_to(roots_own)
    os.chown(party, 61_100, 61_100)
    before = (roots_own.stat().st_uid, roots_own.stat().st_size)
    with suppress(Refused):
        ceremony.attended_by("custodian-1")
    with suppress(Refused):
        ceremony.adopted_by("custodian-1")

    assert list(roots_own.iterdir() if roots_own.is_dir() else ()) == []
    assert (roots_own.stat().st_uid, roots_own.stat().st_size) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another account")
def test_a_service_that_root_starts_is_given_its_directory_and_nothing_that_a_link_leads_to(
    tmp_path: Path,
) -> None:
    party, roots_own = tmp_path / "custodian-1", tmp_path / "root's own"
    party.mkdir()
    roots_own.write_bytes(b"")
    (party / "link").symlink_to(roots_own)
    services._give_to(party, 61_100)

    assert party.stat().st_uid == 61_100
    assert roots_own.stat().st_uid == 0


def followed_by_another(hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """A ceremony whose new custodian is lost before it has accepted, and an order for the next one."""
    first = prepared(hub, name="first").attended_by(*OLD)
    silenced("confirm", "custodian-4", monkeypatch)
    assert first.held().retired == ()
    monkeypatch.undo()
    first.adopted_by(*OLD, "escrow")
    second = prepared(hub, lost=("custodian-4",), fresh=("custodian-5",), name="second")
    rewrite_parties(hub, [*OLD, "custodian-5"], former=["custodian-3", "custodian-4"])
    return second.attended_by(*OLD)


def test_a_ceremony_that_fails_takes_nothing_from_the_one_before_it_which_never_ended(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New shares of the first ceremony still wait, and are all that opens anything."""
    second = followed_by_another(hub, monkeypatch)
    silenced("keep", "custodian-5", monkeypatch)
    with pytest.raises(Unavailable):
        second.held()
    monkeypatch.undo()

    assert hub.open().extraction.extract(PERMIT_NAME).rows
    report = second.held()
    assert report.ended is not None
    assert hub.open().extraction.extract(PERMIT_NAME).rows


def test_the_ceremony_that_follows_has_the_shares_of_all_before_it_destroyed(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = followed_by_another(hub, monkeypatch)
    assert {*OLD, "escrow"} <= set(second.held().retired)

    (epoch,) = (hub.parties / "custodian-1" / "epochs").iterdir()
    assert {path.name for path in epoch.iterdir() if "." in path.name} == set()
    assert resharing(hub.open()).list_open() == []
    assert resharing_ended(hub)


def resharing_ended(hub: SmallHub) -> bool:
    events = [each.event for each in hub.open().log.entries()]
    return len(events_of(events, OldSharesErased)) == 1


def test_a_new_share_says_of_a_partition_what_the_one_before_said(hub: SmallHub) -> None:
    """What a partition is decides on which ground it is opened."""
    request = placed(prepared(hub))
    name, custodian = ceremony_name(request.index, "b" * 12), hub.open().custodians[0]
    key = custodian.begin_ceremony(name)
    states = read_key_states(each.event for each in hub.open().log.entries())
    share = {"id": min(states), "text": "project/of-theirs/1", "salt": "0" * 64, "words": "any"}
    context = ceremony_context(
        origin=hub.open().roots.origin, ceremony=name, custodian="custodian-1"
    )
    sealed = seal_key(encode_canonical([{**share}]), to=key, info=context)

    with pytest.raises(NotGenuine, match="something else than the one"):
        custodian.accept(name, SealedShares("custodian-1", sealed))


def test_shares_that_the_log_counts_are_not_replaced_by_what_comes_later(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub that sends others once they were accepted would have the old ones destroyed for nothing."""
    ceremony = prepared(hub).attended_by(*OLD)
    silenced("retire", "custodian-1", monkeypatch)
    index = ceremony.held().order
    monkeypatch.undo()
    name, custodian = ceremony_name(index, "b" * 12), hub.open().custodians[0]
    key = custodian.begin_ceremony(name)
    known = PartitionCatalogue(hub.open().records, log=hub.open().log).list_living()
    made_up = [
        {"id": each.partition_id, "text": each.partition.text, "salt": "0" * 64, "words": "any"}
        for each in known
    ]
    context = ceremony_context(
        origin=hub.open().roots.origin, ceremony=name, custodian="custodian-1"
    )
    sealed = seal_key(encode_canonical([{**each} for each in made_up]), to=key, info=context)
    custodian.accept(name, SealedShares("custodian-1", sealed))

    assert "custodian-1" in ceremony.held().retired
    assert hub.open().extraction.extract(PERMIT_NAME).rows


@pytest.mark.parametrize("named", [(), OLD])
def test_a_hub_that_makes_a_whole_ceremony_up_has_too_few_old_shares_destroyed(
    hub: SmallHub, named: tuple[str, ...]
) -> None:
    """Two houses ordered it, and nobody has opened anything; each knows whether it did itself."""
    request, opened = placed(prepared(hub)), hub.open()
    desk, known = resharing(opened), PartitionCatalogue(opened.records, log=opened.log)
    holders = (*OLD, "custodian-4", "escrow")
    name, new = ceremony_name(request.index, "b" * 12), dict[str, dict[str, str]]()
    for each in holders:
        bundle: list[Json] = []
        for partition in known.list_living():
            salt = new_salt()
            committed = commit_to(b"made up", label=SHARE_LABEL, salt=salt)
            new.setdefault(partition.partition_id, {})[each] = committed
            share = {"text": partition.partition.text, "salt": salt.hex(), "words": "made up"}
            bundle.append({"id": partition.partition_id, **share})
        context = ceremony_context(origin=opened.roots.origin, ceremony=name, custodian=each)
        key = desk._custodians[each].begin_ceremony(name)
        sealed = seal_key(encode_canonical(bundle), to=key, info=context)
        desk._custodians[each].accept(name, SealedShares(each, sealed))
    about = {"at": opened.clock.now()}
    (asked,) = opened.journal.record(
        KeysRequested(
            event_id=new_object_id(),
            permit=None,
            order=request.index,
            deliveries=(),
            partitions=tuple(sorted(new)),
            purpose="reshare",
            plan_commitment="",
            one_time_key_sha256="0" * 64,
            **about,
        )
    )
    receipts = dict.fromkeys(named, "1" * 64)
    opened.journal.record(
        KeysReleased(event_id=new_object_id(), request=asked, receipts=receipts, **about),
        PartitionsReshared(event_id=new_object_id(), order=request.index, shares=new, **about),
    )
    said = {each: desk._custodians[each].confirm(request) for each in holders}
    whole = replace(request, acceptances=said)

    why = "it did not" if named else "no ceremony has opened"
    for each in named or (*OLD, "custodian-3", "escrow"):
        with pytest.raises(NotGenuine, match=why):
            desk._custodians[each].retire(whole)

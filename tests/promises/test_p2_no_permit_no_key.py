"""P2: no permit, no key. Every missing piece, one at a time, is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from fakes.hub_keys import DCIR_2021, DCIR_2022, PERMIT, PROJECT, SECRET, STAGE_2, HubKeys
from havre.adapters.custody import local
from havre.adapters.custody.shares import _locked
from havre.application.vault.keys import KeysWanted
from havre.crypto.sealing import PartitionKey, seal_key
from havre.domain.custody import ShareRequest
from havre.domain.permit_states import PermitState
from havre.domain.statements import envelope_digest
from havre.errors import HavreError, NotGenuine, Refused, Unavailable
from havre.ports.custody import SealedShares

SECRET_KEY = bytes(range(32))
INFO = b"context"


@pytest.fixture
def hub(tmp_path: Path) -> HubKeys:
    return HubKeys(tmp_path)


def opened(hub: HubKeys, wanted: KeysWanted) -> bytes:
    """Have a sealed key opened, the whole way from the log to the key room."""
    known = hub.known(DCIR_2021)
    sealed = seal_key(SECRET_KEY, to=known.public_key, info=INFO)
    with hub.release().open(wanted) as keys:
        return keys.unwrap(known.partition_id, sealed, INFO)


def test_a_permit_signed_logged_and_in_force_opens_what_it_covers(hub: HubKeys) -> None:
    assert opened(hub, hub.granted()) == SECRET_KEY


def test_any_two_custodians_are_enough_and_one_is_not(hub: HubKeys) -> None:
    wanted = hub.granted()
    first, second, third = hub.custodians()

    with hub.release([third, first]).open(wanted) as keys:
        assert keys.secret(hub.known(SECRET).partition_id)
    with (
        pytest.raises(Refused, match="1 custodians answered, 2 are needed"),
        hub.release([second]).open(wanted),
    ):
        pytest.fail("one custodian opened a partition")


def test_a_key_of_the_lake_never_comes_out_whole(hub: HubKeys) -> None:
    with hub.release().open(hub.granted()) as keys, pytest.raises(Refused, match="secret"):
        keys.secret(hub.known(DCIR_2021).partition_id)


def no_signature_of_a_second_authority(hub: HubKeys) -> KeysWanted:
    return hub.granted(hub.signed(by=["authority-1"]))


def a_signature_by_the_applicant(hub: HubKeys) -> KeysWanted:
    return hub.granted(hub.signed(by=["authority-1", "authority-2", "researcher"]))


def an_altered_byte(hub: HubKeys) -> KeysWanted:
    wanted = hub.granted()
    digest, envelope = next(iter(wanted.documents.items()))
    return replace(wanted, documents={digest: envelope.replace(b"a", b"b", 1)})


def no_text_brought_along(hub: HubKeys) -> KeysWanted:
    return replace(hub.granted(), documents={})


def a_permit_that_has_ended(hub: HubKeys) -> KeysWanted:
    ended = replace(PERMIT, ends_on=date(2026, 5, 31))
    return hub.granted(hub.signed(ended))


def a_permit_that_has_not_begun(hub: HubKeys) -> KeysWanted:
    later = replace(PERMIT, starts_on=date(2026, 6, 2))
    return hub.granted(hub.signed(later))


def a_permit_only_asked_for(hub: HubKeys) -> KeysWanted:
    envelope = hub.signed()
    index = hub.move(envelope, PermitState.SUBMITTED)
    return KeysWanted(
        purpose="extract",
        partitions=[hub.known(DCIR_2021)],
        permit=index,
        documents={envelope_digest(envelope): envelope},
    )


def a_permit_that_was_revoked(hub: HubKeys) -> KeysWanted:
    envelope = hub.signed()
    way = (PermitState.SUBMITTED, PermitState.ASSESSMENT, PermitState.GRANTED, PermitState.REVOKED)
    index = hub.move(envelope, *way)
    return KeysWanted(
        purpose="extract",
        partitions=[hub.known(DCIR_2021)],
        permit=index,
        documents={envelope_digest(envelope): envelope},
    )


def a_year_outside_the_permit(hub: HubKeys) -> KeysWanted:
    return replace(hub.granted(), partitions=[hub.known(DCIR_2022)])


def the_second_stage_secret(hub: HubKeys) -> KeysWanted:
    return replace(hub.granted(), partitions=[hub.known(STAGE_2)])


def the_projects_partition_for_an_extract(hub: HubKeys) -> KeysWanted:
    return replace(hub.granted(), partitions=[hub.known(PROJECT)])


def another_purpose(hub: HubKeys) -> KeysWanted:
    return replace(hub.granted(), purpose="look")


def no_permit_at_all(hub: HubKeys) -> KeysWanted:
    return replace(hub.granted(), permit=None)


def an_ingestion_without_a_delivery(hub: HubKeys) -> KeysWanted:
    return replace(hub.granted(), permit=None, purpose="ingest")


def an_entry_that_is_no_permits(hub: HubKeys) -> KeysWanted:
    return replace(hub.granted(), permit=0)


def a_permit_withdrawn_directly_by_an_authority(hub: HubKeys) -> KeysWanted:
    wanted = hub.granted()
    decision = hub.decided("revoked", about=wanted.permit)
    for custodian in hub.custodians():
        custodian.revoke(decision)
    return wanted


def suspended_directly(hub: HubKeys) -> tuple[KeysWanted, bytes]:
    """A permit in force that an authority has suspended with every custodian; the log knows nothing."""
    wanted = hub.granted()
    decision = hub.decided("suspended", about=wanted.permit)
    for custodian in hub.custodians():
        custodian.revoke(decision)
    return wanted, decision


def granted_anew(hub: HubKeys, wanted: KeysWanted, *, about: int | None) -> KeysWanted:
    """The same permit, signed anew by two authorities who had this entry before them."""
    grant = hub.signed(about=about)
    index = hub.move(grant, PermitState.GRANTED, after=about)
    return replace(wanted, permit=index, documents={envelope_digest(grant): grant})


def a_suspension_that_the_hub_keeps_off_the_log(hub: HubKeys) -> KeysWanted:
    wanted, _ = suspended_directly(hub)
    return wanted


def a_renewal_by_authorities_who_were_not_shown_the_suspension(hub: HubKeys) -> KeysWanted:
    wanted, _ = suspended_directly(hub)
    return granted_anew(hub, wanted, about=wanted.permit)


def a_suspension_on_the_log_in_place_of_the_one_that_was_decided(hub: HubKeys) -> KeysWanted:
    wanted, _ = suspended_directly(hub)
    other = hub.decided("suspended", about=wanted.permit, by="authority-2")
    index = hub.move(other, PermitState.SUSPENDED, after=wanted.permit)
    return granted_anew(hub, wanted, about=index)


def a_revocation_that_the_hub_logs_as_a_suspension(hub: HubKeys) -> KeysWanted:
    wanted = hub.granted()
    decision = hub.decided("revoked", about=wanted.permit)
    for custodian in hub.custodians():
        custodian.revoke(decision)
        custodian.revoke(hub.decided("suspended", about=wanted.permit))
    index = hub.move(decision, PermitState.SUSPENDED, after=wanted.permit)
    return granted_anew(hub, wanted, about=index)


def an_old_grant_put_on_the_log_again_after_a_suspension(hub: HubKeys) -> KeysWanted:
    wanted = hub.granted()
    (grant,) = wanted.documents.values()
    again = hub.move(grant, PermitState.SUSPENDED, PermitState.GRANTED, after=wanted.permit)
    return replace(wanted, permit=again)


def an_old_grant_put_on_the_log_again_for_a_renewal(hub: HubKeys) -> KeysWanted:
    wanted = hub.granted()
    (grant,) = wanted.documents.values()
    hub.log.clock.move(days=60)
    return replace(wanted, permit=hub.move(grant, PermitState.GRANTED, after=wanted.permit))


def a_renewal_that_is_due(hub: HubKeys) -> KeysWanted:
    wanted = hub.granted()
    hub.log.clock.move(days=91)
    hub.journal.renew()
    return wanted


def a_grant_signed_for_a_later_day(hub: HubKeys) -> KeysWanted:
    hub.log.clock.move(days=60)
    signed = hub.signed()
    hub.log.clock.move(days=-60)
    return hub.granted(signed)


def an_applicant_whose_house_nobody_knows(hub: HubKeys) -> KeysWanted:
    return hub.granted(hub.signed(replace(PERMIT, applicant="nobody-known")))


def another_permits_signatures_under_a_new_name(hub: HubKeys) -> KeysWanted:
    """A revoked permit's envelope, told again as the permit of another name."""
    signed = hub.signed()
    states = (PermitState.SUBMITTED, PermitState.ASSESSMENT, PermitState.GRANTED)
    index = hub.move(signed, *states, permit="diabetes-again")
    return replace(hub.granted(signed), permit=index)


def a_grant_before_the_last_one(hub: HubKeys) -> KeysWanted:
    wanted = hub.granted()
    (grant,) = wanted.documents.values()
    hub.move(grant, PermitState.GRANTED, after=wanted.permit)
    return wanted


MISSING: list[tuple[Callable[[HubKeys], KeysWanted], str]] = [
    (no_signature_of_a_second_authority, "1 of role authority"),
    (a_signature_by_the_applicant, "applicant's own house"),
    (an_altered_byte, "not the log's"),
    (no_text_brought_along, "not brought along"),
    (a_permit_that_has_ended, "ended on"),
    (a_permit_that_has_not_begun, "begins on"),
    (a_permit_only_asked_for, "is submitted"),
    (a_permit_that_was_revoked, "is revoked"),
    (a_year_outside_the_permit, "does not cover"),
    (the_second_stage_secret, "does not cover"),
    (the_projects_partition_for_an_extract, "no project partition"),
    (another_purpose, "for an extract or a run"),
    (no_permit_at_all, "ingestion only"),
    (an_ingestion_without_a_delivery, "at least one"),
    (an_entry_that_is_no_permits, "as the permit's is none"),
    (a_permit_withdrawn_directly_by_an_authority, "withdrawn permit diabetes directly"),
    (a_suspension_that_the_hub_keeps_off_the_log, "withdrawn permit diabetes directly"),
    (a_renewal_by_authorities_who_were_not_shown_the_suspension, "diabetes directly"),
    (a_suspension_on_the_log_in_place_of_the_one_that_was_decided, "diabetes directly"),
    (a_revocation_that_the_hub_logs_as_a_suspension, "diabetes directly"),
    (an_old_grant_put_on_the_log_again_after_a_suspension, "about another state"),
    (an_old_grant_put_on_the_log_again_for_a_renewal, "about another state"),
    (a_renewal_that_is_due, "not renewed for 90 days"),
    (a_grant_signed_for_a_later_day, "for a later day"),
    (an_applicant_whose_house_nobody_knows, "not in the trust roots"),
    (another_permits_signatures_under_a_new_name, "another one than the log's entry names"),
    (a_grant_before_the_last_one, "does not rest on the permit's last entry"),
]


@pytest.mark.parametrize(
    ("missing", "reason"), MISSING, ids=lambda value: getattr(value, "__name__", "")
)
def test_what_is_missing_keeps_every_share_closed(
    hub: HubKeys, missing: Callable[[HubKeys], KeysWanted], reason: str
) -> None:
    wanted = missing(hub)

    with pytest.raises(Refused, match=f"0 custodians answered.*{reason}"):
        opened(hub, wanted)


def test_a_suspension_on_the_log_ends_when_two_authorities_grant_the_permit_anew(
    hub: HubKeys,
) -> None:
    wanted, decision = suspended_directly(hub)
    index = hub.move(decision, PermitState.SUSPENDED, after=wanted.permit)

    assert opened(hub, granted_anew(hub, wanted, about=index)) == SECRET_KEY


def test_of_two_suspensions_the_later_one_stands(hub: HubKeys) -> None:
    """A hub that dropped the first one cannot bring it back to keep the permit closed."""
    wanted, dropped = suspended_directly(hub)
    hub.log.clock.move(minutes=5)
    decision = hub.decided("suspended", about=wanted.permit)
    for custodian in hub.custodians():
        custodian.revoke(decision)
        custodian.revoke(dropped)
    index = hub.move(decision, PermitState.SUSPENDED, after=wanted.permit)

    assert opened(hub, granted_anew(hub, wanted, about=index)) == SECRET_KEY


def test_another_one_time_key_than_the_entrys_is_refused(hub: HubKeys) -> None:
    request = hub.asked(PartitionKey.generate().public)

    with pytest.raises(Refused, match="one-time key"):
        hub.custodian("custodian-1").release(
            replace(request, one_time_key=PartitionKey.generate().public)
        )


def test_shares_that_make_another_key_than_the_logs_open_nothing(hub: HubKeys) -> None:
    """SLIP-39 says that shares fit each other, never that they are of this partition."""
    wanted = hub.granted()
    another = hub.known(DCIR_2022)
    swapped = [replace(known, public_key=another.public_key) for known in wanted.partitions]

    with pytest.raises(NotGenuine, match="another key than the catalogue's"):
        opened(hub, replace(wanted, partitions=swapped))


@pytest.mark.parametrize("days", [-2, 2])
def test_a_request_that_is_dated_by_another_clock_is_refused(hub: HubKeys, days: int) -> None:
    elsewhere = hub.log.clock.now() + timedelta(days=days)
    request = hub.asked(PartitionKey.generate().public, at=elsewhere)

    with pytest.raises(Refused, match="time is not that of this custodian's clock"):
        hub.custodian("custodian-1").release(request)


def test_the_same_entry_asked_again_gets_the_same_bytes(hub: HubKeys) -> None:
    request = hub.asked(PartitionKey.generate().public)

    answers = [hub.custodian("custodian-1").release(request) for _ in range(2)]

    assert answers[0] == answers[1]


def test_a_request_that_is_not_on_the_log_is_refused(hub: HubKeys) -> None:
    request = hub.asked(PartitionKey.generate().public)

    with pytest.raises(Refused, match="not on the log"):
        hub.custodian("custodian-1").release(replace(request, index=999))


def test_a_head_that_nobody_has_cosigned_lately_is_refused(hub: HubKeys) -> None:
    request = hub.asked(PartitionKey.generate().public)
    hub.log.clock.move(minutes=16)

    with pytest.raises(Refused, match="seconds ago"):
        hub.custodian("custodian-1").release(request)


def test_a_head_without_its_witnesses_is_refused(hub: HubKeys) -> None:
    request = hub.asked(PartitionKey.generate().public)
    checkpoint = hub.log.site / "log" / "checkpoint"
    lines = checkpoint.read_bytes().splitlines(keepends=True)
    checkpoint.write_bytes(b"".join(lines[:-2]))

    with pytest.raises(NotGenuine, match="witnesses stand behind"):
        hub.custodian("custodian-1").release(request)


def test_a_log_that_went_back_is_refused(hub: HubKeys) -> None:
    checkpoint = hub.log.site / "log" / "checkpoint"
    before = checkpoint.read_bytes()
    request = hub.asked(PartitionKey.generate().public)
    hub.custodian("custodian-1").release(request)
    checkpoint.write_bytes(before)

    with pytest.raises(NotGenuine):
        hub.custodian("custodian-1").release(request)


def test_a_custodian_set_back_to_before_its_last_receipt_refuses(hub: HubKeys) -> None:
    assert opened(hub, hub.granted()) == SECRET_KEY
    for path in [
        hub.root / "custodian-1" / "counter",
        *(hub.root / "custodian-1/answers").iterdir(),
    ]:
        path.unlink()

    with pytest.raises(NotGenuine, match="set back"):
        hub.custodian("custodian-1").release(ShareRequest(1, b"", {}, {}))


def test_a_share_of_another_hub_in_a_custodians_store_is_named(hub: HubKeys) -> None:
    other = HubKeys(hub.root / "other")
    partition = hub.known(DCIR_2021).partition_id
    stolen = other.custodian("custodian-1")._shares.open(other.known(DCIR_2021).partition_id)
    epoch = hub.custodian("custodian-1")._shares._epochs.begin()
    (epoch.folder / partition).write_bytes(_locked(partition, stolen, to=epoch.key))
    two = hub.release(hub.custodians()[:2])

    # The custodian notices it itself; one that does not is named by the key room.
    with pytest.raises(Refused, match="custodian-1 does not hold the share"):
        two.open(hub.granted()).__enter__()


def test_a_request_that_nobody_finished_is_closed_at_the_next_start(hub: HubKeys) -> None:
    with pytest.raises(Refused):
        opened(hub, a_year_outside_the_permit(hub))

    assert [hub.release().close_abandoned() for _ in range(2)] == [1, 0]


def test_these_tests_would_notice_a_custodian_that_checks_nothing(
    hub: HubKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breach, planted: with the rule gone, a revoked permit opens the lake."""
    wanted = a_permit_that_was_revoked(hub)
    monkeypatch.setattr(local, "check_release", lambda request, view: view.events[request.index])

    assert opened(hub, wanted) == SECRET_KEY


def test_an_escrow_answers_no_daily_request(hub: HubKeys) -> None:
    custodian = hub.custodian("custodian-1")
    escrow = local.EscrowCustodian.__new__(local.EscrowCustodian)
    escrow.__dict__.update(custodian.__dict__)

    with pytest.raises(Unavailable, match="sealed"):
        escrow.release(hub.asked(PartitionKey.generate().public))


def test_a_ceremony_that_is_over_takes_no_more_shares(hub: HubKeys) -> None:
    with pytest.raises(HavreError, match="over"):
        hub.custodian("custodian-1").accept("never-begun", SealedShares("custodian-1", b""))

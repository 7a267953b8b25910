"""The journal on real files: what it promises when a party is silent, lying, or set back."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from fakes.hub_log import HubLog, catalogue_event
from fakes.parties import START, Hands
from havre.adapters.log.mirror import MirrorFolder
from havre.application.outside import TooFewWitnesses
from havre.crypto.random import new_object_id
from havre.domain.events import Handover, encode_event
from havre.domain.handover import HandedOver, handover_statement
from havre.domain.statements import sign_statement
from havre.domain.transparency import NotFresh, check_fresh, check_head
from havre.errors import NotFound, NotGenuine, Refused, Unavailable
from havre.formats.notes import NoteSignature
from havre.ports.records import Document, OutboxRow
from havre.ports.witness import HandoverProof, Witness


@pytest.fixture
def hub(tmp_path: Path) -> HubLog:
    return HubLog(tmp_path)


class Silent:
    """A witness that does not answer."""

    def __init__(self, name: str) -> None:
        self.name = name

    def size_seen(self, origin: str) -> int:
        raise Unavailable(f"Witness {self.name} does not answer.")

    def cosign(
        self,
        note: bytes,
        *,
        old_size: int,
        proof: Sequence[bytes],
        handovers: Sequence[HandoverProof] = (),
    ) -> NoteSignature:
        raise Unavailable(f"Witness {self.name} does not answer.")


class Liar:
    """A witness that cosigns with a key that is not its own, and claims to have seen more."""

    def __init__(self, honest: Witness, thief: Hands) -> None:
        self.name, self._honest, self._thief = honest.name, honest, thief

    def size_seen(self, origin: str) -> int:
        return 10**6

    def cosign(
        self,
        note: bytes,
        *,
        old_size: int,
        proof: Sequence[bytes],
        handovers: Sequence[HandoverProof] = (),
    ) -> NoteSignature:
        return NoteSignature(self.name, bytes(4), bytes(72))


class Forger(Liar):
    """A witness that answers in time, with a signature that is worth nothing."""

    def size_seen(self, origin: str) -> int:
        return 0


def test_an_act_is_on_the_log_when_record_returns(hub: HubLog) -> None:
    event = hub.opened()

    (index,) = hub.journal().record(event, documents=[Document("note", "one", b"private")])

    assert [(each.index, each.event) for each in hub.public().entries()] == [(index, event)]
    assert hub.records().document("note", "one") == b"private"


def test_several_acts_go_out_under_one_head_in_order(hub: HubLog) -> None:
    hub.filled(1)
    events = [catalogue_event(number) for number in range(5)]

    indexes = hub.journal().record(*events)

    assert indexes == (1, 2, 3, 4, 5)
    assert [each.event for each in hub.public().entries(1)] == events


def test_the_same_act_twice_is_on_the_log_once(hub: HubLog) -> None:
    journal, event = hub.filled(1).journal(), catalogue_event(1)

    assert journal.record(event) == journal.record(event) == hub.journal().record(event) == (1,)
    assert len(hub.public().entries()) == 2


def test_one_silent_witness_does_not_stop_the_log(hub: HubLog) -> None:
    journal = hub.journal(witnesses=[*hub.witnesses()[:3], Silent("witness-4")])

    journal.record(hub.opened())

    assert list(journal.complaints) == ["witness-4"]


@pytest.mark.parametrize("kind", [Liar, Forger])
def test_one_lying_witness_does_no_harm(hub: HubLog, kind: type[Liar]) -> None:
    liar = kind(hub.witness("witness-2"), Hands("thief"))
    others = [witness for witness in hub.witnesses() if witness.name != "witness-2"]

    hub.journal(witnesses=[liar, *others]).record(hub.opened(), catalogue_event(1))

    assert len(hub.public().entries()) == 2


def test_two_missing_witnesses_block_by_name_and_the_act_goes_out_later(hub: HubLog) -> None:
    hub.filled(1)
    missing = [Silent("witness-1"), Silent("witness-3")]
    present = [hub.witness("witness-2"), hub.witness("witness-4")]
    event = catalogue_event(1)

    with pytest.raises(TooFewWitnesses, match=r"witness-1.*witness-3"):
        hub.journal(witnesses=[*missing, *present]).record(event)

    assert len(hub.public().entries()) == 1
    hub.journal().resume()
    assert [each.event for each in hub.public().entries(1)] == [event]


def test_without_a_mirror_no_witness_is_asked(hub: HubLog) -> None:
    with pytest.raises(Unavailable):
        hub.journal(mirrors=[]).record(hub.opened())

    assert [witness.size_seen(hub.roots.origin) for witness in hub.witnesses()] == [0, 0, 0, 0]
    with pytest.raises(NotFound):
        hub.store().checkpoint()


def test_a_head_grows_old_and_is_renewed(hub: HubLog) -> None:
    hub.filled(2)
    hub.clock.move(minutes=20)

    def ask() -> None:
        public = hub.public()
        _, behind = check_head(public.checkpoint(), roots=hub.roots, keys=public.keys())
        check_fresh(behind, roots=hub.roots, now=hub.clock.now())

    with pytest.raises(NotFresh):
        ask()
    before = hub.public().head()
    hub.journal().renew()
    ask()
    assert hub.public().head() == before


def test_a_log_cut_off_behind_the_records_is_noticed(hub: HubLog, tmp_path: Path) -> None:
    hub.filled(2)
    shutil.copytree(hub.site, tmp_path / "backup")
    hub.journal().record(catalogue_event(2))
    shutil.rmtree(hub.site)
    shutil.copytree(tmp_path / "backup", hub.site)

    with pytest.raises(NotGenuine, match="cut off"):
        hub.journal().record(catalogue_event(3))


def set_back(hub: HubLog, *, entries: int) -> None:
    """Put log and records together back to an earlier day: the hub itself cannot know."""
    hub.filled(entries)
    backup = hub.root.parent / "backup"
    kept = ("site", "private", "records.sqlite")
    backup.mkdir()
    for name in kept:
        source = hub.root / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, backup / name)
    hub.journal().record(catalogue_event(100))
    for name in kept:
        source = hub.root / name
        shutil.rmtree(source) if source.is_dir() else source.unlink()
        (shutil.copytree if (backup / name).is_dir() else shutil.copy)(backup / name, source)
    for leftover in hub.root.glob("records.sqlite-*"):
        leftover.unlink()


@pytest.fixture
def set_back_hub(tmp_path: Path) -> HubLog:
    (tmp_path / "hub").mkdir()
    hub = HubLog(tmp_path / "hub")
    set_back(hub, entries=3)
    return hub


def test_a_hub_that_was_set_back_signs_no_second_history_when_a_mirror_remembers(
    set_back_hub: HubLog,
) -> None:
    with pytest.raises(NotGenuine, match="mirror keeps more"):
        set_back_hub.journal().record(catalogue_event(101))

    assert set_back_hub.store().pending() is None


def test_a_hub_that_was_set_back_is_named_when_its_old_head_is_to_be_renewed(
    set_back_hub: HubLog,
) -> None:
    """The first thing that a hub does with a head that grew old, before any act of its own."""
    before = set_back_hub.store().checkpoint()

    with pytest.raises(NotGenuine, match="mirror keeps more"):
        set_back_hub.journal().renew()
    with pytest.raises(NotGenuine, match=r"witness-1.*witness-4"):
        set_back_hub.journal(mirrors=[set_back_hub.mirror("custodian-2")]).renew()

    assert set_back_hub.store().checkpoint() == before


def test_a_hub_that_was_set_back_signs_no_second_history_when_witnesses_remember(
    set_back_hub: HubLog,
) -> None:
    fresh = set_back_hub.mirror("custodian-2")

    with pytest.raises(NotGenuine, match=r"witness-1.*witness-4"):
        set_back_hub.journal(mirrors=[fresh]).record(catalogue_event(101))

    assert set_back_hub.store().pending() is None


def test_an_altered_entry_is_noticed_before_the_log_grows(hub: HubLog) -> None:
    hub.filled(3)
    for bundle in (hub.site / "log/tile/entries").rglob("*[0-9]"):
        if bundle.is_file():
            bundle.write_bytes(bundle.read_bytes().replace(b'"tables":1', b'"tables":7'))

    with pytest.raises(NotGenuine):
        hub.journal().record(catalogue_event(3))
    with pytest.raises(NotGenuine):
        hub.public().entries()


def test_a_reader_notices_that_the_log_went_back(hub: HubLog, tmp_path: Path) -> None:
    public = hub.filled(2).public()
    shutil.copytree(hub.site, tmp_path / "backup")
    hub.journal().record(catalogue_event(2))
    assert len(public.entries()) == 3
    shutil.rmtree(hub.site)
    shutil.copytree(tmp_path / "backup", hub.site)

    with pytest.raises(NotGenuine, match="went back"):
        public.entries()


def test_records_that_were_lost_are_filled_again_from_the_log(hub: HubLog) -> None:
    hub.filled(4)
    for path in hub.root.glob("records.sqlite*"):
        path.unlink()

    assert hub.journal().record(catalogue_event(4)) == (4,)
    assert hub.records().published_size() == 5


def handed_over(hub: HubLog, *, index: int) -> Handover:
    """A handover to a new host, as the controller signs it for one place."""
    hub.cast.people.setdefault("new-host", Hands("new-host"))
    public = hub.cast["new-host"].public
    statement = handover_statement(public, index=index, origin=hub.roots.origin)
    envelope = sign_statement(statement, [hub.cast["controller"]])
    return Handover(
        event_id=new_object_id(),
        at=START,
        log_key=public.hex(),
        statement=base64.b64encode(envelope).decode(),
    )


def test_after_a_handover_the_old_host_records_nothing_and_the_new_one_goes_on(
    hub: HubLog,
) -> None:
    hub.filled(3)
    handover = handed_over(hub, index=3)
    # Offered together: the second must wait for the new host's key.
    with pytest.raises(Refused, match="handed over"):
        hub.journal().record(handover, catalogue_event(4))
    assert len(hub.public().entries()) == 4

    hub.journal(signer="new-host").resume()
    assert hub.journal(signer="new-host").record(catalogue_event(5)) == (5,)
    assert len(hub.public().entries()) == 6


def test_the_last_words_are_said_for_the_place_that_they_get(hub: HubLog) -> None:
    hub.filled(2)
    # Another process's act that waits goes first, whatever its place in the outbox.
    act = catalogue_event(7)
    hub.records().commit([OutboxRow(act.event_id, encode_event(act))])

    first = hub.journal().hand_over(
        lambda size: [catalogue_event(8), handed_over(hub, index=size + 1)]
    )

    assert first == 3
    assert len(hub.public().entries()) == 5
    assert hub.public().keys().key_for(6) == hub.cast["new-host"].public
    assert hub.records().published_size() == 5


def test_behind_a_handover_an_act_is_refused_before_it_is_kept(hub: HubLog) -> None:
    hub.filled(2)
    hub.journal().hand_over(lambda size: [handed_over(hub, index=size)])
    old = hub.journal()

    for act in (
        lambda: old.record(catalogue_event(9)),
        lambda: old.hand_over(lambda size: [handed_over(hub, index=size)]),
        old.check_ours,
    ):
        with pytest.raises(HandedOver, match="in entry 2 of its log"):
            act()
    assert hub.records().pending() == []
    old.resume()


def test_an_old_host_asks_for_no_cosignature_when_the_new_one_went_on(hub: HubLog) -> None:
    hub.filled(2)
    hub.journal().hand_over(lambda size: [handed_over(hub, index=size)])
    site = hub.root / "as-it-was"
    shutil.copytree(hub.site, site)
    hub.journal(signer="new-host").record(catalogue_event(9))
    shutil.rmtree(hub.site)
    site.rename(hub.site)
    for path in hub.root.glob("records.sqlite*"):
        path.unlink()
    before = hub.store().checkpoint()

    hub.journal().renew()

    assert hub.store().checkpoint() == before


def test_what_every_mirror_says_is_told_once(hub: HubLog) -> None:
    class Deaf(MirrorFolder):
        def held(self) -> int:
            raise Unavailable("It does not answer.")

    deaf = [Deaf(hub.root / f"deaf-{n}", roots=hub.roots) for n in range(4)]

    with pytest.raises(Unavailable) as refusal:
        hub.journal(mirrors=deaf).record(hub.opened())
    assert refusal.value.message.count("It does not answer.") == 1


def test_a_host_with_a_strange_key_is_told_so(hub: HubLog) -> None:
    hub.filled(1)
    hub.cast.people["stranger"] = Hands("stranger")

    with pytest.raises(Refused, match="another key than this host has"):
        hub.journal(signer="stranger").record(catalogue_event(1))

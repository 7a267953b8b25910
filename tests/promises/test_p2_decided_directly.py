"""P2: what an authority decides reaches custodians directly; a hub that drops it cannot go on."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, founded
from havre.application.ceremony import PartitionCatalogue
from havre.application.vault.keys import KeysWanted
from havre.bootstrap.deciding import Told, decide_permit
from havre.bootstrap.hub import OpenHub
from havre.cli.demo_texts import PERMIT
from havre.domain.permit_states import PermitState
from havre.domain.statements import envelope_digest
from havre.errors import Refused, Unavailable
from havre.values import Partition, PartitionKind

EVERYBODY = ["custodian-1", "custodian-2", "custodian-3", "escrow"]


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    """A hub with a granted permit, and no data."""
    copied = copy_of(founded(), tmp_path)
    copied.ask(PERMIT.format(environment="a" * 64))
    return copied


def decide(hub: SmallHub, state: PermitState, *, by: str = "authority-1") -> Told:
    """What `havre permit decide` does."""
    _, told = decide_permit(
        hub.open(), PERMIT_NAME, state, authority=hub.token(by), reason="a breach"
    )
    return told


def open_keys(hub: SmallHub) -> None:
    """Have one year of the permit opened, as an extract would."""
    opened = hub.open()
    standing = opened.permits.standing(PERMIT_NAME)
    year = Partition(PartitionKind.DATASET, "dcir", 2023)
    wanted = KeysWanted(
        purpose="extract",
        partitions=[PartitionCatalogue(opened.records, log=opened.log).find(year)],
        permit=standing.index,
        documents={envelope_digest(standing.envelope): standing.envelope},
    )
    with opened.release.open(wanted):
        pass


class DroppingJournal:
    """A hub's journal that takes acts and lets them fall."""

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def record(self, *_events: object, documents: object = ()) -> tuple[int, ...]:
        return ()


def test_a_permit_in_force_opens_before_anybody_decides(hub: SmallHub) -> None:
    open_keys(hub)


def test_every_custodian_is_told_before_the_hub(hub: SmallHub) -> None:
    told = decide(hub, PermitState.REVOKED)

    assert (told.obey, told.silent) == (EVERYBODY, {})
    assert hub.open().permits.standing(PERMIT_NAME).state is PermitState.REVOKED


def test_a_custodian_that_cannot_be_reached_is_named_and_spares_nobody(hub: SmallHub) -> None:
    (hub.parties / "custodian-2" / "withdrawn").write_text("in the way")
    told = decide(hub, PermitState.SUSPENDED)

    assert told.obey == ["custodian-1", "custodian-3", "escrow"]
    assert list(told.silent) == ["custodian-2"]


def test_whoever_is_no_authority_closes_nothing(hub: SmallHub) -> None:
    with pytest.raises(Refused):
        decide(hub, PermitState.REVOKED, by="researcher")

    open_keys(hub)


@pytest.mark.parametrize("state", [PermitState.SUSPENDED, PermitState.REVOKED])
def test_a_hub_that_drops_the_decision_cannot_go_on(hub: SmallHub, state: PermitState) -> None:
    lying = hub.open()
    lying.__dict__["journal"] = DroppingJournal()
    standing, told = decide_permit(
        lying, PERMIT_NAME, state, authority=hub.token("authority-1"), reason="a breach"
    )

    assert standing.state is PermitState.GRANTED
    assert told.obey == EVERYBODY
    with pytest.raises(Refused, match="withdrawn permit diabetes-regions directly"):
        open_keys(hub)


def test_a_hub_that_cannot_log_the_decision_says_that_custodians_obey_it(hub: SmallHub) -> None:
    opened = hub.open()
    for name in ("witness-1", "witness-2"):
        (hub.parties / name / "seen").rename(hub.parties / name / "away")

    with pytest.raises(Unavailable) as raised:
        decide_permit(
            opened,
            PERMIT_NAME,
            PermitState.REVOKED,
            authority=hub.token("authority-1"),
            reason="a breach",
        )

    assert "obey the decision already: custodian-1" in raised.value.hint


def test_a_suspension_ends_when_two_authorities_grant_the_permit_anew(hub: SmallHub) -> None:
    decide(hub, PermitState.SUSPENDED)
    with pytest.raises(Refused):
        open_keys(hub)
    for authority in ("authority-1", "authority-2"):
        hub.open().permits.sign(PERMIT_NAME, authority=hub.token(authority))

    open_keys(hub)


def test_a_refusal_is_the_hubs_alone(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    hub.open().permits.ask(
        PERMIT.format(environment="a" * 64).encode(), applicant=hub.token("researcher")
    )

    assert decide(hub, PermitState.REFUSED) == Told()
    assert OpenHub(hub.hub).permits.standing(PERMIT_NAME).state is PermitState.REFUSED

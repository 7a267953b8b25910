"""P2: what a correction is about is opened once more for it, under the mandate, and for nothing else.

Every missing piece, one at a time, is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.hub_keys import LANDING, OTHER_LANDING
from fakes.landed import FILE_KEY, SALT, Landed
from havre.application.vault.keys import KeysWanted
from havre.crypto.random import new_object_id
from havre.domain.events import KeysRequested
from havre.domain.key_events import ErasureOrdered
from havre.domain.statements import envelope_digest
from havre.errors import HavreError


class Corrected(Landed):
    """The same, where `d1` may have been taken in, and `d2` corrects it."""

    def first(self, *, taken_in: bool = True, holder: str = "holder", dataset: str = "dcir") -> int:
        """Have `d1` received and opened, and mostly taken in; returns its entry's index."""
        self.note_1 = self.note("d1", landing=OTHER_LANDING, dataset=dataset)
        wanted = self.receive(self.note_1, "d1", landing=OTHER_LANDING, holder=holder)
        if taken_in:
            self.take_in("d1")
        return wanted.deliveries[0]

    def second(self, before: int, *, corrects: str | None = "d1") -> KeysWanted:
        """Have `d2` received, and ask for what both landed in."""
        wanted = self.receive(self.note("d2", corrects=corrects), "d2")
        return self.with_first(wanted, before)

    def with_first(self, wanted: KeysWanted, before: int) -> KeysWanted:
        return replace(
            wanted,
            # What is opened first, to try it, is what was corrected.
            partitions=[self.hub.known(OTHER_LANDING), *wanted.partitions],
            documents={**wanted.documents, envelope_digest(self.note_1): self.note_1},
            salts={**wanted.salts, before: SALT},
        )


@pytest.fixture
def hub(tmp_path: Path) -> Corrected:
    return Corrected(tmp_path)


def test_what_a_correction_is_about_is_opened_once_more(hub: Corrected) -> None:
    assert hub.open(hub.second(hub.first())) == FILE_KEY


def test_a_hub_that_died_may_open_it_again_for_the_same_correction(hub: Corrected) -> None:
    wanted = hub.second(hub.first())

    assert [hub.open(wanted) for _ in range(2)] == [FILE_KEY, FILE_KEY]


def no_correction(hub: Corrected) -> KeysWanted:
    return hub.second(hub.first(), corrects=None)


def a_correction_of_another_delivery(hub: Corrected) -> KeysWanted:
    return hub.second(hub.first(), corrects="d0")


def what_was_not_taken_in(hub: Corrected) -> KeysWanted:
    return hub.second(hub.first(taken_in=False))


def another_holders(hub: Corrected) -> KeysWanted:
    return hub.second(hub.first(holder="researcher"))


def another_dataset(hub: Corrected) -> KeysWanted:
    return hub.second(hub.first(dataset="pmsi"))


def no_note_of_what_is_corrected(hub: Corrected) -> KeysWanted:
    wanted = hub.second(hub.first())
    return replace(
        wanted,
        documents={name: body for name, body in wanted.documents.items() if body != hub.note_1},
    )


def no_salt_of_what_is_corrected(hub: Corrected) -> KeysWanted:
    before = hub.first()
    wanted = hub.second(before)
    return replace(wanted, salts={k: salt for k, salt in wanted.salts.items() if k != before})


def a_correction_that_came_first(hub: Corrected) -> KeysWanted:
    wanted = hub.receive(hub.note("d2", corrects="d1"), "d2")
    return hub.with_first(wanted, hub.first())


def a_correction_that_was_taken_in(hub: Corrected) -> KeysWanted:
    wanted = hub.second(hub.first())
    hub.open(wanted)
    hub.take_in("d2")
    return wanted


def what_was_opened_again_for_another(hub: Corrected) -> KeysWanted:
    before = hub.first()
    wanted = hub.second(before)
    hub.hub.journal.record(
        KeysRequested(
            event_id=new_object_id(),
            at=hub.hub.log.clock.now(),
            permit=None,
            deliveries=(0,),
            partitions=(hub.hub.known(OTHER_LANDING).partition_id,),
            purpose="ingest",
            plan_commitment="",
            one_time_key_sha256="a" * 64,
        )
    )
    return wanted


def what_is_erased(hub: Corrected) -> KeysWanted:
    wanted = hub.second(hub.first())
    hub.hub.journal.record(
        ErasureOrdered(
            event_id=new_object_id(),
            at=hub.hub.log.clock.now(),
            order="o",
            ground="delivery",
            permit="",
            partitions=(wanted.partitions[0].partition_id,),
            statement_sha256="a" * 64,
            signers=(),
        )
    )
    return wanted


MISSING: list[tuple[Callable[[Corrected], KeysWanted], str]] = [
    (no_correction, "the second secret only"),
    (a_correction_of_another_delivery, "the second secret only"),
    (what_was_not_taken_in, "not taken in yet"),
    (another_holders, "another holder"),
    (another_dataset, "another dataset"),
    (no_note_of_what_is_corrected, "not brought along"),
    (no_salt_of_what_is_corrected, "not brought along"),
    (a_correction_that_came_first, "before what it corrects"),
    (a_correction_that_was_taken_in, "taken in under the mandate before"),
    (what_was_opened_again_for_another, "opened again for another one"),
    (what_is_erased, "erased, or ordered to be"),
]


@pytest.mark.parametrize(
    ("missing", "reason"), MISSING, ids=lambda value: getattr(value, "__name__", "")
)
def test_what_is_missing_keeps_what_was_corrected_closed(
    hub: Corrected, missing: Callable[[Corrected], KeysWanted], reason: str
) -> None:
    wanted = missing(hub)

    with pytest.raises(HavreError, match=f"0 custodians answered.*{reason}"):
        hub.open(wanted)


def test_a_correction_alone_is_opened_where_the_one_before_cannot_be(hub: Corrected) -> None:
    """The report then says counts only; the rows come in all the same."""
    hub.first()

    assert hub.open(hub.receive(hub.note("d2", corrects="d1"), "d2", landing=LANDING)) == FILE_KEY

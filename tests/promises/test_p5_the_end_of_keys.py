"""P5. The end of keys stands on the record, and a reader notices one that cannot be.

The hub here signs whatever it likes, and every witness cosigns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.parties import START, Cast
from fakes.story import ZEROS, publish, sha256, story, write_beside
from fakes.verifier import GENUINE, NOT_GENUINE, verify
from havre.crypto.signatures import key_id
from havre.domain.certificates import Certificate, sign_certificate
from havre.domain.erasure import ErasureOrder, Ground, sign_order
from havre.domain.events import (
    Event,
    KeysAbandoned,
    KeysReleased,
    KeysRequested,
    PartitionsCreated,
    encode_event,
)
from havre.domain.key_events import ErasureOrdered, KeysErased
from havre.domain.trust import encode_trust_roots

PARTITION = "e" * 32
HOLDERS = ("custodian-1", "custodian-2", "custodian-3")
SHARES = {name: f"{number}" * 64 for number, name in enumerate(HOLDERS)}


@dataclass
class Told:
    """The story with one erasure at its end, and the statements that belong to it."""

    cast: Cast
    events: list[Event] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def say(self, kind: type[Event], **fields: Any) -> int:
        self.events.append(kind(event_id=f"{len(self.events) + 5000:032x}", at=START, **fields))
        return len(self.events) - 1

    def order(self, *signers: str, ground: Ground = Ground.DECIDED, permit: str = "") -> int:
        order = ErasureOrder(
            name=f"{len(self.events):032x}",
            ground=ground,
            permit=permit,
            partitions=(PARTITION,),
            decided_at=START,
            log_size=len(self.events),
        )
        envelope = sign_order(
            order, origin=self.cast.roots.origin, signers=[self.cast[name] for name in signers]
        )
        index = self.say(
            ErasureOrdered,
            order=order.name,
            ground=ground.value,
            permit=permit,
            partitions=order.partitions,
            statement_sha256=sha256(envelope),
            signers=tuple(key_id(self.cast[name].public) for name in signers),
        )
        self.files[f"{index}/order.json"] = envelope
        return index

    def certify(self, order: int, *names: str, by: str = "", **changes: Any) -> dict[str, str]:
        digests = {}
        for name in names:
            said: Any = {
                "custodian": name,
                "order": order,
                "order_sha256": sha256(self.files[f"{order}/order.json"]),
                "shares": {PARTITION: SHARES[name]},
                "epoch_destroyed": "a" * 64,
                "epoch_after": "b" * 64,
                "erased_at": START,
                **changes,
            }
            envelope = sign_certificate(
                Certificate(**said), origin=self.cast.roots.origin, signer=self.cast[by or name]
            )
            self.files[f"{order}/{name}.json"] = envelope
            digests[name] = sha256(envelope)
        return digests


def begun(cast: Cast) -> Told:
    told = Told(cast, story(cast))
    told.say(PartitionsCreated, public_keys={PARTITION: ZEROS}, shares={PARTITION: SHARES})
    return told


def erased(told: Told) -> None:
    order = told.order("controller")
    told.say(KeysErased, order=order, certificates=told.certify(order, *HOLDERS[:2]))


def request(told: Told) -> int:
    return told.say(
        KeysRequested,
        permit=None,
        deliveries=(2,),
        partitions=(PARTITION,),
        purpose="ingest",
        plan_commitment="",
        one_time_key_sha256=ZEROS,
    )


def opened_after_it_was_erased(told: Told) -> None:
    erased(told)
    request(told)


def opened_after_it_was_ordered(told: Told) -> None:
    told.order("controller")
    request(told)


def released_after_it_was_ordered(told: Told) -> None:
    asked = told.say(
        KeysRequested,
        permit=11,
        deliveries=(),
        partitions=(PARTITION,),
        purpose="run",
        plan_commitment="",
        one_time_key_sha256=ZEROS,
    )
    told.order("controller")
    told.say(KeysReleased, request=asked, receipts={})


def too_few(told: Told) -> None:
    order = told.order("controller")
    told.say(KeysErased, order=order, certificates=told.certify(order, "custodian-1"))


def nobody_attests(told: Told) -> None:
    told.say(KeysErased, order=told.order("controller"), certificates={})


def a_stranger_attests(told: Told) -> None:
    order = told.order("controller")
    digests = told.certify(order, *HOLDERS[:2])
    told.say(KeysErased, order=order, certificates={**digests, "custodian-9": ZEROS})


def erased_without_an_order(told: Told) -> None:
    told.say(KeysErased, order=0, certificates={"custodian-1": ZEROS})


def erased_twice(told: Told) -> None:
    erased(told)
    told.say(KeysErased, order=len(told.events) - 2, certificates={"custodian-1": ZEROS})


def ordered_by(*signers: str, **how: Any) -> Callable[[Told], None]:
    def order(told: Told) -> None:
        told.order(*signers, **how)

    return order


def ordered_what_was_never_made(told: Told) -> None:
    index = told.order("controller")
    told.events[index] = replace(told.events[index], partitions=("f" * 32,))  # type: ignore[call-arg]
    told.files.clear()


def ordered_on_no_ground(told: Told) -> None:
    index = told.order("controller")
    told.events[index] = replace(told.events[index], ground="tired")  # type: ignore[call-arg]
    told.files.clear()


def told_twice(told: Told) -> None:
    index = told.order("controller")
    told.events.append(replace(told.events[index], event_id="f" * 32))


def another_text_than_the_log_says(told: Told) -> None:
    index = told.order("controller")
    told.files[f"{index}/order.json"] = told.files.pop(f"{told.order('controller')}/order.json")


def a_certificate_by_somebody_else(told: Told) -> None:
    order = told.order("controller")
    digests = told.certify(order, *HOLDERS[:2], by="custodian-3")
    told.say(KeysErased, order=order, certificates=digests)


def a_certificate_that(**changes: Any) -> Callable[[Told], None]:
    def certified(told: Told) -> None:
        order = told.order("controller")
        digests = told.certify(order, *HOLDERS[:2], **changes)
        told.say(KeysErased, order=order, certificates=digests)

    return certified


BREACHES: dict[str, Callable[[Told], None]] = {
    "keys asked for after they were erased": opened_after_it_was_erased,
    "keys asked for after they were ordered erased": opened_after_it_was_ordered,
    "keys released after they were ordered erased": released_after_it_was_ordered,
    "too few certificates": too_few,
    "no certificate": nobody_attests,
    "a certificate of somebody without a share": a_stranger_attests,
    "an erasure without an order": erased_without_an_order,
    "an order carried out twice": erased_twice,
    "an order by a researcher": ordered_by("researcher"),
    "an order by the hub, on nobody's decision": ordered_by("hub"),
    "the end of a permit that nobody asked for": ordered_by(
        "hub", ground=Ground.PERMIT_OVER, permit="nobody"
    ),
    "the end of a permit that holds": ordered_by(
        "hub", ground=Ground.PERMIT_OVER, permit="diabetes"
    ),
    "an order about what was never made": ordered_what_was_never_made,
    "an order on a ground that there is not": ordered_on_no_ground,
    "one order told twice": told_twice,
    "another order beside the log": another_text_than_the_log_says,
    "a certificate that somebody else signed": a_certificate_by_somebody_else,
    "a certificate of other shares": a_certificate_that(shares={PARTITION: "9" * 64}),
    "a certificate for another order": a_certificate_that(order_sha256=ZEROS),
    "a certificate that destroys no key": a_certificate_that(epoch_after="a" * 64),
}


def published(told: Told, folder: Path) -> tuple[Path, Path]:
    site, trust = folder / "site", folder / "trust.json"
    trust.write_bytes(encode_trust_roots(told.cast.roots))
    write_beside(site, told.cast)
    for name, content in told.files.items():
        path = site / "register" / "erasures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    entries = [encode_event(event) for event in told.events]
    publish(site, entries, cast=told.cast, at=datetime.now(UTC))
    return site, trust


@pytest.mark.parametrize("breach", BREACHES)
def test_an_end_of_keys_that_cannot_be_is_noticed(tmp_path: Path, breach: str) -> None:
    told = begun(Cast())
    BREACHES[breach](told)
    site, trust = published(told, tmp_path)

    found = verify(site, "--trust", trust)

    assert found.returncode == NOT_GENUINE, found.stdout


def test_an_erasure_that_enough_attested_is_genuine(tmp_path: Path) -> None:
    told = begun(Cast())
    asked = told.say(
        KeysRequested,
        permit=11,
        deliveries=(),
        partitions=(PARTITION,),
        purpose="run",
        plan_commitment="",
        one_time_key_sha256=ZEROS,
    )
    told.say(KeysAbandoned, request=asked)
    erased(told)
    site, trust = published(told, tmp_path)

    found = verify(site, "--trust", trust)

    assert found.returncode == GENUINE, found.stdout
    assert "3 orders and certificates of erasures against the log" in found.stdout


def test_statements_that_are_not_beside_the_log_are_counted(tmp_path: Path) -> None:
    told = begun(Cast())
    erased(told)
    told.files.clear()
    site, trust = published(told, tmp_path)

    found = verify(site, "--trust", trust)

    assert found.returncode == GENUINE, found.stdout
    assert "orders and certificates of erasures that are not beside the log: 3" in found.stdout

"""P5. A stranger who brings trust roots notices an act by somebody who may not.

The hub here is the strongest liar there is: it logs and publishes what it likes,
and every witness cosigns. Without trust roots each of these records is consistent.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from fakes.parties import Cast, Hands
from fakes.story import PERMIT_TEXT, permit_envelope, publish, sha256, story, write_beside
from fakes.verifier import GENUINE, NOT_GENUINE, verify
from havre.crypto.signatures import key_id
from havre.domain.events import Event, encode_event
from havre.domain.trust import encode_trust_roots
from havre.formats.canonical import encode_canonical

AUTHORITIES = ("authority-1", "authority-2")
Change: TypeAlias = Callable[[list[Event], Path], None]


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


@pytest.fixture
def trust(cast: Cast, tmp_path: Path) -> Path:
    path = tmp_path / "trust.json"
    path.write_bytes(encode_trust_roots(cast.roots))
    return path


def told(site: Path, cast: Cast, change: Change | None = None) -> Path:
    events = story(cast)
    write_beside(site, cast)
    if change:
        change(events, site)
    publish(site, [encode_event(event) for event in events], cast=cast, at=datetime.now(UTC))
    return site


def granted_by(cast: Cast, *names: str, signers: Sequence[str] = (), **changes: Any) -> Change:
    """A permit that the log says is granted, on an envelope signed by these."""

    def change(events: list[Event], site: Path) -> None:
        envelope = permit_envelope(cast, "granted", signers=names, **changes)
        place = max(n for n, event in enumerate(events) if event.kind == "PermitMoved")
        events[place] = replace(  # type: ignore[call-arg]
            events[place],
            statement_sha256=sha256(envelope),
            signers=tuple(key_id(cast[name].public) for name in signers or names),
        )
        (site / f"register/permits/diabetes/{place}.json").write_bytes(envelope)

    return change


def voted_by(cast: Cast, name: str) -> Change:
    def change(events: list[Event], site: Path) -> None:
        old, new = key_id(cast["checker-2"].public), key_id(cast[name].public)
        for place, event in enumerate(events):
            vote: Any = event
            if event.kind == "VoteCast" and vote.checker == old:
                events[place] = replace(vote, checker=new)
        del events[next(n for n, event in enumerate(events) if event.kind == "OutputReviewed") :]
        shutil.rmtree(site / "releases")

    return change


def delivered_by(cast: Cast, name: str) -> Change:
    def change(events: list[Event], _site: Path) -> None:
        place = next(n for n, event in enumerate(events) if event.kind == "DeliveryReceived")
        received: Any = events[place]
        events[place] = replace(received, holder=key_id(cast[name].public))

    return change


def revoked_by(cast: Cast, name: str, *, said: str = "revoked") -> Change:
    def change(events: list[Event], site: Path) -> None:
        granted: Any = max(
            (n for n, event in enumerate(events) if event.kind == "PermitMoved"), default=0
        )
        text = {"reason": "ended", "rests_on": granted, "state": said}
        kind = "havre/v1/permit-decision"
        envelope = permit_envelope(cast, "granted", kind=kind, text=text, signers=[name])
        moved: Any = events[granted]
        revoked = replace(
            moved,
            event_id="e" * 32,
            state="revoked",
            predecessor=granted,
            statement_sha256=sha256(envelope),
            signers=(key_id(cast[name].public),),
        )
        (site / f"register/permits/diabetes/{len(events)}.json").write_bytes(envelope)
        events.append(revoked)

    return change


# What a hub could log and publish that its own trust roots do not allow, and what is said of it.
UNSIGNED: dict[str, tuple[Callable[[Cast], Change], str]] = {
    "a permit by one authority": (lambda cast: granted_by(cast, "authority-1"), "lacks"),
    "a permit by an authority and a checker": (
        lambda cast: granted_by(cast, "authority-1", "checker-1"),
        "lacks",
    ),
    "a permit by more than the log names": (
        lambda cast: granted_by(cast, *AUTHORITIES, "checker-1", signers=AUTHORITIES),
        "signed by others",
    ),
    "a permit by a stranger": (
        lambda cast: granted_by(
            Cast({**cast.people, "authority-2": Hands("authority-2")}), *AUTHORITIES
        ),
        "signed by others",
    ),
    "a permit for an authority's colleague": (
        lambda cast: granted_by(
            cast, *AUTHORITIES, text={**PERMIT_TEXT, "people": ["authority-2"]}
        ),
        "own house",
    ),
    "a permit for somebody unknown": (
        lambda cast: granted_by(cast, *AUTHORITIES, text={**PERMIT_TEXT, "people": ["nobody"]}),
        "do not know",
    ),
    "a permit revoked by a researcher": (lambda cast: revoked_by(cast, "researcher"), "lacks"),
    "a vote by an authority": (lambda cast: voted_by(cast, "authority-1"), "its checker"),
    "a delivery by a researcher": (lambda cast: delivered_by(cast, "researcher"), "its holder"),
}
# What needs no trust roots: the statement and the log contradict each other.
CONTRADICTED: dict[str, tuple[Callable[[Cast], Change], str]] = {
    "an authority's own permit": (
        lambda cast: granted_by(
            cast, *AUTHORITIES, text={**PERMIT_TEXT, "applicant": "authority-1"}
        ),
        "another applicant",
    ),
    "another permit's signatures": (
        lambda cast: granted_by(cast, *AUTHORITIES, permit="other"),
        "does not say",
    ),
    "an application in place of a permit": (
        lambda cast: granted_by(cast, *AUTHORITIES, kind="havre/v1/permit-application"),
        "does not say",
    ),
    "a permit without a text": (
        lambda cast: granted_by(cast, *AUTHORITIES, text={}),
        "does not name",
    ),
    "a permit signed about another moment": (
        lambda cast: granted_by(cast, *AUTHORITIES, text={**PERMIT_TEXT, "rests_on": 2}),
        "another state",
    ),
    "a permit that had ended": (
        lambda cast: granted_by(cast, *AUTHORITIES, text={**PERMIT_TEXT, "ends_on": "2026-01-02"}),
        "holds from",
    ),
    "another decision than the log says": (
        lambda cast: revoked_by(cast, "authority-1", said="suspended"),
        "does not say",
    ),
}


@pytest.mark.parametrize("breach", CONTRADICTED)
def test_a_statement_that_is_not_the_logs_is_noticed_by_anybody(
    tmp_path: Path, cast: Cast, breach: str
) -> None:
    change, said = CONTRADICTED[breach]

    found = verify(told(tmp_path / "site", cast, change(cast)))

    assert (found.returncode, said in found.stdout) == (NOT_GENUINE, True), found.stdout


# An envelope of our payload in another spelling than the one.
RESPELLED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another payload type": lambda body: {**body, "payloadType": "text/plain"},
    "a field too many": lambda body: {**body, "note": "hello"},
    "a signature line with more in it": lambda body: {
        **body,
        "signatures": [{**body["signatures"][0], "more": 1}, *body["signatures"][1:]],
    },
    "signatures in another order": lambda body: {**body, "signatures": body["signatures"][::-1]},
    "no signature": lambda body: {**body, "signatures": []},
    "one signature twice": lambda body: {**body, "signatures": [body["signatures"][0]] * 2},
}


@pytest.mark.parametrize("spelling", RESPELLED)
def test_an_envelope_has_one_spelling(tmp_path: Path, cast: Cast, spelling: str) -> None:
    def change(events: list[Event], site: Path) -> None:
        place = max(n for n, event in enumerate(events) if event.kind == "PermitMoved")
        path = site / f"register/permits/diabetes/{place}.json"
        body = encode_canonical(RESPELLED[spelling](json.loads(path.read_bytes())))
        path.write_bytes(body)
        moved: Any = events[place]
        events[place] = replace(moved, statement_sha256=sha256(body))

    assert verify(told(tmp_path / "site", cast, change)).returncode == NOT_GENUINE


def test_signers_that_the_log_names_are_held_against_the_roots_without_their_statements(
    tmp_path: Path, cast: Cast, trust: Path
) -> None:
    def change(events: list[Event], site: Path) -> None:
        for place, event in enumerate(events):
            if event.kind == "PermitMoved":
                events[place] = replace(event, signers=())  # type: ignore[call-arg]
        shutil.rmtree(site / "register")

    found = verify(told(tmp_path / "site", cast, change), "--trust", trust)

    assert (found.returncode, "lacks a signature" in found.stdout) == (NOT_GENUINE, True)


@pytest.mark.parametrize("breach", UNSIGNED)
def test_an_act_by_somebody_who_may_not_is_noticed_by_who_brings_trust_roots(
    tmp_path: Path, cast: Cast, trust: Path, breach: str
) -> None:
    change, said = UNSIGNED[breach]
    site = told(tmp_path / "site", cast, change(cast))

    assert verify(site).returncode == GENUINE
    found = verify(site, "--trust", trust)
    assert (found.returncode, said in found.stdout) == (NOT_GENUINE, True), found.stdout


def test_a_decision_by_an_authority_is_believed(tmp_path: Path, cast: Cast, trust: Path) -> None:
    site = told(tmp_path / "site", cast, revoked_by(cast, "authority-1"))

    found = verify(site, "--trust", trust)
    assert found.returncode == GENUINE, found.stdout
    assert "4 permit statements" in found.stdout


def test_two_votes_of_one_house_are_one_vote(tmp_path: Path, cast: Cast) -> None:
    body = json.loads(encode_trust_roots(cast.roots))
    for party in body["parties"]:
        if party["role"] == "checker":
            party["operator"] = "one house"
    one_house = json.dumps(body, sort_keys=True, separators=(",", ":"))
    (tmp_path / "one.json").write_text(one_house, encoding="utf-8")

    found = verify(told(tmp_path / "site", cast), "--trust", tmp_path / "one.json")

    assert (found.returncode, "one house alone" in found.stdout) == (NOT_GENUINE, True)


def test_a_permit_statement_that_is_withheld_is_counted(
    tmp_path: Path, cast: Cast, trust: Path
) -> None:
    site = told(tmp_path / "site", cast)
    next((site / "register/permits/diabetes").iterdir()).unlink()

    found = verify(site, "--trust", trust)

    assert found.returncode == GENUINE
    assert "NOT CHECKED  permit statements that are not beside the log: 1" in found.stdout

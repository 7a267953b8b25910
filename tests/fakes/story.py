"""A whole record of a small hub, one act after the other, and a log that says it.

`publish` signs whatever it is given, with every key: it is the strongest liar
there is, and shows what a reader notices all the same.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fakes.hub_log import WITNESSES
from fakes.parties import START, Cast
from havre.adapters.log.files import LogFiles
from havre.crypto.commitments import commit_to
from havre.crypto.signatures import key_id
from havre.domain.events import (
    CatalogueImported,
    DatasetPseudonymised,
    DeliveryChecked,
    DeliveryReceived,
    Event,
    ExtractMade,
    HubOpened,
    JobRan,
    KeysReleased,
    KeysRequested,
    OutputReleased,
    OutputReviewed,
    PermitMoved,
    ReleaseMoved,
    VersionPublished,
    VoteCast,
)
from havre.domain.statements import Statement, sign_statement
from havre.domain.trust import encode_trust_roots
from havre.formats.canonical import Json, encode_canonical
from havre.formats.notes import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    NoteSignature,
    SignedNote,
    checkpoint_text,
    cosigned_message,
    encode_cosignature,
    encode_note,
    short_key_id,
)

RELEASED = b"age;rate\n40-59;0.012\n"
ZEROS = "0" * 64


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def story(cast: Cast) -> list[Event]:
    """The main job on the log; an entry's index is its place in the list."""
    told = _Told()
    roots_sha256 = sha256(encode_trust_roots(cast.roots))
    told(HubOpened, origin=cast.roots.origin, trust_sha256=roots_sha256)
    told(CatalogueImported, catalogue_sha256=ZEROS, tables=11)
    _ingest(told, cast)
    _permit_and_extract(told, cast)
    _run_and_release(told, cast)
    return told.events


class _Told:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, kind: type[Event], **fields: Any) -> int:
        index = len(self.events)
        self.events.append(kind(event_id=f"{index:032x}", at=START, **fields))
        return index


def _ingest(told: _Told, cast: Cast) -> None:
    delivery = told(
        DeliveryReceived,
        delivery="d1",
        holder=key_id(cast["holder"].public),
        partition="p1",
        note_commitment=ZEROS,
        objects={"a" * 32: ZEROS},
    )
    request = told(
        KeysRequested,
        permit=None,
        deliveries=(delivery,),
        partitions=("p1",),
        purpose="ingest",
        plan_commitment=ZEROS,
        one_time_key_sha256=ZEROS,
    )
    told(KeysReleased, request=request, receipts={"custodian-1": ZEROS, "custodian-2": ZEROS})
    told(
        DeliveryChecked,
        delivery="d1",
        outcome="accepted",
        rows_accepted=1200,
        rows_set_aside=0,
        report_commitment=ZEROS,
    )
    told(DatasetPseudonymised, dataset="dcir", deliveries=("d1",), treatments_sha256=ZEROS)
    first = told(VersionPublished, dataset="dcir", parent=None, manifests={"p2": ZEROS}, rows=1200)
    told(VersionPublished, dataset="dcir", parent=first, manifests={"p3": ZEROS}, rows=1300)


# Who signs what a permit's state rests on.
PERMIT_STEPS = {
    "submitted": ("havre/v1/permit-application", ("researcher",)),
    "assessment": ("havre/v1/permit", ("authority-1",)),
    "granted": ("havre/v1/permit", ("authority-1", "authority-2")),
}
PERMIT_TEXT: dict[str, Json] = {
    "applicant": "researcher",
    "ends_on": "2027-12-31",
    "people": ["researcher"],
    "starts_on": "2026-01-01",
}
# Index of the application's entry, on which both authorities' signatures rest.
ASKED_AT = 9


def permit_envelope(cast: Cast, state: str, **changes: Any) -> bytes:
    """Sign what a permit's state rests on; `changes` name another kind, text or signers."""
    kind, signers = PERMIT_STEPS[state]
    ground: dict[str, Json] = {"rests_on": ASKED_AT} if state != "submitted" else {}
    statement = Statement(
        changes.get("kind", kind),
        cast.roots.origin,
        changes.get("permit", "diabetes"),
        {**ground, **changes.get("text", PERMIT_TEXT)},
    )
    return sign_statement(statement, [cast[name] for name in changes.get("signers", signers)])


def _permit_and_extract(told: _Told, cast: Cast) -> None:
    before: int | None = None
    for state, (_, signers) in PERMIT_STEPS.items():
        before = told(
            PermitMoved,
            permit="diabetes",
            state=state,
            predecessor=before,
            statement_sha256=sha256(permit_envelope(cast, state)),
            signers=tuple(key_id(cast[name].public) for name in signers),
        )
    _lend(told, before, "extract", "p2", "p3")
    version = next(
        index
        for index, event in reversed(list(enumerate(told.events)))
        if isinstance(event, VersionPublished)
    )
    told(
        ExtractMade,
        permit="diabetes",
        partition="p4",
        versions={"dcir": version},
        plan_commitment=ZEROS,
        manifest_sha256=ZEROS,
        rows=900,
    )


def _lend(told: _Told, permit: int | None, purpose: str, *partitions: str) -> None:
    request = told(
        KeysRequested,
        permit=permit,
        deliveries=(),
        partitions=partitions,
        purpose=purpose,
        plan_commitment=ZEROS,
        one_time_key_sha256=ZEROS,
    )
    told(KeysReleased, request=request, receipts={"custodian-1": ZEROS, "custodian-3": ZEROS})


def _run_and_release(told: _Told, cast: Cast) -> None:
    extract = len(told.events) - 1
    granted = next(
        index
        for index, event in reversed(list(enumerate(told.events)))
        if isinstance(event, PermitMoved)
    )
    _lend(told, granted, "run", "p4")
    told(
        JobRan,
        job="j1",
        permit="diabetes",
        extract=extract,
        code_sha256=ZEROS,
        environment_sha256=ZEROS,
        outcome="finished",
        outputs_commitment=ZEROS,
    )
    _move(told, "submitted")
    salts = {}
    steps = ("partially-reviewed", "reviewed")
    for number, (name, step) in enumerate(
        zip(("checker-1", "checker-2"), steps, strict=True), start=1
    ):
        checker, salt = key_id(cast[name].public), bytes([number]) * 32
        said: Json = {"checker": checker, "request": "r1", "turn": 1, "vote": "approve"}
        commitment = commit_to(encode_canonical(said), label="havre/v1/vote", salt=salt)
        told(VoteCast, request="r1", checker=checker, vote_commitment=commitment)
        _move(told, step)
        salts[checker] = salt.hex()
    told(
        OutputReviewed,
        request="r1",
        turn=1,
        decision="approved",
        votes=dict.fromkeys(salts, "approve"),
        salts=salts,
    )
    _move(told, "approved")
    _lend(told, granted, "run", "p4")
    told(
        OutputReleased,
        request="r1",
        permit="diabetes",
        job="j1",
        files={"tables/rates.csv": sha256(RELEASED)},
        manifest_sha256=sha256(b"{}"),
    )
    _move(told, "released")


def _move(told: _Told, state: str) -> None:
    told(ReleaseMoved, request="r1", job="j1", state=state, findings_commitment=ZEROS)


def write_beside(site: Path, cast: Cast) -> None:
    """Write the register and the released files that the story names."""
    (site / "register/permits/diabetes").mkdir(parents=True)
    for index, event in enumerate(story(cast)):
        if isinstance(event, PermitMoved):
            path = site / f"register/permits/diabetes/{index}.json"
            path.write_bytes(permit_envelope(cast, event.state))
    (site / "releases/r1/tables").mkdir(parents=True)
    (site / "releases/r1/tables/rates.csv").write_bytes(RELEASED)
    (site / "releases/r1/ro-crate-metadata.json").write_bytes(b"{}")


def publish(
    site: Path,
    entries: Sequence[bytes],
    *,
    cast: Cast,
    at: datetime = START,
    witnesses: Sequence[str] = WITNESSES,
    signer: str = "hub",
) -> bytes:
    """Write a log that says this, signed and cosigned by whoever is named; returns its head."""
    log = LogFiles(site / "log", private=site.parent / f"{site.name}-private")
    root = log.append(entries, at=0)
    name = cast.roots.origin
    text = checkpoint_text(Checkpoint(name, len(entries), root))
    hands, unix_time = cast[signer], int(at.timestamp())
    lines = [
        NoteSignature(
            name, short_key_id(name, hands.public, kind=ED25519), hands.sign(text.encode())
        )
    ]
    for witness in witnesses:
        key = cast[witness]
        signature = key.sign(cosigned_message(text, unix_time=unix_time))
        short_id = short_key_id(witness, key.public, kind=COSIGNATURE_V1)
        lines.append(NoteSignature(witness, short_id, encode_cosignature(unix_time, signature)))
    note = encode_note(SignedNote(text, tuple(lines)))
    log.publish(note)
    assert base64.b64encode(root).decode() in text
    return note

"""When a log's head is believed: who signed, how many witnesses, how long ago."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.hub_log import catalogue_event
from fakes.parties import START, Cast, Hands
from havre.crypto.random import new_object_id
from havre.domain.events import Handover, encode_event
from havre.domain.following import Followed, follow, follow_entries
from havre.domain.handover import check_handover, handover_statement
from havre.domain.statements import sign_statement
from havre.domain.transparency import (
    Cosigned,
    LogKeys,
    NotFresh,
    NotWitnessed,
    check_fresh,
    check_head,
    log_keys,
)
from havre.domain.trust import Role
from havre.errors import HavreError, InvalidInput, NotGenuine
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

NOW = int(START.timestamp())
WITNESSES = ["witness-1", "witness-2", "witness-3", "witness-4"]


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


def text_of(cast: Cast, size: int = 3, root: bytes = bytes(32)) -> str:
    return checkpoint_text(Checkpoint(cast.roots.origin, size, root))


def log_line(cast: Cast, text: str, *, signer: str = "hub") -> NoteSignature:
    name, hands = cast.roots.origin, cast[signer]
    short_id = short_key_id(name, hands.public, kind=ED25519)
    return NoteSignature(name, short_id, hands.sign(text.encode()))


def witness_line(cast: Cast, text: str, name: str, *, at: int = NOW) -> NoteSignature:
    hands = cast[name]
    signature = hands.sign(cosigned_message(text, unix_time=at))
    short_id = short_key_id(name, hands.public, kind=COSIGNATURE_V1)
    return NoteSignature(name, short_id, encode_cosignature(at, signature))


def note_by(cast: Cast, *witnesses: str, signer: str = "hub") -> bytes:
    text = text_of(cast)
    lines = [witness_line(cast, text, name) for name in witnesses]
    return encode_note(SignedNote(text, (log_line(cast, text, signer=signer), *lines)))


def keys_of(cast: Cast) -> LogKeys:
    return log_keys(cast.roots, ())


def test_a_head_with_a_quorum_is_believed(cast: Cast) -> None:
    head, behind = check_head(note_by(cast, *WITNESSES[:3]), roots=cast.roots, keys=keys_of(cast))

    assert (head.size, len(behind)) == (3, 3)


@pytest.mark.parametrize("names", [[], WITNESSES[:2], ["witness-1"] * 3])
def test_a_head_without_a_quorum_is_not_believed(cast: Cast, names: list[str]) -> None:
    with pytest.raises(NotWitnessed):
        check_head(note_by(cast, *names), roots=cast.roots, keys=keys_of(cast))


def test_a_witness_that_the_reader_does_not_know_does_not_count(cast: Cast) -> None:
    stranger = Cast(people=dict(cast.people) | {"witness-3": Hands("witness-3")})

    with pytest.raises(NotWitnessed):
        check_head(note_by(stranger, *WITNESSES[:3]), roots=cast.roots, keys=keys_of(cast))


def test_a_custodian_is_no_witness(cast: Cast) -> None:
    with pytest.raises(NotWitnessed):
        check_head(
            note_by(cast, "witness-1", "witness-2", "custodian-1"),
            roots=cast.roots,
            keys=keys_of(cast),
        )


def test_a_cosignature_of_another_head_is_refused(cast: Cast) -> None:
    other = text_of(cast, size=4)
    text = text_of(cast)
    lines = [log_line(cast, text), *(witness_line(cast, other, name) for name in WITNESSES)]

    with pytest.raises(NotGenuine):
        check_head(
            encode_note(SignedNote(text, tuple(lines))), roots=cast.roots, keys=keys_of(cast)
        )


def test_a_head_that_another_key_signed_is_refused(cast: Cast) -> None:
    with pytest.raises(NotGenuine):
        check_head(
            note_by(cast, *WITNESSES, signer="controller"), roots=cast.roots, keys=keys_of(cast)
        )


def behind_by(cast: Cast, *ages_s: int) -> list[Cosigned]:
    witnesses = cast.roots.with_role(Role.WITNESS)
    return [Cosigned(w, NOW - age) for w, age in zip(witnesses, ages_s, strict=False)]


@pytest.mark.parametrize(
    "ages_s",
    [(0, 0, 0), (900, 900, 900), (-120, -120, 5), (0, 1, 900, 10**6), (-(10**6), 0, 0, 900)],
)
def test_a_head_that_enough_witnesses_saw_lately_is_fresh(
    cast: Cast, ages_s: tuple[int, ...]
) -> None:
    check_fresh(behind_by(cast, *ages_s), roots=cast.roots, now=START)


@pytest.mark.parametrize(
    "ages_s", [(901, 901, 901), (0, 0, 901), (0, 0), (-121, 0, 0), (-121, -121, 0, 0)]
)
def test_a_head_that_too_few_saw_lately_is_not(cast: Cast, ages_s: tuple[int, ...]) -> None:
    with pytest.raises(NotFresh):
        check_fresh(behind_by(cast, *ages_s), roots=cast.roots, now=START)


def test_a_readers_clock_that_went_back_refuses(cast: Cast) -> None:
    with pytest.raises(NotFresh):
        check_fresh(behind_by(cast, 0, 0, 0), roots=cast.roots, now=START - timedelta(hours=1))


@given(st.lists(st.integers(-3000, 3000), min_size=4, max_size=4), st.integers(-3000, 3000))
def test_one_liar_cannot_make_an_old_head_look_new(ages_s: list[int], lie_s: int) -> None:
    """Whatever one witness says, freshness needs the other honest ones as well."""
    cast = _CAST
    honest = behind_by(cast, *ages_s[:3])
    truly_fresh = sum(-120 <= age <= 900 for age in ages_s[:3])
    liar = Cosigned(cast.roots.with_role(Role.WITNESS)[3], NOW - lie_s)

    try:
        check_fresh([*honest, liar], roots=cast.roots, now=START)
    except NotFresh:
        return
    assert truly_fresh >= cast.roots.quorum - cast.roots.faulty_witnesses


_CAST = Cast()


def handover_to(
    cast: Cast, to: Hands, *, index: int, signer: str = "controller", origin: str | None = None
) -> Handover:
    statement = handover_statement(to.public, index=index, origin=origin or cast.roots.origin)
    envelope = sign_statement(statement, [cast[signer]])
    return Handover(
        event_id=new_object_id(),
        at=START,
        log_key=to.public.hex(),
        statement=base64.b64encode(envelope).decode(),
    )


def test_the_head_that_ends_with_the_handover_is_the_old_keys_last(cast: Cast) -> None:
    host = Hands("new-host")

    keys = log_keys(cast.roots, [(7, handover_to(cast, host, index=7))])

    assert keys.key_for(8) == cast["hub"].public
    assert keys.key_for(9) == host.public


@pytest.mark.parametrize(
    "wrong",
    [
        {"signer": "hub"},
        {"signer": "authority-1"},
        {"index": 6},
        {"origin": "test.example/log"},
    ],
)
def test_a_handover_for_another_signer_place_or_log_is_refused(
    cast: Cast, wrong: dict[str, str]
) -> None:
    handover = handover_to(cast, Hands("new-host"), **({"index": 7} | wrong))  # type: ignore[arg-type]

    with pytest.raises(HavreError):
        check_handover(handover, index=7, roots=cast.roots)


def test_a_handover_with_another_key_than_was_signed_is_refused(cast: Cast) -> None:
    signed = handover_to(cast, Hands("new-host"), index=7)
    thief = Hands("thief").public.hex()
    swapped = Handover(
        event_id=signed.event_id, at=START, log_key=thief, statement=signed.statement
    )

    with pytest.raises(NotGenuine):
        check_handover(swapped, index=7, roots=cast.roots)


def test_a_handover_without_a_statement_is_refused(cast: Cast) -> None:
    empty = Handover(event_id=new_object_id(), at=START, log_key="00" * 32, statement="?")

    with pytest.raises(InvalidInput):
        check_handover(empty, index=0, roots=cast.roots)


def signed_over(cast: Cast, followed: Followed, *, signer: str = "hub") -> bytes:
    text = text_of(cast, followed.size, followed.head.root)
    return encode_note(SignedNote(text, (log_line(cast, text, signer=signer),)))


def test_following_in_any_steps_leads_to_the_same_head(cast: Cast) -> None:
    entries = [encode_event(catalogue_event(number)) for number in range(20)]
    at_once, _ = follow_entries(Followed(), entries)
    for step in (1, 3, 7, 20):
        known = Followed()
        for start in range(0, 20, step):
            part = entries[start : start + step]
            target, _ = follow_entries(known, part)
            known, events = follow(known, part, note=signed_over(cast, target), roots=cast.roots)
            assert len(events) == len(part)

        assert known == at_once


def test_following_notices_an_altered_a_dropped_and_a_swapped_entry(cast: Cast) -> None:
    entries = [encode_event(catalogue_event(number)) for number in range(5)]
    target, _ = follow_entries(Followed(), entries)
    note = signed_over(cast, target)
    altered = [*entries[:4], encode_event(catalogue_event(9))]
    for wrong in (
        altered,
        entries[:4],
        [entries[1], entries[0], *entries[2:]],
        [*entries, entries[0]],
    ):
        with pytest.raises(NotGenuine):
            follow(Followed(), wrong, note=note, roots=cast.roots)


def test_following_across_a_handover_wants_the_new_key(cast: Cast) -> None:
    cast.people["new-host"] = Hands("new-host")
    handover = encode_event(handover_to(cast, cast["new-host"], index=1))
    entries = [encode_event(catalogue_event(0)), handover, encode_event(catalogue_event(1))]
    target, _ = follow_entries(Followed(), entries)

    follow(Followed(), entries, note=signed_over(cast, target, signer="new-host"), roots=cast.roots)

    with pytest.raises(NotGenuine):
        follow(Followed(), entries, note=signed_over(cast, target), roots=cast.roots)

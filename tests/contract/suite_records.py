"""What the records promise (`ports.records`).

An adapter's test imports `*` from here and gives a fixture `records`, empty.
"""

from __future__ import annotations

import pytest

from havre.errors import NotFound, Refused
from havre.ports.records import Document, OutboxRow, Records

FIRST, SECOND, THIRD = (OutboxRow(digit * 32, digit.encode()) for digit in "cab")


def test_events_wait_in_the_order_they_were_committed(records: Records) -> None:
    records.commit([FIRST])
    records.commit([SECOND, THIRD])

    assert records.pending() == [FIRST, SECOND, THIRD]


def test_what_is_published_waits_no_more(records: Records) -> None:
    records.commit([FIRST, SECOND, THIRD])

    records.mark_published([FIRST.event_id, SECOND.event_id], first_index=7)

    assert records.pending() == [THIRD]
    assert records.published_size() == 9
    assert records.index_of(SECOND.event_id) == 8


def test_new_records_know_no_entry(records: Records) -> None:
    assert records.pending() == []
    assert records.published_size() == 0


def test_an_event_that_waits_has_no_place_yet(records: Records) -> None:
    records.commit([FIRST])

    with pytest.raises(NotFound):
        records.index_of(FIRST.event_id)


def test_the_same_event_twice_is_one(records: Records) -> None:
    records.commit([FIRST])
    records.commit([FIRST, SECOND])

    assert records.pending() == [FIRST, SECOND]


def test_one_id_for_two_events_is_refused_and_nothing_of_the_commit_stays(
    records: Records,
) -> None:
    records.commit([FIRST])

    with pytest.raises(Refused):
        records.commit(
            [SECOND, OutboxRow(FIRST.event_id, b"other")], [Document("note", "one", b"body")]
        )

    assert records.pending() == [FIRST]
    assert records.list_documents("note") == []


def test_events_and_documents_arrive_together(records: Records) -> None:
    records.commit([FIRST], [Document("note", "one", b"\x00\xff")])

    assert records.document("note", "one") == b"\x00\xff"
    assert records.pending() == [FIRST]


def test_the_newest_body_of_a_document_counts(records: Records) -> None:
    records.commit([], [Document("note", "one", b"old")])
    records.commit([], [Document("note", "one", b"new"), Document("note", "a", b"")])

    assert records.list_documents("note") == [
        Document("note", "a", b""),
        Document("note", "one", b"new"),
    ]


def test_a_document_is_found_under_its_own_kind_only(records: Records) -> None:
    records.commit([], [Document("note", "one", b"body")])

    with pytest.raises(NotFound):
        records.document("salt", "one")


def test_a_forgotten_document_is_gone(records: Records) -> None:
    records.commit([], [Document("salt", "one", bytes(32)), Document("salt", "two", bytes(32))])

    records.forget_document("salt", "one")
    records.forget_document("salt", "never there")

    assert [document.name for document in records.list_documents("salt")] == ["two"]


def test_the_kinds_that_hold_something_are_listed_once(records: Records) -> None:
    records.commit([], [Document("salt", "one", b""), Document("note", "a", b"")])
    records.commit([], [Document("salt", "two", b"")])
    records.forget_document("note", "a")

    assert records.list_kinds() == ["salt"]

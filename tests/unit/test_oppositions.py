"""A register of people who object: its list, its tree, its days, and the file it is drawn up from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.parties import START
from fakes.pseudonymiser import NaivePseudonymiser
from havre.adapters.pseudonymiser.polars import PolarsPseudonymiser
from havre.application.pseudonymise import name_at_holder, pseudonymise_at_holder
from havre.bootstrap.schemas import core_tables
from havre.domain.catalogue import BuiltTable
from havre.domain.catalogue_text import KnownTables
from havre.domain.events import encode_event, parse_event
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.opposition_file import Objector, known_people_columns, parse_objectors
from havre.domain.opposition_list import (
    ListedPerson,
    ListHeader,
    RegisterTree,
    commit_to_person,
    encode_list,
    leaf_of,
    read_list,
    whole_hundreds,
)
from havre.domain.opposition_receipt import (
    Book,
    BookLine,
    OppositionReceipt,
    check_receipt,
    encode_book,
    parse_receipt,
    read_book,
    receipt_predicate,
)
from havre.domain.oppositions import check_follows, newest_registers
from havre.domain.schema import Column, TableSchema, Treatment
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.canonical import encode_canonical, parse_canonical
from havre.formats.padding import padded_size

HEADER = ListHeader(
    origin="havre.example/test", register="holder", version=3, every_hours=168, people=100
)
KNOWN = known_people_columns(KnownTables(tuple(core_tables())))


def person(place: int, *numbers: int) -> ListedPerson:
    spelled = tuple(f"{number:032x}" for number in sorted(numbers or (place,)))
    return ListedPerson(f"{place:064x}", spelled, bytes([place]) * 32)


PEOPLE = [person(place) for place in range(1, 101)]


def read(document: bytes, *, chunk: int = 1000) -> tuple[ListHeader, list[ListedPerson]]:
    chunks = [document[at : at + chunk] for at in range(0, len(document), chunk)]
    header, people = read_list(chunks)
    return header, list(people)


@pytest.mark.parametrize("chunk", [1, 7, 10**6])
def test_a_list_is_read_as_it_was_written_however_it_is_cut(chunk: int) -> None:
    written = b"".join(encode_list(HEADER, PEOPLE))

    assert read(written, chunk=chunk) == (HEADER, PEOPLE)


@given(numbers=st.lists(st.integers(1, 40), min_size=100, max_size=100))
def test_how_long_a_list_is_says_little_about_who_has_how_many_numbers(numbers: list[int]) -> None:
    people = [person(n + 1, *range(1, count + 1)) for n, count in enumerate(numbers)]

    length = len(b"".join(encode_list(HEADER, people)))

    assert length == padded_size(length)


def line(**changes: Any) -> bytes:
    body: Any = {"numbers": [f"{1:032x}"], "person": f"{1:064x}", "salt": f"{1:064x}", **changes}
    return encode_canonical(body) + b"\n"


def header(**changes: Any) -> bytes:
    first = next(encode_list(HEADER, []))
    body: Any = {**parse_canonical(first.rstrip()), **changes}  # type: ignore[dict-item]
    return encode_canonical(body) + b"\n"


WHOLE = list(encode_list(HEADER, PEOPLE))
STRANGE: dict[str, list[bytes]] = {
    "nothing": [],
    "another format": [header(format="havre/v1/manifest"), *WHOLE[1:]],
    "a length that is no hundred": [header(people=99), *WHOLE[1:100], b"\n"],
    "a length of nothing": [header(people=0), b"\n"],
    "a truth for a version": [header(version=True), *WHOLE[1:]],
    "version nought": [header(version=0), *WHOLE[1:]],
    "a rhythm of years": [header(every_hours=10**6), *WHOLE[1:]],
    "a negative rhythm": [header(every_hours=-1), *WHOLE[1:]],
    "another register than a name": [header(register="Holder!"), *WHOLE[1:]],
    "a field too many": [header(comment=""), *WHOLE[1:]],
    "one line too few": [*WHOLE[:100], WHOLE[-1]],
    "one line too many": [*WHOLE[:101], line(person="f" * 64), WHOLE[-1]],
    "no zeros at the end": WHOLE[:101],
    "something after the zeros": [*WHOLE, b"\n"],
    "another end than zeros": [*WHOLE[:101], b"0001\n"],
    "a line twice": [WHOLE[0], WHOLE[1], *WHOLE[1:100], WHOLE[-1]],
    "another order": [WHOLE[0], WHOLE[2], WHOLE[1], *WHOLE[3:]],
    "cut in the middle": [*WHOLE[:50], WHOLE[50][:40]],
    "no number": [WHOLE[0], line(numbers=[]), *WHOLE[2:]],
    "numbers out of order": [WHOLE[0], line(numbers=["b" * 32, "a" * 32]), *WHOLE[2:]],
    "a number twice": [WHOLE[0], line(numbers=["a" * 32, "a" * 32]), *WHOLE[2:]],
    "a number in clear": [WHOLE[0], line(numbers=["185052A00400181"]), *WHOLE[2:]],
    "too many numbers": [WHOLE[0], line(numbers=[f"{n:032x}" for n in range(65)]), *WHOLE[2:]],
    "a salt that is none": [WHOLE[0], line(salt="00"), *WHOLE[2:]],
    "a line that never ends": [WHOLE[0], b"[" * 100_000, *WHOLE[2:]],
    "another spelling": [WHOLE[0], WHOLE[1].replace(b":", b": "), *WHOLE[2:]],
}


@pytest.mark.parametrize("strange", STRANGE)
def test_a_list_that_is_not_whole_or_not_spelled_so_is_refused(strange: str) -> None:
    with pytest.raises(InvalidInput):
        read(b"".join(STRANGE[strange]))


def test_a_leaf_has_no_number_and_the_same_person_never_the_same_leaf() -> None:
    first, second = (
        ListedPerson(commit_to_person("1850502", salt=salt), ("a" * 32,), salt)
        for salt in (bytes(32), b"\1" * 32)
    )

    assert first.leaf != second.leaf
    assert b"a" * 32 not in first.leaf
    assert b"1850502" not in first.leaf


def test_a_persons_number_is_the_same_however_it_is_spaced() -> None:
    salt = bytes(32)

    assert commit_to_person(" 1 85 05 2a 004\n001 ", salt=salt) == commit_to_person(
        "185052A004001", salt=salt
    )


@pytest.mark.parametrize(("people", "length"), [(0, 100), (1, 100), (100, 100), (101, 200)])
def test_a_list_is_as_long_as_a_whole_hundred(people: int, length: int) -> None:
    assert whole_hundreds(people) == length


def update(version: int, *, hours: float = 0, every_hours: int = 168) -> OppositionsUpdated:
    return OppositionsUpdated(
        event_id=f"{version:032x}",
        at=START + timedelta(hours=hours),
        register="holder",
        holder="h",
        delivery=f"oppositions-holder-{version}",
        version=version,
        root="r",
        people=100,
        every_hours=every_hours,
        partition="p",
        manifest_sha256="m",
    )


@pytest.mark.parametrize(
    ("version", "hours", "refused"),
    [
        (2, 168, False),
        (2, 167, False),
        (2, 166.9, True),
        (2, 0, True),
        (1, 168, True),
        (3, 400, False),
    ],
)
def test_a_version_is_newer_and_comes_on_its_day(version: int, hours: float, refused: bool) -> None:
    def follow() -> None:
        check_follows(
            [update(1)], register="holder", version=version, now=START + timedelta(hours=hours)
        )

    if refused:
        with pytest.raises(Refused):
            follow()
    else:
        follow()


def test_another_holders_register_has_days_of_its_own() -> None:
    check_follows([update(7)], register="hospital", version=1, now=START)


def test_the_newest_version_of_each_register_counts() -> None:
    events = [update(1), update(2), update(3)]

    assert newest_registers(enumerate(events)) == {"holder": (2, events[2])}


def test_an_entry_from_before_there_were_oppositions_is_read_and_one_that_says_null_is_not() -> (
    None
):
    entry = (
        b'{"at":"2026-06-01T12:00:00Z","event_id":"00000000000000000000000000000001",'
        b'"kind":"ExtractMade","manifest_sha256":"m","partition":"p","permit":"d",'
        b'"plan_commitment":"c","rows":100,"v":1,"versions":{"dcir":1}}'
    )
    event = parse_event(entry)

    assert encode_event(event) == entry
    with pytest.raises(InvalidInput):
        parse_event(entry.replace(b'"partition"', b'"oppositions":null,"partition"'))


# ------------------------------------------------------------ the holder's own file


def objectors(text: str) -> list[Objector]:
    return parse_objectors(text.encode(), known=KNOWN)


def test_a_person_with_several_lines_and_numbers_is_one_person() -> None:
    found = objectors("person;BEN_NIR_PSA;BEN_IDT_ANO\n1 85;A1;\n285;B1;B2\n185; A1 ;A2\n")

    assert found == [
        Objector("185", (("BEN_NIR_PSA", "A1"), ("BEN_IDT_ANO", "A2"))),
        Objector("285", (("BEN_NIR_PSA", "B1"), ("BEN_IDT_ANO", "B2"))),
    ]


def test_nobody_is_a_list_too() -> None:
    assert objectors("\ufeffperson;BEN_NIR_PSA\r\n") == []


FAULTS: dict[str, tuple[str, str]] = {
    "nothing": ("", "does not name person"),
    "no column of numbers": ("person\n1\n", "no column with numbers of people"),
    "another column": (
        "person;BEN_SEX_COD\n1;2\n",
        "no table has numbers of people in BEN_SEX_COD",
    ),
    "a line of data for a header": ("185052A00400181;X\n", "words of its first line"),
    "a column twice": ("person;BEN_NIR_PSA;BEN_NIR_PSA\n1;A;B\n", "a column twice"),
    "too few cells": (
        "person;BEN_NIR_PSA\n1\n2;B\n3\n",
        "more or fewer cells than columns in line 2, 4",
    ),
    "no person": (
        "person;BEN_NIR_PSA\n ;A\n",
        "no person, or one of more than 64 characters in line 2",
    ),
    "a long person": (f"person;BEN_NIR_PSA\n{'1' * 65};A\n", "in line 2"),
    "no number": ("person;BEN_NIR_PSA\n1; \n", "no number of the person in line 2"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_would_leave_somebody_unprotected_is_refused_by_line(fault: str) -> None:
    text, told = FAULTS[fault]

    with pytest.raises(InvalidInput) as refusal:
        objectors(text)

    assert told in refusal.value.message
    assert "185052A00400181" not in str(refusal.value)


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidInput):
        parse_objectors(b"person;BEN_NIR_PSA\n1;\xff\n", known=KNOWN)


def test_a_column_that_means_two_things_or_a_nir_names_nobody() -> None:
    def table(name: str, *columns: Column) -> BuiltTable:
        return BuiltTable(TableSchema(name=name, dataset="d", columns=columns), ())

    foreign = Treatment.FOREIGN_PSEUDONYM
    known = KnownTables(
        (
            table("A", Column(name="X", treatment=foreign, realm="a"), Column(name="Z")),
            table("B", Column(name="X", treatment=foreign, realm="b")),
            table("C", Column(name="NIR", treatment=Treatment.NIR)),
            table("D", Column(name="Y", treatment=foreign, realm="a")),
        )
    )

    assert set(known_people_columns(known)) == {"Y"}


NUMBER = Column(
    name="N",
    treatment=Treatment.FOREIGN_PSEUDONYM,
    realm="nir-psa",
    length=6,
    pattern="[A-Z0-9]+",
    sentinels=("nobody",),
)


@settings(deadline=None)
@given(number=st.text(alphabet="Xx0A1 noby", max_size=8))
def test_one_number_gets_the_pseudonym_that_its_column_gets(number: str) -> None:
    """Whoever objects must be found in the data: by whatever tool, under the same name."""
    rows = pa.table({"N": pa.array([number], pa.string())})
    schema = TableSchema(name="T", dataset="d", columns=(NUMBER,))

    mine = name_at_holder(number, column=NUMBER, secret=bytes(32))

    for tool in (NaivePseudonymiser(), PolarsPseudonymiser()):
        hashed = pseudonymise_at_holder(rows, schema=schema, secret=bytes(32), pseudonymiser=tool)
        assert pa.table(hashed)["N"].to_pylist() == [mine]


# ------------------------------------------------------------ books and receipts


def kept(count: int = 5) -> Book:
    lines = [
        BookLine(commit_to_person(f"case {n}", salt=bytes([n]) * 32), f"{n:064x}", bytes([n]) * 32)
        for n in range(count)
    ]
    return Book("holder", 3, tuple(sorted(lines, key=lambda each: each.person)))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 100])
def test_every_leaf_of_a_book_leads_to_its_root(count: int) -> None:
    book = kept(count)

    for number in range(count):
        check_receipt(receipt_for(book, f"case {number}"), number=f"CASE {number}")


def receipt_for(book: Book, number: str) -> OppositionReceipt:
    place = book.find(number)
    assert place is not None
    return OppositionReceipt(
        register=book.register,
        version=book.version,
        update=9,
        root=book.root,
        place=place,
        people=len(book.lines),
        proof=tuple(book.proof(place)),
        person=book.lines[place].person,
        salt=book.lines[place].salt,
        numbers=book.lines[place].numbers,
        extracts=(12, 15),
    )


def test_a_book_is_read_as_it_was_written_and_finds_nobody_else() -> None:
    again = read_book(iter(list(encode_book(kept()))))

    assert again == kept()
    assert again.find("case 5") is None


@pytest.mark.parametrize("cut", [0, 1, 4])
def test_a_book_that_was_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(InvalidInput):
        read_book(iter(list(encode_book(kept()))[:cut]))


def test_a_books_root_is_that_of_its_leaves_in_order() -> None:
    tree = RegisterTree()
    for each in kept().lines:
        tree.add(leaf_of(each.person, each.numbers))

    assert tree.root == kept().root


def test_a_receipt_is_read_as_it_was_written() -> None:
    receipt = receipt_for(kept(), "case 2")

    assert parse_receipt(receipt_predicate(receipt)) == receipt


MISSPELLED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a field too few": lambda said: {k: v for k, v in said.items() if k != "proof"},
    "a field too many": lambda said: {**said, "name": "x"},
    "a place as text": lambda said: {**said, "place": "2"},
    "a salt in capitals": lambda said: {**said, "salt": "AB" * 32},
    "a root that is none": lambda said: {**said, "root": "r"},
    "a proof that is none": lambda said: {**said, "proof": [1]},
}


@pytest.mark.parametrize("misspelled", MISSPELLED)
def test_a_receipt_in_another_spelling_is_refused(misspelled: str) -> None:
    said = receipt_predicate(receipt_for(kept(), "case 2"))

    with pytest.raises(InvalidInput):
        parse_receipt(MISSPELLED[misspelled](dict(said)))


def test_a_receipt_is_one_persons() -> None:
    with pytest.raises(NotGenuine, match="another person's"):
        check_receipt(receipt_for(kept(), "case 2"), number="case 3")

"""Several parties are asked at once: who is slow is named, and holds nobody up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from havre.application.asking import Asking, Patience
from havre.errors import Refused, Unavailable


@pytest.fixture
def never() -> Iterator[Callable[[], str]]:
    """A party that hangs until the test is over."""
    over = threading.Event()

    def hang() -> str:
        over.wait()
        return "too late"

    yield hang
    over.set()


SOON = Patience(within_s=60, rest_s=0.05)


def refuse() -> str:
    raise Refused("No.")


def answers(asking: Asking[str]) -> dict[str, str | None]:
    return {said.name: said.answer for said in asking}


def test_everybody_is_asked_at_once() -> None:
    together = threading.Barrier(3, timeout=10)

    def meet() -> str:
        together.wait()
        return "met"

    assert answers(Asking(dict.fromkeys("abc", meet), patience=Patience())) == dict.fromkeys(
        "abc", "met"
    )


def test_no_more_are_asked_than_are_needed() -> None:
    asking = Asking(dict.fromkeys("abc", lambda: "yes"), at_once=2, patience=Patience())

    assert answers(asking) == {"a": "yes", "b": "yes"}


def test_for_one_that_refuses_the_next_is_asked() -> None:
    asking = Asking(
        {"a": refuse, "b": lambda: "yes", "c": lambda: "yes"}, at_once=2, patience=Patience()
    )
    said = list(asking)

    assert sorted((each.name, each.answer) for each in said if each.answer) == [
        ("b", "yes"),
        ("c", "yes"),
    ]
    assert [str(each.refusal) for each in said if each.refusal] == ["No."]


def test_for_one_whose_answer_does_not_hold_the_next_is_asked() -> None:
    asking = Asking(dict.fromkeys("ab", lambda: "a lie"), at_once=1, patience=Patience())
    heard = []
    for said in asking:
        heard.append(said.name)
        asking.ask_another()

    assert heard == ["a", "b"]


def test_one_that_hangs_is_named_and_the_next_is_asked_meanwhile(never: Callable[[], str]) -> None:
    asking = Asking({"a": never, "b": lambda: "yes"}, at_once=1, patience=SOON)
    begun = time.monotonic()

    first = next(iter(asking))

    assert (first.name, first.answer) == ("b", "yes")
    assert time.monotonic() - begun < 10
    assert {name: type(each) for name, each in asking.late().items()} == {"a": Unavailable}


def test_those_that_never_answer_end_as_refusals(never: Callable[[], str]) -> None:
    said = list(Asking({"a": never, "b": never}, patience=Patience(0.1, 0.05)))

    assert [each.name for each in said] == ["a", "b"]
    assert all(isinstance(each.refusal, Unavailable) for each in said)
    assert "a did not answer within 0 seconds" in str(said[0].refusal)


def test_the_rest_is_waited_for_a_little_longer_only(never: Callable[[], str]) -> None:
    asking = Asking({"a": lambda: "yes", "b": never}, patience=Patience(60, 0.05))
    begun = time.monotonic()
    for said in asking:
        if said.answer:
            asking.hurry()

    assert time.monotonic() - begun < 10


def test_a_fault_of_the_program_is_no_refusal() -> None:
    def broken() -> str:
        return str(1 // 0)

    with pytest.raises(ZeroDivisionError):
        list(Asking({"a": broken}, patience=SOON))


def test_nobody_to_ask_says_nothing() -> None:
    assert list(Asking({}, patience=SOON)) == []


def test_one_that_was_late_is_not_waited_for_a_second_time(never: Callable[[], str]) -> None:
    patience = Patience(60, 0.5)
    took = []
    for _ in range(2):
        begun = time.monotonic()
        asking = Asking({"a": lambda: "yes", "b": never}, patience=patience)
        for said in asking:
            if said.answer:
                asking.hurry()
        took.append(time.monotonic() - begun)

    assert took[0] >= 0.5 > took[1]
    assert patience.late == {"b"}
    assert answers(Asking({"b": lambda: "yes"}, patience=patience)) == {"b": "yes"}
    assert patience.late == set()

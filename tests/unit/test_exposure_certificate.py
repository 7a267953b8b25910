"""A certificate that was altered is refused, wherever and however."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from fakes.exposure_checker import (
    DOES_NOT_FOLLOW,
    FOLLOWS,
    USAGE,
    certified,
    checker,
    fault_in,
    run_checker,
)
from fakes.exposures import REFERENCES, deployments, reference
from havre.domain.exposure import facts as fact_kinds
from havre.domain.exposure.certificate import encode_certificate, encode_facts
from havre.domain.exposure.clauses import MODES, Rule
from havre.domain.exposure.deployment import Deployment, MessageKind
from havre.domain.exposure.evidence import Grade
from havre.domain.exposure.reach import Reading
from havre.domain.exposure.verdicts import Analysis

Place = tuple[str | int, ...]


@cache
def whole(name: str) -> Any:
    return certified(reference(name))


def altered(name: str) -> Any:
    return copy.deepcopy(whole(name))


def closed_set(body: Any, law: str, mode: str) -> Any:
    (found,) = [
        each
        for each in body["closures"]
        if (each["law"], each["mode"], each["reading"]) == (law, mode, "certain")
    ]
    return found


def verdict(body: Any, message: str, law: str, mode: str) -> Any:
    (found,) = [
        each
        for each in body["cells"]
        if (each["message"], each["law"], each["mode"], each["reading"])
        == (message, law, mode, "certain")
    ]
    return found


def coalitions(body: Any, message: str, mode: str) -> Any:
    (found,) = [
        each for each in body["coalitions"] if (each["message"], each["mode"]) == (message, mode)
    ]
    return found


@pytest.mark.parametrize("name", REFERENCES)
def test_the_certificate_of_each_reference_deployment_follows_from_its_facts(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "c.json").write_bytes(encode_certificate(Analysis(reference(name))))
    (tmp_path / "f.json").write_bytes(encode_facts(reference(name)))

    done = run_checker(tmp_path / "c.json", "--facts", tmp_path / "f.json")

    assert done.returncode == FOLLOWS, done.stdout
    assert done.stderr == ""
    assert done.stdout.endswith("FOLLOWS FROM ITS FACTS\n")
    assert "whether the facts are true" in done.stdout


@settings(deadline=None, max_examples=150)
@given(deployments())
def test_whatever_the_facts_their_certificate_follows(deployment: Deployment) -> None:
    assert fault_in(certified(deployment), facts=encode_facts(deployment)) is None


def test_a_term_missing_from_a_closed_set_is_noticed() -> None:
    """Nothing rests on the term that is dropped: only that the set is not closed gives it away."""
    body = altered("b1")
    steps = closed_set(body, "FR", "passive")["steps"]
    (at,) = [at for at, step in enumerate(steps) if step["term"] == "logins"]
    del steps[at]

    assert "is not closed: logins follows" in str(fault_in(body))


def test_a_step_missing_from_a_derivation_is_noticed() -> None:
    body = altered("a0")
    steps = closed_set(body, "US", "passive")["steps"]
    steps[:] = [step for step in steps if step["term"] != "enc(data-key,base)"]
    assert [step for step in steps if step["term"] == "base"]

    assert "US certain passive" in str(fault_in(body))


def test_a_term_that_does_not_follow_is_noticed_in_a_closed_set() -> None:
    """A predicted set that is too large would hide a fault that a drill finds."""
    body = altered("b1")
    steps = closed_set(body, "US", "active")["steps"]
    steps.append({**steps[-1], "term": "share/cnam"})

    assert "the step to share/cnam does not follow" in str(fault_in(body))


@pytest.mark.parametrize("change", [-1, 1])
def test_a_margin_that_was_changed_is_noticed(change: int) -> None:
    body = altered("b1")
    cell = verdict(body, "base", "US", "passive")
    cell["margin"] += change

    assert "margin" in str(fault_in(body))


def test_a_margin_that_is_too_large_is_noticed_though_its_takeovers_suffice() -> None:
    body = altered("b2")
    cell = verdict(body, "base", "US", "passive")
    cell["takeovers"], cell["margin"] = ["hub", "cnam", "third"], 3

    assert "fewer takeovers suffice" in str(fault_in(body))


def test_a_margin_that_is_too_small_is_noticed() -> None:
    body = altered("b1")
    cell = verdict(body, "base", "US", "passive")
    cell["takeovers"], cell["margin"] = cell["takeovers"][:2], 2

    assert "do not suffice" in str(fault_in(body))


def test_a_margin_that_is_left_out_is_noticed() -> None:
    body = altered("b1")
    cell = verdict(body, "base", "US", "passive")
    cell["takeovers"] = cell["margin"] = None

    assert "all operators together obtain it" in str(fault_in(body))


def test_a_verdict_that_was_turned_round_is_noticed() -> None:
    body = altered("b2")
    cell = verdict(body, "metadata", "US", "passive")
    assert cell["derivable"]
    cell["derivable"] = False

    assert "is not that of the closed set" in str(fault_in(body))


def test_a_grade_that_was_bettered_is_noticed() -> None:
    for message in ("base", "metadata"):
        body = altered("b2")
        verdict(body, message, "US", "passive")["grade"] = "E4"

        assert "has grade E0" in str(fault_in(body))


def test_a_coalition_that_was_left_out_is_noticed() -> None:
    body = altered("b1")
    coalitions(body, "base", "passive")["least"].pop()

    assert "a coalition is missing" in str(fault_in(body))


def test_a_coalition_with_somebody_to_spare_is_noticed() -> None:
    body = altered("b1")
    coalitions(body, "base", "passive")["least"][0].append("compute")

    assert "is enough without compute" in str(fault_in(body))


def test_a_safe_coalition_that_is_enough_is_noticed() -> None:
    body = altered("b1")
    coalitions(body, "base", "passive")["safe"][0] = ["cnam", "hub", "store-a"]

    assert "is enough" in str(fault_in(body))


def test_a_law_that_reaches_somebody_and_does_not_say_so_is_noticed() -> None:
    body = altered("a0")
    reach = body["reaches"][0]
    assert (reach["law"], reach["steps"][-1]["operator"]) == ("US", "msft-ie")
    reach["steps"].pop()

    assert "leaves out msft-ie" in str(fault_in(body))


def test_a_share_that_decides_and_is_said_not_to_is_noticed() -> None:
    body = altered("a0")
    (owns,) = [each for each in body["facts"]["facts"] if each["fact"] == "owns"]
    owns["control"] = False

    assert "a share that decides" in str(fault_in(body))


def test_facts_other_than_the_readers_own_are_noticed() -> None:
    body = altered("b1")

    assert fault_in(body, facts=encode_facts(reference("b2"))) is not None


def _places(value: Any, here: Place = ()) -> Iterator[tuple[Place, Any]]:
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield (*here, key), inner
        yield from _places(inner, (*here, key))


def _at(body: Any, place: Place) -> Any:
    for key in place:
        body = body[key]
    return body


def _drop(holder: Any, key: Any, _value: Any) -> None:
    del holder[key]


def _twice(holder: Any, key: Any, value: Any) -> None:
    holder.insert(key, copy.deepcopy(value))


def _turn(holder: Any, key: Any, value: Any) -> None:
    holder[key] = value + 1 if type(value) is int else not value


def _rename(holder: Any, key: Any, value: Any) -> None:
    holder[key] = {"E0": "E1"}.get(value, f"{value}x")


def _alterations(body: Any) -> Iterator[tuple[Place, Callable[[Any, Any, Any], None]]]:
    """Every alteration of one place in what was concluded; the facts are the reader's own."""
    for place, value in _places({key: body[key] for key in body if key != "facts"}):
        yield place, _drop
        if isinstance(place[-1], int):
            yield place, _twice
        if type(value) in (int, bool):
            yield place, _turn
        if type(value) is str:
            yield place, _rename


@pytest.mark.parametrize("name", ["a0", "b3"])
def test_no_place_of_a_certificate_can_be_altered(name: str) -> None:
    """Every so many of all places, dropped, doubled, turned or renamed: each one is noticed."""
    alterations = list(_alterations(whole(name)))
    chosen = alterations[:: max(1, len(alterations) // 400)]

    unnoticed = []
    for place, change in chosen:
        body = altered(name)
        change(_at(body, place[:-1]), place[-1], _at(body, place))
        if fault_in(body) is None:
            unnoticed.append((place, change.__name__))

    assert unnoticed == []


def test_a_file_that_is_no_certificate_is_refused_and_nothing_of_it_is_printed(
    tmp_path: Path,
) -> None:
    (tmp_path / "c.json").write_bytes(b'{"cells":"\x1b[2J"}')

    done = run_checker(tmp_path / "c.json")

    assert done.returncode == DOES_NOT_FOLLOW
    assert done.stdout.startswith("DOES NOT FOLLOW")
    assert "\x1b" not in done.stdout
    assert run_checker(tmp_path / "away.json").returncode == USAGE


def test_what_the_checker_answers_can_be_read_by_a_program(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(encode_certificate(Analysis(reference("b1"))))

    done = run_checker(tmp_path / "c.json", "--json")

    answer = json.loads(done.stdout)
    assert answer["verdict"] == "follows from its facts"
    assert answer["fault"] is None


def test_the_checker_and_the_engine_speak_of_the_same_things() -> None:
    tool = checker()
    kinds = {
        kind.__name__.lower(): set(kind.__dataclass_fields__) - {"evidence"}
        for kind in vars(fact_kinds).values()
        if isinstance(kind, type)
        and issubclass(kind, fact_kinds.Fact)
        and kind is not fact_kinds.Fact
    }

    assert {name: set(shapes) for name, shapes in tool.FIELDS.items()} == kinds
    assert list(tool.MODES) == [mode.value for mode in MODES]
    assert list(tool.READINGS) == [reading.value for reading in Reading]
    assert list(tool.GRADES) == [grade.name for grade in Grade]
    assert set(tool.KINDS) == {kind.value for kind in MessageKind}
    assert set(tool.RULES) == {rule.value for rule in Rule}

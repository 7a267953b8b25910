"""P1: whatever a seizure obtains is within what the exposure model says can be known there.

Each leak is planted on purpose. One that the model does not know of makes the model
wrong, and the drill says so; one that it knows of is a leak all the same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest

from fakes.small_hub import SmallHub, copy_of, ingested
from havre.application.drill.search import Search, search_seizure
from havre.bootstrap.drills import subpoena as drill
from havre.bootstrap.drills.prediction import predict
from havre.bootstrap.drills.remnants import SCRATCH, Remnants
from havre.bootstrap.drills.subpoena import subpoena
from havre.bootstrap.place import CONFIGURATION
from havre.crypto.keyfiles import unlock_seeds
from havre.domain.drill_receipt import DrillRun
from havre.domain.drills import Verdict
from havre.domain.events import PartitionsCreated, events_of
from havre.domain.exposure.hub import THIS_HOUSE

OWN_SHEET = """
format = "havre/v1/host-sheet"
operator = "this-machine"
title = "Our own machine"
[evidence]
grade = "E1"
date = 2026-11-01
source = "Its owner says so"
[seat]
country = "FR"
[[parents]]
name = "owner"
country = "FR"
share = 100
ultimate = true
[does]
parts = ["store", "machines", "custodian", "witness", "holder", "authority"]
"""
CLASSES = {
    "data",
    "manifests",
    "records backup",
    "log",
    "temporary files",
    "swap-like scratch",
    "core dumps",
}


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(ingested(), tmp_path / "root")


def failed(run: DrillRun) -> set[str]:
    return {each.criterion.name for each in run.judged if each.held is False}


def obtained(run: DrillRun, which: str = "obtained") -> set[str]:
    return set(json.loads(json.dumps(run.details[which])))


def someone(hub: SmallHub) -> str:
    """A number that is in the data: the first of the canaries that the drill is given."""
    return (hub.root / "files/truth/people.csv").read_text().splitlines()[1].split(",")[1]


def hold(hub: SmallHub, *, spoil: Callable[[Remnants], None] = lambda _left: None) -> DrillRun:
    return subpoena(hub.open(), canaries=hub.root / "files/truth/people.csv", spoil=spoil).run


# ------------------------------------------------------------ as it should be


def test_canaries_are_in_every_class_and_what_is_obtained_is_what_the_model_says(
    hub: SmallHub,
) -> None:
    before = set(hub.open().objects.list_objects())

    run = hold(hub)

    assert (run.verdict, failed(run)) == (Verdict.HELD, set())
    assert set(json.loads(json.dumps(run.details["classes"]))) == CLASSES
    assert obtained(run) == {
        "enc(seed/base,base)",
        "enc(seed/deliveries,deliveries)",
        "metadata",
    }
    assert obtained(run) <= obtained(run, "predicted")
    assert "base" not in obtained(run, "predicted")
    opened = hub.open()
    assert set(opened.objects.list_objects()) == before
    assert opened.records.list_documents("drill-canary") == []


def test_every_key_on_the_log_has_a_term(hub: SmallHub) -> None:
    opened = hub.open()
    events = [each.event for each in opened.log.entries()]
    made = {key for e in events_of(events, PartitionsCreated) for key in e.public_keys.values()}

    terms = predict(opened).key_terms

    assert made <= set(terms)
    assert {"seed/base", "second-secret", "party-key/custodian-1"} <= set(terms.values())
    assert {"seed/deliveries"} & set(terms.values())


# ------------------------------------------------------------ what the model does not know


def leave_in_store(hub: SmallHub) -> None:
    (hub.hub / "store" / "objects" / "left").write_bytes(someone(hub).encode())


def test_a_clear_value_in_the_store_is_a_term_that_nobody_there_can_know(hub: SmallHub) -> None:
    leave_in_store(hub)

    run = hold(hub)

    assert failed(run) == {"canaries", "not-predicted"}
    assert obtained(run, "not_predicted") == {"base"}


def test_a_key_in_the_store_is_one_too(hub: SmallHub) -> None:
    party = hub.parties / "custodian-1"
    seeds = unlock_seeds(
        (party / "key.json").read_bytes(), passphrase=(party / "passphrase").read_bytes().strip()
    )
    (hub.hub / "store" / "objects" / "left").write_bytes(seeds["sign"])

    run = hold(hub)

    assert failed(run) == {"keys", "not-predicted"}
    assert obtained(run, "not_predicted") == {"party-key/custodian-1"}


def test_a_leak_that_the_model_knows_of_is_a_leak_and_the_model_is_right(hub: SmallHub) -> None:
    """The store's host also runs the hub's machine, and the sheets say so."""
    (hub.hub / "hosts").mkdir()
    (hub.hub / "hosts" / "own.toml").write_text(OWN_SHEET)
    configuration = hub.hub / CONFIGURATION
    store = '\n[[stores]]\nname = "own"\nhost = "own"\npath = "store"\n'
    configuration.write_text(configuration.read_text() + store)
    leave_in_store(hub)

    run = hold(hub)

    assert json.loads(json.dumps(run.details["coalition"])) == [THIS_HOUSE]
    assert failed(run) == {"canaries"}
    assert "base" in obtained(run) & obtained(run, "predicted")


# ------------------------------------------------------------ a leak in each class


def leave(left: Remnants, *, place: str, term: str) -> None:
    (canary,) = [each for each, its in left.canaries.items() if its == term]
    (left.places[place] / "left").write_bytes(b"x" * 300 + canary.encode())


def leave_records(left: Remnants) -> None:
    """A backup in which one part was not sealed."""
    (canary, *_) = left.canaries
    (first, *_) = sorted((left.places["backup"] / "records").iterdir())
    first.write_bytes(canary.encode() * 40)


@pytest.mark.parametrize(
    ("spoil", "term"),
    [
        *((partial(leave, place=name, term="deliveries"), "deliveries") for name in SCRATCH),
        (partial(leave, place="log", term="records"), "records"),
        (leave_records, "records"),
    ],
)
def test_a_leak_in_any_class_is_found_and_is_not_predicted(
    hub: SmallHub, spoil: Callable[[Remnants], None], term: str
) -> None:
    # Copied, because what is left in the hub's own log folder would stay there.
    def spoil_copy(left: Remnants) -> None:
        log = hub.root / "log-as-seized"
        shutil.copytree(left.places["log"], log)
        left.places["log"] = log
        left.public.add(("log", "left"))
        spoil(left)

    run = hold(hub, spoil=spoil_copy)

    assert "canaries" in failed(run)
    assert obtained(run, "not_predicted") == {term}


def test_a_process_that_does_not_die_at_work_plants_nothing(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("havre.bootstrap.drills.remnants.sys.executable", "/bin/false")

    run = hold(hub)

    assert run.observed["classes"] == 4
    assert failed(run) == {"classes"}


def test_a_finder_that_is_blind_in_one_class_is_named(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = search_seizure

    def blind_in_the_log(
        *words: object, public: Iterable[tuple[str, str]], **more: object
    ) -> Search:
        if ("log", "left") in set(public):
            return Search()
        return real(*words, public=frozenset(public), **more)  # type: ignore[arg-type]

    monkeypatch.setattr(drill, "search_seizure", blind_in_the_log)

    run = hold(hub)

    assert failed(run) == {"missed"}
    assert run.details["missed"] == ["log"]

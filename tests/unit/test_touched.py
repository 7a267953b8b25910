"""What rests on rows that are gone, from the log alone."""

from __future__ import annotations

from fakes.parties import START
from havre.crypto.random import new_object_id
from havre.domain.events import Event, ExtractMade, JobRan, OutputReleased
from havre.domain.touched import Touched, list_touched


def extract(permit: str, **versions: int) -> ExtractMade:
    return ExtractMade(
        event_id=new_object_id(),
        at=START,
        permit=permit,
        partition="p",
        versions=versions,
        plan_commitment="",
        manifest_sha256="",
        rows=0,
    )


def job(name: str, on: int) -> JobRan:
    return JobRan(
        event_id=new_object_id(),
        at=START,
        job=name,
        permit="",
        extract=on,
        code_sha256="",
        environment_sha256="",
        outcome="finished",
        outputs_commitment="",
    )


def release(name: str, of: str) -> OutputReleased:
    return OutputReleased(
        event_id=new_object_id(),
        at=START,
        request=name,
        permit="",
        job=of,
        files={},
        manifest_sha256="",
    )


LOG: list[Event] = [
    extract("early", dcir=4),
    extract("one", dcir=5, pmsi=1),
    extract("other", pmsi=6),
    extract("two", dcir=6),
    extract("late", dcir=7),
    job("job-1", on=1),
    job("job-2", on=1),
    job("job-3", on=4),
    release("r-1", of="job-2"),
    release("r-2", of="job-3"),
]


def test_extracts_of_versions_with_the_rows_are_listed_with_what_came_of_them() -> None:
    found = list_touched(LOG, dataset="dcir", since=5, until=7)

    assert found == (
        Touched("one", 1, ("job-1", "job-2"), ("r-1",)),
        Touched("two", 3, (), ()),
    )

"""What rests on rows that a correction took back: extracts, jobs on them, and what was released.

From the public log alone. An extract counts when it was cut from a version that had the
rows; whether its plan reached them, the log does not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from havre.domain.events import Event, ExtractMade, JobRan, OutputReleased


@dataclass(frozen=True, slots=True)
class Touched:
    """One extract, and what came of it.

    extract: index of its entry. jobs, releases: by their short names, in the log's order.
    """

    permit: str
    extract: int
    jobs: tuple[str, ...]
    releases: tuple[str, ...]


def list_touched(
    events: Sequence[Event], *, dataset: str, since: int, until: int
) -> tuple[Touched, ...]:
    """List the extracts of versions that had rows which are gone.

    events: the whole log. since: index of the first version that had the rows.
    until: index of the version that has them no longer.
    """
    made = [
        (index, event)
        for index, event in enumerate(events)
        if isinstance(event, ExtractMade) and since <= event.versions.get(dataset, -1) < until
    ]
    return tuple(
        Touched(event.permit, index, jobs := _jobs_on(index, events), _releases_of(jobs, events))
        for index, event in made
    )


def _jobs_on(extract: int, events: Sequence[Event]) -> tuple[str, ...]:
    return tuple(
        each.job for each in events if isinstance(each, JobRan) and each.extract == extract
    )


def _releases_of(jobs: Sequence[str], events: Sequence[Event]) -> tuple[str, ...]:
    return tuple(
        each.request for each in events if isinstance(each, OutputReleased) and each.job in jobs
    )

"""Looking after the stores, wired: what answers, what is whole, what is to be repaired."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from havre.application.vault.survey import Reading
from havre.application.vault.upkeep import StoreFound, Upkeep, UpkeepReport
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.store_places import StorePlace
from havre.bootstrap.stores import open_store, prepare_store, store_places
from havre.errors import HavreError, NotFound

# How many are done, of how many, and in words.
Progress = Callable[[int, int, str], None]


def look_at_stores(hub: OpenHub) -> list[dict[str, object]]:
    """Ask every store how many objects it has; one that does not answer is said to be away."""
    return [_looked_at(hub, place) for place in store_places(hub.place)]


def prepare_stores(hub: OpenHub, *, name: str | None) -> list[str]:
    """Make one store or all of them ready to be written; returns their names.

    Raises:
        NotFound: no store has this name.
        Refused: a host does not honour conditional writes.
        Unavailable: a host does not answer.
    """
    places = _named(hub, name)
    for place in places:
        prepare_store(hub.place, place)
    return [place.name for place in places]


def check_stores(hub: OpenHub, *, name: str | None, progress: Progress) -> dict[str, Any]:
    """Hash every copy in one store or in all; nothing is written anywhere.

    Returns what was found, and `stores`, one row each.
    """
    return _told(_upkeep(hub).check(_names(hub, name), progress=_Pace(progress)))


def scrub_stores(hub: OpenHub, *, name: str | None, progress: Progress) -> dict[str, Any]:
    """Hash every copy in one store or in all, keep what was found, and count it on the log.

    It goes on where an attempt before was cut short. Returns the same as `check_stores`.
    """
    report = _upkeep(hub).scrub(_names(hub, name), progress=_Pace(progress))
    return {**_told(report), "on_the_log": report.is_logged}


def begin_scrub_anew(hub: OpenHub, *, name: str | None) -> None:
    """Forget how far scrubs came that were cut short."""
    _upkeep(hub).begin_anew(_names(hub, name))


def repair_stores(hub: OpenHub, *, progress: Progress) -> dict[str, Any]:
    """Put good bytes over bad and missing ones.

    Returns what was repaired, what is left, and what no store has any more.
    """
    report = _upkeep(hub).repair(progress=_Pace(progress))
    return {
        "repaired": {
            name: {damage.value: number for damage, number in sorted(counts.items())}
            for name, counts in report.repaired.items()
        },
        "left": {name: len(faults) for name, faults in report.left.items() if faults},
        "lost": sorted(report.lost),
        "away": report.away,
        "never_scrubbed": report.never_scrubbed,
        "on_the_log": report.is_logged,
    }


def sweep_stores(hub: OpenHub, *, name: str | None) -> dict[str, Any]:
    """Remove from one store or from all what writes have left there that nobody finished.

    Returns how many objects went, by store.

    Raises:
        Refused: nobody can say what is left over.
        NotGenuine: the inventory is not what the log commits to.
    """
    return {"swept": _upkeep(hub).sweep(_names(hub, name))}


class _Pace:
    """Tells how fast a store is read and how long it will take."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._store, self._began_s = "", 0.0

    def __call__(self, reading: Reading) -> None:
        if reading.store != self._store:
            self._store, self._began_s = reading.store, time.monotonic()
        what = f"{reading.store}: {reading.objects} of {reading.of_objects} objects"
        taken_s = time.monotonic() - self._began_s
        read_bytes = reading.size_bytes - reading.resumed_bytes
        if taken_s > 1 and read_bytes:
            rate = read_bytes / taken_s
            left_s = max(0, reading.of_bytes - reading.size_bytes) / rate
            what += f", {rate / 1e6:.0f} MB/s, {left_s:.0f} s left"
        self._progress(reading.objects, reading.of_objects, what)


def _told(report: UpkeepReport) -> dict[str, Any]:
    return {
        "objects_on_the_log": len(report.inventory.objects),
        "bytes": report.inventory.size_bytes,
        "acts_without_a_list": report.inventory.unlisted,
        "lost": list(report.lost),
        "stores": [_found_row(each) for each in report.stores],
    }


def _found_row(found: StoreFound) -> dict[str, object]:
    survey = found.survey
    damages = [each.value for each in survey.faults.values()]
    return {
        "store": found.store,
        "objects": survey.objects,
        "bytes": survey.size_bytes,
        "bad": len(damages),
        "what": {what: damages.count(what) for what in sorted(set(damages))},
        "unlisted": found.unlisted,
        "away": survey.away,
    }


def _looked_at(hub: OpenHub, place: StorePlace) -> dict[str, object]:
    objects: int | None = None
    state = "answers"
    try:
        objects = sum(1 for _ in open_store(hub.place, place).list_objects())
    except HavreError as fault:
        state = fault.message
    return {
        "store": place.name,
        "host": place.host,
        "kind": "a bucket" if place.path is None else "a directory",
        "where": place.where,
        "state": state,
        "objects": objects,
    }


def _upkeep(hub: OpenHub) -> Upkeep:
    replicas = {each.name: open_store(hub.place, each) for each in store_places(hub.place)}
    return Upkeep(replicas, journal=hub.journal, log=hub.log, records=hub.records, clock=hub.clock)


def _names(hub: OpenHub, name: str | None) -> list[str]:
    return [each.name for each in _named(hub, name)]


def _named(hub: OpenHub, name: str | None) -> list[StorePlace]:
    places = store_places(hub.place)
    found = [each for each in places if name in (None, each.name)]
    if not found:
        raise NotFound(
            f"There is no store {name}.",
            hint=f"There are: {', '.join(each.name for each in places)}.",
        )
    return found

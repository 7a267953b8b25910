"""Looking after the stores, wired: what answers, what is whole, what is to be repaired."""

from __future__ import annotations

from havre.bootstrap.hub import OpenHub
from havre.bootstrap.stores import StorePlace, open_store, prepare_store, store_places
from havre.errors import HavreError, NotFound


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


def _named(hub: OpenHub, name: str | None) -> list[StorePlace]:
    places = store_places(hub.place)
    found = [each for each in places if name in (None, each.name)]
    if not found:
        raise NotFound(
            f"There is no store {name}.",
            hint=f"There are: {', '.join(each.name for each in places)}.",
        )
    return found


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

"""Which objects of the lake came from which delivery: a private record beside each version.

Writers never read a manifest, because manifests are sealed. So what a delivery
became is written down when it happens, and a later version that withdraws it knows
what to withdraw. No object has rows of two deliveries, but those that compaction made: of
these it is written down whose rows they are, and that such a delivery is withdrawn no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from havre.domain.events import Event, VersionPublished, events_of
from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.values import ObjectId, parse_name, parse_object_id

FORMAT = "havre/v1/version-objects"
# As many objects as a manifest of the greatest size could list.
_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PlacedObject:
    """One object of a version.

    partition_id: opaque id of the partition that it is sealed to.
    rows: exact; private.
    """

    object_id: ObjectId
    partition_id: str
    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class VersionObjects:
    """What one version added, by delivery, and what it withdrew of versions before.

    together: objects that have rows of several deliveries, and of which; made by compaction.
    """

    added: Mapping[str, Sequence[PlacedObject]]
    withdrawn: tuple[ObjectId, ...] = field(default=())
    together: Mapping[ObjectId, tuple[str, ...]] = field(default_factory=dict)


def encode_version_objects(objects: VersionObjects) -> bytes:
    """Write the record of one version; `together` only where there is some."""
    together: Json = {each: [*sorted(names)] for each, names in objects.together.items()}
    return encode_canonical(
        {
            **({"together": together} if together else {}),
            "added": {
                delivery: [
                    [each.object_id, each.partition_id, each.table, each.rows]
                    for each in sorted(placed, key=lambda one: one.object_id)
                ]
                for delivery, placed in objects.added.items()
            },
            "format": FORMAT,
            "withdrawn": [*sorted(objects.withdrawn)],
        }
    )


def parse_version_objects(document: bytes) -> VersionObjects:
    """Read the record of one version strictly.

    Raises:
        InvalidInput: another form.
    """
    body: Any = parse_canonical(document, limit_bytes=_MAX_BYTES)
    try:
        objects = VersionObjects(
            {
                parse_name(delivery): tuple(_placed(each) for each in placed)
                for delivery, placed in body["added"].items()
            },
            tuple(parse_object_id(each) for each in body["withdrawn"]),
            {
                parse_object_id(each): tuple(map(parse_name, names))
                for each, names in body.get("together", {}).items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidInput(f"A record is not of the form {FORMAT}.") from None
    if encode_version_objects(objects) != document:
        raise InvalidInput(f"A record is not of the form {FORMAT}.")
    return objects


def objects_of_deliveries(
    versions: Iterable[VersionObjects],
) -> dict[str, dict[ObjectId, PlacedObject]]:
    """Say what every delivery is in a dataset's newest version.

    versions: every record of the dataset, the oldest first.

    Returns delivery to its objects by id: none for one that was withdrawn whole.

    >>> one = PlacedObject(ObjectId("1" * 32), "p", "T", 5)
    >>> first = VersionObjects({"a": (one,)})
    >>> list(objects_of_deliveries([first])["a"].values()) == [one]
    True
    >>> objects_of_deliveries([first, VersionObjects({"b": ()}, (one.object_id,))])
    {'a': {}, 'b': {}}
    """
    now: dict[str, dict[ObjectId, PlacedObject]] = {}
    for version in versions:
        for gone in version.withdrawn:
            for objects in now.values():
                objects.pop(gone, None)
        for delivery, placed in version.added.items():
            now.setdefault(delivery, {}).update({each.object_id: each for each in placed})
    return now


def owners_of_objects(versions: Iterable[VersionObjects]) -> dict[ObjectId, frozenset[str]]:
    """Say of which deliveries each object has rows, also of those withdrawn since.

    versions: as for `objects_of_deliveries`. An object from before this was written down
    is not in it.

    >>> one, two = ObjectId("1" * 32), ObjectId("2" * 32)
    >>> merged = VersionObjects({}, (one,), {two: ("a", "b")})
    >>> sorted(owners_of_objects([merged])[two])
    ['a', 'b']
    """
    owners: dict[ObjectId, frozenset[str]] = {}
    for version in versions:
        for delivery, placed in version.added.items():
            owners |= {each.object_id: frozenset({delivery}) for each in placed}
        owners |= {each: frozenset(names) for each, names in version.together.items()}
    return owners


def rows_of_datasets(events: Iterable[Event]) -> dict[str, int]:
    """Rows of each dataset's newest version, as the log says them: sums of rounded counts.

    events: of the log; of any kind.
    """
    rows: dict[str, int] = {}
    for event in events_of(events, VersionPublished):
        net = event.rows - (event.withdrawn or 0)
        rows[event.dataset] = max(0, rows.get(event.dataset, 0) + net)
    return rows


def _placed(value: Any) -> PlacedObject:
    object_id, partition_id, table, rows = value
    if type(rows) is not int or rows < 0 or not isinstance(table, str):
        raise TypeError
    return PlacedObject(parse_object_id(object_id), parse_object_id(partition_id), table, rows)

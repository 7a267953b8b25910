"""Arriving: a package becomes a hub on another host, and proves that nothing is missing.

The log comes from a mirror outside the old host, not from the package: it ends
with the handover to this host's key, which the controller signed. What the log
names by its hash is looked for in the package, so the proof does not rest on
the word of the hub that was left.

What is not proved here: that every object which a sealed manifest lists is
there. The manifests are equal byte for byte, and with them the row counts and
content hashes inside; to compare those with the objects needs keys.

Every step can be taken again: an arrival that was cut short is run anew.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from havre.application.audit import PublicLog
from havre.application.depart import (
    KIND_WAITING,
    MANIFEST,
    encode_identities,
    holdings_of,
    rows_of_datasets,
)
from havre.application.journal import Journal
from havre.application.vault.packing import open_at_host
from havre.application.vault.reading import check_object
from havre.crypto.random import new_object_id
from havre.domain.assets import find_lacking, list_named, released_files
from havre.domain.departure import (
    AssetClass,
    DepartureManifest,
    PackedFile,
    check_equal,
    named_paths,
    parse_manifest,
)
from havre.domain.events import Arrived, Departed, Event, OutputReleased, events_of
from havre.domain.following import Followed, follow_entries
from havre.domain.handover import is_handover
from havre.domain.trust import TrustRoots, encode_trust_roots
from havre.errors import InvalidInput, NotFound, NotGenuine, Refused
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.formats.tiles import TILE_WIDTH, bundles_between, encode_bundle
from havre.ports.clock import Clock
from havre.ports.inbox import Inbox
from havre.ports.objects import IdTaken, ObjectStore
from havre.ports.outputs import ReleaseShelf
from havre.ports.package import PackageReader
from havre.ports.records import Document, Records
from havre.ports.tokens import Token
from havre.values import ObjectId, parse_object_id

KIND_PARITY = "parity"
_BY_NOW = timedelta(minutes=1)
# A bundle of released files and a line of the records both fit.
_MOST_LINE_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parity:
    """What was compared, and found equal.

    named: by asset class, how many things the log names by a hash or a name and
        that are here; `lacking` are those that were gone when the hub left.
    released, waiting: files of releases, and deliveries in the inbox.
    """

    departure: str
    log_size: int
    log_root: str
    objects: int
    files: int
    rows: dict[str, int]
    named: dict[str, int]
    lacking: tuple[str, ...]
    released: int
    waiting: int
    index: int


class Arrival:
    """Unpacks one hub."""

    def __init__(
        self,
        *,
        package: PackageReader,
        objects: ObjectStore,
        records: Records,
        token: Token,
        clock: Clock,
    ) -> None:
        self._package = package
        self._objects = objects
        self._records = records
        self._token = token
        self._clock = clock

    def finish(
        self,
        manifest: DepartureManifest,
        *,
        journal: Journal,
        log: PublicLog,
        released: int,
        waiting: int,
    ) -> Parity:
        """Look for everything that the log names, and say on the log that we arrived.

        released, waiting: what `take_releases` and `take_deliveries` have counted.

        Raises:
            NotGenuine: something that the log names is not here, or is otherwise.
        """
        events = [logged.event for logged in log.entries()]
        named = list_named(events[: manifest.log_size])
        lacking = find_lacking(
            named,
            holdings_of(manifest.files, self._records, log=log, permits=self._permits()),
        )
        if lacking != manifest.lacking:
            differing = set(lacking) ^ set(manifest.lacking)
            raise NotGenuine(
                f"The log names what did not arrive, or not as it was: {named_paths(differing)}.",
                hint="Ask at the hub that was left: it packed less than it had.",
            )
        parity: dict[str, Json] = {
            "departure": manifest.departure,
            "lacking": [*lacking],
            "log_root": manifest.log_root,
            "log_size": manifest.log_size,
            "objects": {
                file.path.removeprefix("objects/"): str(file.sha256)
                for file in manifest.of_class(AssetClass.OBJECTS)
            },
            "rows": dict(manifest.rows),
        }
        index = self._say_arrived(manifest, encode_canonical(parity), journal, events)
        return Parity(
            manifest.departure,
            manifest.log_size,
            manifest.log_root,
            len(manifest.of_class(AssetClass.OBJECTS)),
            len(manifest.files),
            rows_of_datasets(log),
            dict(Counter(each.asset.value for each in named)),
            lacking,
            released,
            waiting,
            index,
        )

    def _say_arrived(
        self, manifest: DepartureManifest, parity: bytes, journal: Journal, events: list[Event]
    ) -> int:
        if isinstance(events[-1], Arrived):
            # Said by an attempt before, which was cut short behind this point.
            return len(events) - 1
        (index,) = journal.record(
            Arrived(
                event_id=new_object_id(),
                at=self._clock.now(),
                departure=manifest.departure,
                manifest_sha256=package_digest(self._package),
                parity_sha256=hashlib.sha256(parity).hexdigest(),
            ),
            documents=[Document(KIND_PARITY, manifest.departure, parity)],
        )
        return index

    def take_objects(self, manifest: DepartureManifest) -> None:
        """Put every data object into the store, as it is."""
        # What an attempt before has begun to write would keep its name for ever; nobody
        # else writes here before the arrival is over.
        self._objects.sweep(
            {_object_of(file) for file in manifest.of_class(AssetClass.OBJECTS)},
            older_than=self._clock.now() + _BY_NOW,
        )
        for file in manifest.of_class(AssetClass.OBJECTS):
            with suppress(IdTaken):
                self._objects.put(_object_of(file), self._package.read(file.path))
            check_object(self._objects, _object_of(file), sha256=file.sha256)

    def take_records(self, manifest: DepartureManifest) -> list[Document]:
        """Open the private records with this host's key, and keep them.

        Returns what is about deliveries that wait, for `take_deliveries`.
        """
        waiting = []
        for file in manifest.files:
            if file.path.startswith("records/"):
                documents = self._opened(file, origin=manifest.origin)
                kept = [each for each in documents if each.kind != KIND_WAITING]
                self._records.commit([], kept)
                waiting += [each for each in documents if each.kind == KIND_WAITING]
        return waiting

    def take_deliveries(
        self, manifest: DepartureManifest, waiting: Iterable[Document], *, inbox: Inbox
    ) -> int:
        """Put the deliveries that waited into the inbox, as they were; returns how many."""
        there = set(inbox.list_deliveries())
        count = 0
        for document in waiting:
            count += 1
            if document.name in there:
                continue
            note, place = _read_waiting(document)
            objects = inbox.drafts(document.name)
            for file in manifest.files:
                if file.path.startswith(f"inbox/{place}/"):
                    object_id = parse_object_id(file.path.rpartition("/")[2])
                    objects.put(object_id, self._package.read(file.path))
                    check_object(objects, object_id, sha256=file.sha256)
            inbox.post(document.name, note)
        return count

    def take_releases(
        self, manifest: DepartureManifest, entries: list[bytes], *, shelf: ReleaseShelf
    ) -> int:
        """Put released files where everybody may see them; returns how many."""
        packed = {file.path: file for file in manifest.files}
        _, events = follow_entries(Followed(), entries[: manifest.log_size])
        count = 0
        for event in events_of(events, OutputReleased):
            paths = {name: f"releases/{event.request}/{name}" for name in released_files(event)}
            files = {
                name: self._read(packed[path]) for name, path in paths.items() if path in packed
            }
            if files:
                shelf.put(event.request, files)
            count += len(files)
        return count

    def _opened(self, file: PackedFile, *, origin: str) -> list[Document]:
        opened = open_at_host(
            iter([self._read(file)]),
            token=self._token,
            name=ObjectId(file.path.removeprefix("records/")),
            origin=origin,
        )
        return [_read_record(line) for line in b"".join(opened).splitlines()]

    def _read(self, file: PackedFile) -> bytes:
        """Read a file again; it may have changed since the whole package was compared."""
        body = b"".join(self._package.read(file.path))
        if hashlib.sha256(body).hexdigest() != file.sha256:
            raise NotGenuine(f"The package changed while it was read: {file.path}.")
        return body

    def _permits(self) -> Iterator[bytes]:
        listed = parse_canonical(b"".join(self._package.read("permits.json")), limit_bytes=1 << 30)
        for text in listed if isinstance(listed, list) else ():
            yield base64.b64decode(str(text))


def read_package(package: PackageReader, *, beside: str = "") -> DepartureManifest:
    """Read what was packed, and make sure that all of it is here and nothing else.

    beside: a file that stands beside the manifest because it speaks of it.

    Raises:
        NotGenuine: files are missing, changed or added; they are named.
        InvalidInput: the manifest is none, or the package holds a link.
    """
    manifest = parse_manifest(_document(package))
    assets = {file.path: file.asset for file in manifest.files}
    found = [
        PackedFile(file.path, assets.get(file.path, AssetClass.JOBS), file.sha256, file.size_bytes)
        for file in package.measure()
        if file.path not in (MANIFEST, beside)
    ]
    check_equal(manifest, found)
    return manifest


def package_digest(package: PackageReader) -> str:
    """The SHA-256 of a package's manifest, which the log has too."""
    return hashlib.sha256(_document(package)).hexdigest()


def check_log(
    package: PackageReader, manifest: DepartureManifest, entries: list[bytes], *, ours: bytes
) -> list[Event]:
    """Make sure that a log is this hub's, as it left, handed over to this host.

    entries: all of them, from somewhere else than the package.
    ours: this host's log key.

    Returns what stands behind the handover: nothing, or that this departure arrived.

    Raises:
        NotGenuine: another head when it left, other entries in the package,
            another departure, or another host.
        Refused: the hub arrived and went on since.
    """
    size = manifest.log_size
    followed, _ = follow_entries(Followed(), entries[:size])
    if (followed.size, followed.head.root.hex()) != (size, manifest.log_root):
        raise NotGenuine("The log had another head when the hub left than its package says.")
    _check_bundles(manifest, entries[:size])
    _, events = follow_entries(followed, entries[size:])
    departed, handover = (*events[:2], None, None)[:2]
    digest = package_digest(package)
    # The entry right behind the packed log: after it nothing can have been left out.
    if not isinstance(departed, Departed) or departed.manifest_sha256 != digest:
        raise NotGenuine("The log does not say that a hub left with this package.")
    if handover is None or not is_handover(handover) or handover.log_key != ours.hex():
        raise NotGenuine(
            "The log was not handed over to this host.",
            hint="The controller must name this host's key: `havre depart --for`.",
        )
    after = events[2:]
    if len(after) > 1 or not all(isinstance(each, Arrived) for each in after):
        raise Refused(
            f"This departure has arrived, and the log went on for {len(after)} entries since.",
            hint="Go to the hub that arrived; a package is opened once.",
        )
    return after


def check_people(package: PackageReader, roots: TrustRoots) -> None:
    """Make sure that trust roots and identities in the package are those that we have from elsewhere.

    Raises:
        NotGenuine: they are not.
    """
    for path, wanted in (
        ("trust.json", encode_trust_roots(roots)),
        ("identities.json", encode_identities(roots)),
    ):
        if b"".join(package.read(path)) != wanted:
            raise NotGenuine(f"The package has another {path} than the custodians' roots lead to.")


def _check_bundles(manifest: DepartureManifest, entries: list[bytes]) -> None:
    """The package's own copy of the log, entry by entry."""
    packed = {file.path: file.sha256 for file in manifest.of_class(AssetClass.LOG)}
    for bundle in bundles_between(0, len(entries)):
        start = bundle.index * TILE_WIDTH
        body = encode_bundle(entries[start : start + bundle.width])
        if packed.get(f"log/{bundle.path}") != hashlib.sha256(body).hexdigest():
            raise NotGenuine("The package holds other entries of the log than a custodian's copy.")


def _document(package: PackageReader) -> bytes:
    try:
        return b"".join(package.read(MANIFEST))
    except NotFound:
        raise InvalidInput("This folder is no departure: it has no manifest.") from None


def _object_of(file: PackedFile) -> ObjectId:
    return parse_object_id(file.path.removeprefix("objects/"))


def _read_record(line: bytes) -> Document:
    body = _fields(line)
    return Document(str(body["kind"]), str(body["name"]), base64.b64decode(str(body["body"])))


def _read_waiting(document: Document) -> tuple[bytes, ObjectId]:
    body = _fields(document.body)
    return base64.b64decode(str(body["note"])), parse_object_id(str(body["place"]))


def _fields(document: bytes) -> Mapping[str, Json]:
    body = parse_canonical(document, limit_bytes=_MOST_LINE_BYTES)
    if not isinstance(body, dict):
        raise InvalidInput("A line of the packed records cannot be read.")
    return body

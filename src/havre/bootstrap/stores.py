"""The stores that a hub's `havre.toml` names, each read strictly and opened when it is needed.

A hub that names none keeps the one directory `store` beside its file. An access key
never stands in `havre.toml`: it comes from the environment or from a private file.

A store may be away: a disk that is not mounted, a host that is down, a key that was
not given. The others serve meanwhile, so that is no fault of the hub's wiring: it is a
store that does not answer, and it is named.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from havre.adapters.objects.local import LocalObjects
from havre.errors import HavreError, InvalidInput, NotFound, Refused, Unavailable
from havre.ports.objects import ObjectStore, StoredObject
from havre.values import ObjectId

if TYPE_CHECKING:
    from havre.adapters.objects.replicated import ReplicatedObjects
    from havre.adapters.objects.s3 import AccessKey, S3Objects
    from havre.bootstrap.place import HubPlace

# The name of the one store of a hub whose file names none.
ONLY = "store"
_NAME = re.compile("[a-z][a-z0-9-]{0,39}")
_LOCAL = {"name", "host", "path"}
_S3 = {"name", "host", "url", "endpoint", "region", "keys"}
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class StorePlace:
    """One store, as the hub's file names it.

    host: the name of the fact sheet of whoever has the machine; empty when none is named.
    path: its directory; or null, and it is a bucket.
    """

    name: str
    host: str
    path: Path | None = None
    endpoint: str = ""
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    keys: Path | None = None

    @property
    def where(self) -> str:
        """What to show a person of its place."""
        return str(self.path) if self.path else f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class StoreRules:
    """All stores of a hub.

    needed: how many of them must have an object before it counts as written.
    """

    places: tuple[StorePlace, ...] = ()
    needed: int = 0


def read_stores(body: dict[str, Any], *, folder: Path) -> StoreRules:
    """Read `[[stores]]` and `[replicas]` of a hub's file.

    Raises:
        InvalidInput: a field is unknown, missing or misspelled; two stores are one.
    """
    told = body.get("stores", [])
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        raise InvalidInput("The stores of havre.toml are not written as [[stores]].")
    places = tuple(_read_store(each, folder=folder) for each in told)
    if len({each.name for each in places}) != len(places):
        raise InvalidInput("Two stores of havre.toml have one name.")
    spots = {(each.endpoint, each.bucket, each.prefix, each.path) for each in places}
    if len(spots) != len(places):
        raise InvalidInput("Two stores of havre.toml are in one place: that is one copy, not two.")
    replicas = body.get("replicas", {"needed": len(places)})
    needed = replicas.get("needed") if isinstance(replicas, dict) and len(replicas) == 1 else None
    if type(needed) is not int or not min(1, len(places)) <= needed <= len(places):
        raise InvalidInput(
            "The section replicas of havre.toml has another spelling than it should.",
            hint="Write needed = 2 or the like, between one and the number of stores.",
        )
    return StoreRules(places, needed)


def list_hosts(place: HubPlace) -> tuple[tuple[str, str], ...]:
    """Each store's name, and the name of its host's fact sheet, or nothing where none is named."""
    return tuple((each.name, each.host) for each in store_places(place))


def store_places(place: HubPlace) -> tuple[StorePlace, ...]:
    """Every store of a hub, the only one too."""
    return place.stores.places or (StorePlace(ONLY, "", path=place.store),)


def open_objects(place: HubPlace) -> ObjectStore:
    """Open what a hub keeps its objects in, as one store."""
    return open_replicas(place) if place.stores.places else LocalObjects(place.store)


def open_replicas(place: HubPlace) -> ReplicatedObjects:
    """Open every store of a hub as replicas of each other."""
    from havre.adapters.objects.replicated import Replica, ReplicatedObjects

    outgoing = _private_folder(place, "outgoing")
    if not place.stores.places:
        only = [Replica(ONLY, LocalObjects(place.store))]
        return ReplicatedObjects(only, needed=1, outgoing=outgoing, warn=_warn)
    replicas = [Replica(each.name, open_store(place, each)) for each in place.stores.places]
    return ReplicatedObjects(replicas, needed=place.stores.needed, outgoing=outgoing, warn=_warn)


def open_store(place: HubPlace, store: StorePlace) -> ObjectStore:
    """Open one store; that it is away shows when it is asked."""
    if store.path is not None:
        path = store.path
        return ReachedStore(lambda: _open_directory(path))
    return ReachedStore(lambda: _open_bucket(place, store))


def prepare_store(place: HubPlace, store: StorePlace) -> None:
    """Make an empty store ready to be written; one that is ready stays as it is.

    Raises:
        Refused: its host does not honour conditional writes.
        Unavailable: it does not answer.
    """
    if store.path is not None:
        LocalObjects(store.path)
    else:
        _open_bucket(place, store).prepare()


class ReachedStore:
    """`ports.objects.ObjectStore`, opened at its first use."""

    def __init__(self, open_store: Callable[[], ObjectStore]) -> None:
        """Speak for the store that `open_store` opens; asked again until it succeeds."""
        self._open_store = open_store
        self._opened: ObjectStore | None = None

    def put(self, object_id: ObjectId, chunks: Iterable[bytes]) -> StoredObject:
        """Write."""
        return self._reached().put(object_id, chunks)

    def open(
        self, object_id: ObjectId, *, sha256: str | None = None
    ) -> AbstractContextManager[BinaryIO]:
        """Open for reading and seeking."""
        return self._reached().open(object_id, sha256=sha256)

    def get(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[bytes]:
        """Read in pieces."""
        return self._reached().get(object_id, sha256=sha256)

    def as_file(
        self, object_id: ObjectId, *, sha256: str | None = None
    ) -> AbstractContextManager[str]:
        """Lend a path."""
        return self._reached().as_file(object_id, sha256=sha256)

    def batch(self) -> AbstractContextManager[None]:
        """Open a batch."""
        return self._reached().batch()

    def take_debts(self) -> Mapping[str, AbstractSet[ObjectId]]:
        """Say what replicas lack."""
        return self._reached().take_debts()

    def list_objects(self) -> Iterator[ObjectId]:
        """List."""
        return self._reached().list_objects()

    def delete(self, object_id: ObjectId) -> None:
        """Remove."""
        self._reached().delete(object_id)

    def sweep(self, live: AbstractSet[ObjectId], *, older_than: datetime) -> tuple[ObjectId, ...]:
        """Sweep."""
        return self._reached().sweep(live, older_than=older_than)

    def _reached(self) -> ObjectStore:
        if self._opened is None:
            try:
                self._opened = self._open_store()
            except HavreError as fault:
                raise Unavailable(fault.message, hint=fault.hint) from None
        return self._opened


def _open_directory(path: Path) -> LocalObjects:
    # A directory that is made at once would take an unmounted disk for an empty store.
    if not (path / "objects").is_dir():
        raise Unavailable(
            "A store's directory is not there, or was never prepared.",
            hint="Mount its disk; for a new one run `havre store prepare`.",
        )
    return LocalObjects(path)


def _open_bucket(place: HubPlace, store: StorePlace) -> S3Objects:
    from havre.adapters.objects.s3 import Bucket, S3Objects

    bucket = Bucket(store.endpoint, store.bucket, store.prefix, store.region)
    copies = _private_folder(place, "copies")
    return S3Objects(bucket, key=_access_key(store), copies=copies)


def _access_key(store: StorePlace) -> AccessKey:
    """The access key of one store: from the environment, or else from its private file.

    Raises:
        NotFound: there is none.
        Refused: others can read the file.
        InvalidInput: the file is no key.
    """
    from havre.adapters.objects.s3 import AccessKey

    stem = f"HAVRE_STORE_{store.name.upper().replace('-', '_')}"
    key_id, secret = (os.environ.get(f"{stem}_{part}", "") for part in ("KEY_ID", "SECRET"))
    if key_id and secret:
        return AccessKey(key_id, secret)
    if store.keys is None:
        raise NotFound(
            f"There is no access key for store {store.name}.",
            hint=f"Set {stem}_KEY_ID and {stem}_SECRET, or name a private file as its keys.",
        )
    return AccessKey(*_read_keys(store.keys))


def _read_keys(path: Path) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise Refused(
                    f"Others can read the access key in {path.name}.",
                    hint=f"Close it: chmod 600 {path.name}. If it was open for long, renew it.",
                )
            told = tomllib.load(file)
    except OSError:
        raise NotFound(f"The file of an access key is missing: {path.name}.") from None
    except ValueError:
        told = {}
    key_id, secret = told.get("key_id"), told.get("secret")
    if set(told) != {"key_id", "secret"} or not all(
        isinstance(each, str) and each for each in (key_id, secret)
    ):
        raise InvalidInput(f'{path.name} is no access key: write key_id = "…" and secret = "…".')
    return str(key_id), str(secret)


def _read_store(told: dict[str, Any], *, folder: Path) -> StorePlace:
    told = {"host": "", **told}
    allowed = _S3 if "url" in told else _LOCAL
    if unknown := sorted(set(told) - allowed):
        raise InvalidInput(
            f"A store of havre.toml has fields that it should not have: {', '.join(unknown)}.",
            hint="A directory has a path; a bucket an url, an endpoint, a region and a file of keys.",
        )
    if not all(isinstance(each, str) for each in told.values()):
        raise InvalidInput("A field of a store of havre.toml is no text.")
    for field in ("name", "host"):
        if not _NAME.fullmatch(told.get(field, "")) and (field == "name" or told["host"]):
            raise InvalidInput(
                f"A store's {field} in havre.toml is misspelled.",
                hint="Small letters, digits and hyphens, at most 40.",
            )
    if "url" in told:
        return _read_bucket(told, folder=folder)
    if not told.get("path"):
        raise InvalidInput(f"Store {told['name']} of havre.toml has neither a path nor an url.")
    return StorePlace(told["name"], told["host"], path=folder / told["path"])


def _read_bucket(told: dict[str, str], *, folder: Path) -> StorePlace:
    url, endpoint = urlsplit(told["url"]), urlsplit(told.get("endpoint", ""))
    if url.scheme != "s3" or not url.netloc or url.query or url.username:
        raise InvalidInput(
            f"The url of store {told['name']} is misspelled.", hint="Write s3://bucket/prefix."
        )
    # Ciphertext and signed requests may be seen by anybody; what is listed and when need not.
    is_here = endpoint.hostname in _THIS_MACHINE
    if endpoint.scheme != "https" and not (endpoint.scheme == "http" and is_here):
        raise InvalidInput(
            f"The endpoint of store {told['name']} is no https address.",
            hint='Write endpoint = "https://…".',
        )
    return StorePlace(
        told["name"],
        told["host"],
        endpoint=told["endpoint"],
        bucket=url.netloc,
        prefix=url.path.strip("/"),
        region=told.get("region", "us-east-1"),
        keys=folder / told["keys"] if "keys" in told else None,
    )


def _private_folder(place: HubPlace, name: str) -> Path:
    folder = place.private / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _warn(sentence: str) -> None:
    logging.getLogger("havre.stores").warning("havre: WARNING. %s", sentence)

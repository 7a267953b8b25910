"""The stores that a hub's `havre.toml` names, each opened when it is needed.

A hub that names none keeps the one directory `store` beside its file. An access key
never stands in `havre.toml`: it comes from the environment or from a private file.

A store may be away: a disk that is not mounted, a host that is down, a key that was
not given. The others serve meanwhile, so that is no fault of the hub's wiring: it is a
store that does not answer, and it is named.
"""

from __future__ import annotations

import logging
import os
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from havre.adapters.objects.local import LocalObjects
from havre.bootstrap.place import HubPlace
from havre.bootstrap.store_places import StorePlace
from havre.errors import HavreError, InvalidInput, NotFound, Refused, Unavailable
from havre.ports.objects import ObjectStore, StoredObject
from havre.values import ObjectId

if TYPE_CHECKING:
    from havre.adapters.objects.replicated import ReplicatedObjects
    from havre.adapters.objects.s3 import AccessKey, S3Objects

# The name of the one store of a hub whose file names none.
ONLY = "store"


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


def _private_folder(place: HubPlace, name: str) -> Path:
    folder = place.private / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _warn(sentence: str) -> None:
    logging.getLogger("havre.stores").warning("havre: WARNING. %s", sentence)

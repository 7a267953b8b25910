"""Going on after a host was lost: records from a backup, the log from a mirror, objects from a replica.

The controller signs that this host's key goes on with the log, behind everything
that any mirror has: nothing is taken back. What the log names and nobody has any
more is named, by asset class; it is for people to say whether that can be borne.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from havre.application.arrive import Arrival, package_digest, read_package
from havre.application.audit import PublicLog
from havre.application.depart import BACKUP, holdings_of
from havre.application.journal import Journal
from havre.application.permits import KIND_PERMIT
from havre.crypto.random import new_object_id
from havre.domain.assets import Named, find_lacking, list_named
from havre.domain.backup import Backup, check_backup
from havre.domain.departure import AssetClass, PackedFile
from havre.domain.drill_receipt import KIND_RECEIPT
from havre.domain.events import Event, Recovery
from havre.domain.handover import recovery_statement
from havre.domain.statements import sign_statement
from havre.domain.trust import Role, TrustRoots
from havre.errors import Refused
from havre.ports.clock import Clock
from havre.ports.objects import ObjectStore
from havre.ports.outputs import ReleaseShelf
from havre.ports.package import PackageReader
from havre.ports.records import Document, Records
from havre.ports.tokens import Token
from havre.values import Digest

# Records whose name is their own hash, and which the public site shows.
_PUBLIC_KINDS = (KIND_PERMIT, KIND_RECEIPT)
_MENDED_KINDS = ("manifest", *_PUBLIC_KINDS)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What there is again, and what is gone.

    index: of the recovery on the log.
    log_size: entries that the mirror had; backup_size: those that the backup knew.
    named, gone: by asset class, how many things the log names, and how many of them
        nobody has any more; `gone_names` are those.
    """

    index: int
    log_size: int
    backup_size: int
    objects: int
    released: int
    named: dict[str, int]
    gone: dict[str, int]
    gone_names: tuple[str, ...]


def open_backup(package: PackageReader, *, entries: Sequence[bytes], roots: TrustRoots) -> Backup:
    """Read a backup and make sure that it is whole and the hub's own.

    Raises:
        NotGenuine: altered, of another past, or signed by somebody else.
        InvalidInput, NotFound: it is none.
    """
    manifest = read_package(package, beside=BACKUP)
    return check_backup(
        b"".join(package.read(BACKUP)),
        manifest=manifest,
        digest=package_digest(package),
        entries=entries,
        roots=roots,
    )


def take_records(
    arrival: Arrival, backup: Backup, *, entries: list[bytes], shelf: ReleaseShelf
) -> int:
    """Open the sealed records with this host's key, and put out again what was released.

    Returns how many released files there are.
    """
    arrival.take_records(backup.manifest)
    return arrival.take_releases(backup.manifest, entries, shelf=shelf)


def go_on(
    journal: Journal,
    *,
    controller: Token,
    ours: Token,
    backup_sha256: str,
    roots: TrustRoots,
    clock: Clock,
) -> int:
    """Put the controller's recovery on the log, under this host's key.

    Returns its index.

    Raises:
        Refused: somebody else than the controller signs, or this host goes on already.
        NotGenuine: a mirror or witnesses have more of the log than is here.
        Unavailable: too few witnesses, or no mirror.
    """
    if roots.party_of(controller.public).role is not Role.CONTROLLER:
        raise Refused(
            "Only the controller says that a host was lost.",
            hint="Name the controller's directory with --party.",
        )

    def recovery(size: int) -> Event:
        statement = recovery_statement(
            ours.public, index=size, origin=roots.origin, backup_sha256=backup_sha256
        )
        signed = sign_statement(statement, [controller])
        return Recovery(
            event_id=new_object_id(),
            at=clock.now(),
            log_key=ours.public.hex(),
            statement=base64.b64encode(signed).decode(),
            backup_sha256=backup_sha256,
        )

    return journal.recover(recovery)


def take_stock(
    backup: Backup,
    *,
    objects: ObjectStore,
    records: Records,
    log: PublicLog,
    released: int,
    index: int,
    public: Iterable[bytes] = (),
) -> Recovered:
    """Look for everything that the log named when the host was lost.

    Every object is hashed: of a store that was a replica nothing is believed. With the
    hashes it is known again where each sealed manifest lies; what was public, such as
    a signed permit, is taken from whoever kept a copy of the site. So less is gone
    than what came after the backup.

    public: files that somebody kept of the public site.
    """
    events = [logged.event for logged in log.entries()[:index]]
    named = list_named(events)
    hashed = list(_hash_all(objects))
    _mend(named, hashed=hashed, public=public, records=records)
    files = [*backup.manifest.files, *hashed]
    permits = [document.body for document in records.list_documents(KIND_PERMIT)]
    gone = find_lacking(named, holdings_of(files, records, log=log, permits=permits))
    return Recovered(
        index=index,
        log_size=index,
        backup_size=backup.log_size,
        objects=sum(file.asset is AssetClass.OBJECTS for file in files),
        released=released,
        named=dict(Counter(each.asset.value for each in named)),
        gone=_by_class(named, gone),
        gone_names=gone,
    )


def _mend(
    named: Iterable[Named],
    *,
    hashed: Iterable[PackedFile],
    public: Iterable[bytes],
    records: Records,
) -> None:
    """Write anew the records that can be worked out: each is one that the log names by its hash."""
    object_at = {str(file.sha256): file.path.removeprefix("objects/") for file in hashed}
    public_at = {hashlib.sha256(body).hexdigest(): body for body in public}
    mended = []
    for each in named:
        _, _, rest = each.place.partition("documents/")
        kind, _, name = rest.partition("/")
        if kind == "manifest" and name in object_at:
            mended.append(Document(kind, name, object_at[name].encode()))
        elif kind in _PUBLIC_KINDS and name in public_at:
            mended.append(Document(kind, name, public_at[name]))
    there = {kind: {each.name for each in records.list_documents(kind)} for kind in _MENDED_KINDS}
    records.commit([], [each for each in mended if each.name not in there[each.kind]])


def _hash_all(objects: ObjectStore) -> Iterator[PackedFile]:
    for object_id in objects.list_objects():
        digest, size = hashlib.sha256(), 0
        for piece in objects.get(object_id):
            digest.update(piece)
            size += len(piece)
        path = f"objects/{object_id}"
        yield PackedFile(path, AssetClass.OBJECTS, Digest(digest.hexdigest()), size)


def _by_class(named: Iterable[Named], gone: Sequence[str]) -> dict[str, int]:
    names = set(gone)
    return dict(
        Counter(
            each.asset.value
            for each in named
            if each.place in names or f"manifest {each.sha256}" in names
        )
    )

"""Trying to read what was erased, with everything that is left.

That custodians attest an erasure is their word. What can be tried is whether
anything that the remaining parties hold still opens an object: every sealed
object of every copy of the store, under every key that can be had. An attempt
that opens nothing proves nothing about what somebody hides; one that opens
something proves that the erasure failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Protocol

from havre.application.ceremony import KnownPartition
from havre.application.vault.keys import public_digest_of
from havre.crypto.sealing import PartitionKey, open_stream
from havre.crypto.shares import combine_shares
from havre.errors import HavreError, InvalidInput
from havre.formats.envelope import split_header
from havre.formats.manifest import Manifest, ObjectKind, key_context, parse_manifest
from havre.formats.padding import unpad_stream
from havre.ports.seizure import SeizedFile, Seizure
from havre.values import ObjectId, parse_object_id


class Opener(Protocol):
    """Whatever opens sealed keys: a token, a key that was found."""

    def open_key(self, sealed: bytes, *, info: bytes) -> bytes:
        """Open what was sealed to it under the same `info`."""


@dataclass(slots=True)
class Attempts:
    """What was tried, and what came of it.

    files, objects: read, and of those sealed objects that have their key in front.
    keys, tries: keys that were at hand, and how often one was tried.
    shares: of the erased partitions, how many shares were found in all.
    seeds: how many erased partitions have enough shares left to open.
    opened: place and name of every object that opened.
    """

    files: int = 0
    objects: int = 0
    keys: int = 0
    tries: int = 0
    shares: int = 0
    seeds: int = 0
    opened: list[str] = field(default_factory=list)


def combine_what_is_left(
    partition: KnownPartition, words: Iterable[str], *, threshold: int
) -> PartitionKey | None:
    """Make a partition's key from shares that were found, or null; otherwise as `seed_that_is_left`."""
    seed = seed_that_is_left(partition, words, threshold=threshold)
    return None if seed is None else PartitionKey.from_seed(seed)


def seed_that_is_left(
    partition: KnownPartition, words: Iterable[str], *, threshold: int
) -> bytes | None:
    """Make a partition's seed from shares that were found, or null when they do not make it.

    words: of any number of shares, also of other ceremonies.
    """
    for chosen in combinations(sorted(set(words)), threshold):
        try:
            seed = combine_shares(chosen)
        except HavreError:
            continue
        if public_digest_of(seed) == partition.public_sha256:
            return seed
    return None


def try_to_open(
    seizure: Seizure,
    partitions: Sequence[KnownPartition],
    *,
    openers: Sequence[Opener],
    origin: str,
) -> Attempts:
    """Try every key on every sealed object, as an object of each of the partitions.

    seizure: every copy of the store: the store, its replicas, its backups.
    openers: every key that the remaining parties hold.
    """
    attempts = Attempts(keys=len(openers))
    for file in seizure.list_files():
        attempts.files += 1
        try:
            object_id = parse_object_id(file.name.rpartition("/")[2])
            sealed, rest = split_header(seizure.read(file))
        except InvalidInput:
            # A table file has its key in a manifest, which is such an object.
            continue
        attempts.objects += 1
        attempt = _Attempt(attempts, object_id, file, openers=openers, origin=origin)
        for partition in partitions:
            attempt.try_object(sealed, rest, partition)
    return attempts


@dataclass(slots=True)
class _Attempt:
    """One object, under the name by which it is shown."""

    told: Attempts
    object_id: ObjectId
    file: SeizedFile
    openers: Sequence[Opener]
    origin: str

    def try_object(self, sealed: bytes, rest: Iterator[bytes], partition: KnownPartition) -> None:
        for kind in ObjectKind:
            key = self._try(sealed, self.object_id, kind, partition)
            if key is None:
                continue
            self.told.opened.append(f"{self.file.place}/{self.file.name}")
            if kind is ObjectKind.MANIFEST:
                opened = open_stream(rest, key=key, object_id=self.object_id)
                content = b"".join(unpad_stream(opened))
                self._try_listed(
                    parse_manifest(content, origin=self.origin, partition=partition.partition),
                    partition,
                )

    def _try_listed(self, manifest: Manifest, partition: KnownPartition) -> None:
        """A manifest that opens gives the keys of its table files away."""
        for entry in manifest.entries:
            if self._try(entry.sealed_key, entry.object_id, entry.kind, partition) is not None:
                self.told.opened.append(f"{self.file.place}/{entry.object_id}")

    def _try(
        self, sealed: bytes, object_id: ObjectId, kind: ObjectKind, partition: KnownPartition
    ) -> bytes | None:
        context = key_context(
            object_id, origin=self.origin, kind=kind, partition=partition.partition
        )
        for opener in self.openers:
            self.told.tries += 1
            try:
                return opener.open_key(sealed, info=context)
            except HavreError:
                continue
        return None

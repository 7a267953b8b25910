"""Trying to read what was erased, wired: every copy of the store, and every party's directory.

For a hub whose parties' directories are at hand. Where custodians stand on machines
of their own, each tries on its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from havre.adapters.custody.epochs import open_epoch_copy
from havre.adapters.custody.shares import read_share_file
from havre.adapters.seizure.folders import SeizedFolders
from havre.application.ceremony import KnownPartition
from havre.application.vault.attempts import (
    Attempts,
    Opener,
    combine_what_is_left,
    seed_that_is_left,
    try_to_open,
)
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.parties import directories
from havre.bootstrap.tokens import PartyToken, open_token
from havre.crypto.sealing import PartitionKey
from havre.errors import HavreError, NotFound
from havre.values import parse_object_id


def try_erased(
    hub: OpenHub, partitions: Sequence[KnownPartition], *, also: Sequence[Path] = ()
) -> Attempts:
    """Try to read partitions with everything that the hub and the parties beside it hold.

    also: more copies: replicas and backups of the store, of the hub, of parties' directories.

    Raises:
        NotFound: a copy is not there.
    """
    for folder in also:
        if not folder.is_dir():
            raise NotFound(f"There is no folder {folder.name} to try.")
    others = (*hub.place.custodians, hub.place.escrow, *hub.place.witnesses)
    parties = [hub.place.folder, *directories(others)]
    left = _Left()
    for folder in (*parties, *also):
        left.take_tokens(folder)
    for folder in (*parties, *also):
        left.take_shares(folder)
    keys: list[Opener] = [*left.tokens, *left.epochs]
    seeds = [_combined(hub, each, left) for each in partitions]
    keys += [each for each in seeds if each is not None]
    places = {"store": hub.place.store} | {f"also-{n}": path for n, path in enumerate(also, 1)}
    attempts = try_to_open(SeizedFolders(places), partitions, openers=keys, origin=hub.roots.origin)
    attempts.shares = sum(len(left.words.get(each.partition_id, ())) for each in partitions)
    attempts.seeds = sum(each is not None for each in seeds)
    return attempts


def seeds_left(
    hub: OpenHub, partitions: Sequence[KnownPartition], *, folders: Sequence[Path]
) -> dict[str, bytes]:
    """Make the seeds that parties' directories still give, by opaque id: for looking for them."""
    left = _Left()
    for folder in folders:
        left.take_tokens(folder)
    for folder in folders:
        left.take_shares(folder)
    seeds = {
        each.partition_id: seed_that_is_left(
            each, left.words.get(each.partition_id, ()), threshold=hub.roots.custodian_threshold
        )
        for each in partitions
    }
    return {name: seed for name, seed in seeds.items() if seed is not None}


@dataclass(slots=True)
class _Left:
    """What parties' directories and copies of them still give.

    words: opaque partition id to the words of every share that opens.
    """

    tokens: list[PartyToken] = field(default_factory=list)
    epochs: list[PartitionKey] = field(default_factory=list)
    words: dict[str, set[str]] = field(default_factory=dict)

    def take_tokens(self, folder: Path) -> None:
        """Take every party's keys in a folder and below it."""
        for path in sorted(folder.rglob("party.toml")):
            try:
                token = open_token(path.parent)
                token.seal_public  # noqa: B018 - a token whose passphrase is away opens nothing
            except HavreError:
                continue
            self.tokens.append(token)

    def take_shares(self, folder: Path) -> None:
        """Open every epoch of every share store that any of the tokens still opens."""
        for epoch in _epoch_folders(folder):
            for token in self.tokens:
                try:
                    key = open_epoch_copy(epoch, keys=token)
                except HavreError:
                    continue
                self.epochs.append(key)
                self._take(epoch, key)
                break

    def _take(self, epoch: Path, key: PartitionKey) -> None:
        for path in sorted(epoch.iterdir()):
            try:
                # The share of a ceremony that waits has more in its name.
                partition = parse_object_id(path.name.partition(".")[0])
                share = read_share_file(path.read_bytes(), partition, key=key)
            except HavreError:
                continue
            self.words.setdefault(partition, set()).add(str(share["words"]))


def _epoch_folders(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("epochs")):
        if path.is_dir():
            yield from (each for each in sorted(path.iterdir()) if each.is_dir())


def _combined(hub: OpenHub, known: KnownPartition, left: _Left) -> PartitionKey | None:
    return combine_what_is_left(
        known,
        left.words.get(known.partition_id, ()),
        threshold=hub.roots.custodian_threshold,
    )


def attempt_row(attempts: Attempts) -> dict[str, object]:
    """What a command shows of an attempt; objects by their opaque names."""
    return {
        "files": attempts.files,
        "sealed_objects": attempts.objects,
        "keys_at_hand": attempts.keys,
        "tries": attempts.tries,
        "shares_left": attempts.shares,
        "partitions_that_can_be_opened": attempts.seeds,
        "opened": sorted(attempts.opened),
    }

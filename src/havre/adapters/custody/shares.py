"""A custodian's shares at rest: each under a key of its own, all under the epoch key.

The epoch key is held outside the store, by the custodian's token or on paper:
destroying it destroys every share under it, in every copy of the store. That is
how shares are erased: the others go on under a new epoch key.

Source: `docs/protocols.md`, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from havre.adapters.custody.epochs import Epochs, EpochTurn
from havre.adapters.custody.files import sync_folder, write_all_durably
from havre.crypto.commitments import SALT_BYTES, commit_to
from havre.crypto.sealing import FileKey, PartitionKey, open_stream, seal_key, seal_stream
from havre.domain.custody import ReleaseRefused
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.ports.custody import SHARE_LABEL
from havre.ports.tokens import EpochKeys
from havre.values import Partition, parse_object_id, parse_partition

# Beside the shares an epoch has its key and its history, whose names are shorter.
_ID_CHARACTERS = 32
_SALT = re.compile(rf"[0-9a-f]{{{2 * SALT_BYTES}}}")
# What is added to the name of a share's file: nothing in its place, something while it waits
# for the log to say that it counts. More than one waits when a ceremony that cannot come to
# its end, because a new holder was lost, is followed by another.
_PLACES = ("", ".next", ".next2", ".next3")
_FIELDS = ("salt", "text", "words")


class ShareStore:
    """One custodian's shares, in a folder. Its caller keeps other processes out."""

    def __init__(self, folder: Path, *, keys: EpochKeys, custodian: str) -> None:
        self._epochs = Epochs(folder / "epochs", keys=keys)
        self._custodian = custodian

    def keep(self, bundle: Json) -> list[str]:
        """Store a ceremony's shares, all of them or none.

        bundle: one object per share, with `id`, `salt`, `text` and `words`.

        Returns the opaque ids of their partitions, in order. What is stored
        already is left as it is: a ceremony that was cut short can be gone on with.

        Raises:
            Refused: a share of one of the partitions is held, and it is another.
            InvalidInput: the bundle is none.
        """
        shares = _parse_bundle(bundle)
        epoch = self._epochs.begin()
        held = [name for name in shares if (epoch.folder / name).exists()]
        # A living partition's share that is overwritten is lost for ever, and with
        # n - k + 1 of them everything that was sealed to it.
        if taken := [name for name in held if self.open(name) != shares[name]]:
            raise Refused(
                f"Custodian {self._custodian} holds another share of {len(taken)} of these"
                " partitions already.",
                hint="Make new partitions: a ceremony never replaces what is in use.",
            )
        fresh = {name: share for name, share in shares.items() if name not in held}
        write_all_durably(
            epoch.folder,
            {name: _locked(name, share, to=epoch.key) for name, share in fresh.items()},
        )
        return list(shares)

    def keep_waiting(
        self, bundle: Json, *, counting: Mapping[str, Collection[str]]
    ) -> dict[str, str]:
        """Store the shares of a re-sharing beside those that count; `find` tells which does.

        counting: by opaque id, the commitments that the log has or had: what they are of
            stays. What else waited, of a ceremony that was cut short, is replaced.

        Returns the commitments of what was stored, by opaque id.

        Raises:
            NotGenuine: a share that is here says that its partition is something else.
            Refused: there is no room beside those that are needed still.
            InvalidInput: the bundle is none.
        """
        shares = _parse_bundle(bundle)
        epoch = self._epochs.begin()
        names = {name: self._room(name, share, counting) for name, share in shares.items()}
        write_all_durably(
            epoch.folder,
            {names[name]: _locked(name, share, to=epoch.key) for name, share in shares.items()},
        )
        return {name: _commitment_of(share) for name, share in shares.items()}

    def _room(
        self, partition: str, share: dict[str, Json], counting: Mapping[str, Collection[str]]
    ) -> str:
        """Find the name of a file for a share that waits."""
        there = self._all(partition)
        # What a partition is decides on which ground it is opened. Who could say it anew
        # would have a share of the lake opened as one of some project.
        if any(each["text"] != share["text"] for each in there.values()):
            raise NotGenuine(
                "A new share says of a partition something else than the one that custodian"
                f" {self._custodian} holds."
            )
        needed = counting.get(partition, ())
        for place in _PLACES[1:]:
            name = f"{partition}{place}"
            if name not in there or _commitment_of(there[name]) not in needed:
                return name
        raise Refused(
            f"Custodian {self._custodian} holds the shares of too many ceremonies of a partition.",
            hint="Bring one of them to its end first: `havre keys reshare --open`.",
        )

    def find(self, partition: str, commitment: str) -> dict[str, Json]:
        """Open the share that the log's commitment names, of those that are here.

        Raises:
            ReleaseRefused: there is none, or only others.
        """
        for share in self._all(partition).values():
            if _commitment_of(share) == commitment:
                return share
        raise ReleaseRefused(
            f"Custodian {self._custodian} does not hold the share of a partition that the log names."
        )

    def settle(self, counting: Mapping[str, str]) -> None:
        """Let shares that waited take their place, where no older one stands in it.

        counting: the commitments of those that count now, by opaque id.
        """
        epoch = self._epochs.begin()
        moved = False
        for partition, commitment in counting.items():
            there = self._all(partition)
            waits = [name for name, each in there.items() if _commitment_of(each) == commitment]
            if waits and partition not in there:
                (epoch.folder / waits[0]).rename(epoch.folder / partition)
                moved = True
        if moved:
            sync_folder(epoch.folder)

    def open(self, partition: str) -> dict[str, Json]:
        """Open one share: `salt`, `text` and `words`; one that waits only if there is no other.

        Raises:
            ReleaseRefused: there is none.
            NotGenuine: what lies there was altered.
        """
        for share in self._all(partition).values():
            return share
        raise ReleaseRefused(f"Custodian {self._custodian} has no share of a partition.")

    def held(self) -> set[str]:
        """Tell of which partitions a share is held, by opaque id; nothing is opened."""
        epoch = self._epochs.current()
        names = (path.name for path in epoch.folder.iterdir()) if epoch else ()
        bare = (name.partition(".")[0] for name in names)
        return {name for name in bare if len(name) == _ID_CHARACTERS}

    def partition(self, name: str) -> Partition:
        """Tell what the partition of this opaque id is.

        Raises:
            ReleaseRefused: there is no share of it.
        """
        return parse_partition(str(self.open(name)["text"]))

    def partitions(self) -> dict[str, Partition]:
        """Tell what each partition is that a share is held of; opens every share."""
        return {name: self.partition(name) for name in sorted(self.held())}

    def new_epoch(self, keep: Collection[str]) -> EpochTurn:
        """Erase every share but those of these partitions: end the epoch, go on in a new one.

        keep: opaque ids of partitions.

        When this returns, the key of the epoch that ended is destroyed, and with it
        whatever copies of the store were made in it. Cut short, either everything is
        as before, or the next act of this store finishes the destruction; `history`
        says which.

        Raises:
            InvalidInput: a share is to be kept that is not held; nothing was changed.
            Unavailable: what holds the epoch keys is not there.
        """
        wanted = {str(parse_object_id(name)) for name in keep}
        held = self.held()
        if unknown := wanted - held:
            raise InvalidInput(
                f"Custodian {self._custodian} holds no share of {len(unknown)} of the partitions"
                " whose shares it is to keep."
            )
        return self._turn({name: self._all(name) for name in wanted}, erased=held - wanted)

    def succeed(self, old: Mapping[str, Collection[str]], *, by: Mapping[str, str]) -> None:
        """Erase older shares of partitions by a new epoch; the newer ones take their place.

        old: opaque id to the commitments of what is erased. by: to that of the share which
            counts, where there is one.

        Nothing is done where none of them is here. Raises and ends as `new_epoch`.
        """
        kept: dict[str, dict[str, dict[str, Json]]] = {}
        erased = set()
        for name in sorted(self.held()):
            shares = self._all(name)
            left = {
                place: share
                for place, share in shares.items()
                if _commitment_of(share) not in old.get(name, ())
            }
            if left != shares:
                erased.add(name)
                left = {
                    name if _commitment_of(share) == by.get(name) else place: share
                    for place, share in left.items()
                }
            kept[name] = left
        if erased:
            self._turn(kept, erased=erased)

    def _turn(
        self, kept: Mapping[str, Mapping[str, dict[str, Json]]], *, erased: Collection[str]
    ) -> EpochTurn:
        return self._epochs.turn(
            lambda key: {
                place: _locked(name, share, to=key)
                for name, shares in kept.items()
                for place, share in shares.items()
            },
            erased=sorted(erased),
        )

    def begin_epoch(self) -> tuple[int, str]:
        """Name the current epoch, its number and its public key's SHA-256, or begin the first."""
        epoch = self._epochs.begin()
        return epoch.number, epoch.key_sha256

    def epoch(self) -> tuple[int, str] | None:
        """Name the current epoch in the same way, or null when none was begun."""
        epoch = self._epochs.current()
        return (epoch.number, epoch.key_sha256) if epoch else None

    def commitments(self, partitions: Collection[str]) -> dict[str, str]:
        """Compute what the log must have for shares that are held, by opaque id."""
        return {name: _commitment_of(self.open(name)) for name in partitions}

    def _all(self, partition: str) -> dict[str, dict[str, Json]]:
        """Open every share of a partition that is here, by the name of its file."""
        epoch = self._epochs.current()
        if epoch is None:
            return {}
        name = parse_object_id(partition)
        paths = [epoch.folder / f"{name}{place}" for place in _PLACES]
        return {
            path.name: read_share_file(path.read_bytes(), partition, key=epoch.key)
            for path in paths
            if path.exists()
        }

    def history(self) -> list[EpochTurn]:
        """List the epochs that ended, oldest first, each with what was erased by its end."""
        return self._epochs.history()


def count_shares(party: Path) -> int:
    """Count the shares in a custodian's directory by their files; no key is asked for."""
    epochs = party / "epochs"
    numbers = (
        [each for each in epochs.iterdir() if each.name.isdecimal()] if epochs.exists() else []
    )
    newest = max(numbers, key=lambda each: int(each.name), default=None)
    names = (path.name for path in newest.iterdir()) if newest else ()
    return sum(len(name) == _ID_CHARACTERS for name in names)


def _commitment_of(share: dict[str, Json]) -> str:
    salt = bytes.fromhex(str(share["salt"]))
    return commit_to(str(share["words"]).encode(), label=SHARE_LABEL, salt=salt)


def read_share_file(content: bytes, partition: str, *, key: PartitionKey) -> dict[str, Json]:
    """Open the file of one share: `salt`, `text` and `words`.

    key: of the epoch that it lies under.

    Raises:
        NotGenuine: it lies under another key, or was altered.
    """
    end = 2 + int.from_bytes(content[:2], "big")
    own = key.open_key(content[2:end], info=partition.encode())
    share = parse_canonical(b"".join(open_stream([content[end:]], key=own, object_id=partition)))
    if not isinstance(share, dict):
        raise NotGenuine("A custodian's share cannot be read.")
    return share


def _locked(partition: str, share: dict[str, Json], *, to: PartitionKey) -> bytes:
    """Lock one share under an epoch's key, bound to its partition.

    A key of its own for each share, drawn anew at each write, sits in front.
    """
    key = FileKey.draw()
    locked = b"".join(seal_stream([encode_canonical(share)], key=key, object_id=partition))
    wrapped = seal_key(key.raw, to=to.public, info=partition.encode())
    return len(wrapped).to_bytes(2, "big") + wrapped + locked


def _parse_bundle(bundle: Json) -> dict[str, dict[str, Json]]:
    """Read a ceremony's shares strictly: by opaque id, each with its three texts."""
    shares: dict[str, dict[str, Json]] = {}
    for item in bundle if isinstance(bundle, list) else [None]:
        if not isinstance(item, dict) or sorted(item) != ["id", *_FIELDS]:
            raise InvalidInput("A ceremony's shares are not a list of shares.")
        partition = parse_object_id(str(item["id"]))
        parse_partition(str(item["text"]))
        if not _SALT.fullmatch(str(item["salt"])) or not isinstance(item["words"], str):
            raise InvalidInput("A ceremony's share has a salt or words of another kind.")
        if partition in shares:
            raise InvalidInput("A ceremony has two shares of one partition.")
        shares[partition] = {name: item[name] for name in _FIELDS}
    return shares

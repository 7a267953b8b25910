"""A custodian's shares at rest: each under a key of its own, all under the epoch key.

The epoch key lies sealed to the custodian's token: destroying it destroys every
share under it.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from havre.adapters.custody.files import write_durably
from havre.crypto.random import random_bytes
from havre.crypto.sealing import FileKey, PartitionKey, open_stream, seal_key, seal_stream
from havre.domain.custody import ReleaseRefused
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.ports.tokens import Token
from havre.values import Partition, parse_object_id, parse_partition

_EPOCH_CONTEXT = b"havre/v1/custodian-epoch"
_FIELDS = ("salt", "text", "words")


class ShareStore:
    """One custodian's shares, in a folder. Its caller keeps other processes out."""

    def __init__(self, folder: Path, *, token: Token) -> None:
        self._folder = folder / "shares"
        self._epoch_path = folder / "epoch"
        self._token = token

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
        held = [name for name in shares if self._path(name).exists()]
        # A living partition's share that is overwritten is lost for ever, and with
        # n - k + 1 of them everything that was sealed to it.
        if taken := [name for name in held if self.open(name) != shares[name]]:
            raise Refused(
                f"Custodian {self._token.name} holds another share of {len(taken)} of these"
                " partitions already.",
                hint="Make new partitions: a ceremony never replaces what is in use.",
            )
        for name, share in shares.items():
            if name not in held:
                self._write(name, share)
        return list(shares)

    def open(self, partition: str) -> dict[str, Json]:
        """Open one share: `salt`, `text` and `words`.

        Raises:
            ReleaseRefused: there is none.
            NotGenuine: what lies there was altered.
        """
        try:
            content = self._path(partition).read_bytes()
        except FileNotFoundError:
            raise ReleaseRefused(
                f"Custodian {self._token.name} has no share of a partition."
            ) from None
        end = 2 + int.from_bytes(content[:2], "big")
        key = self._epoch.open_key(content[2:end], info=partition.encode())
        opened = b"".join(open_stream([content[end:]], key=key, object_id=partition))
        share = parse_canonical(opened)
        if not isinstance(share, dict):
            raise NotGenuine(f"A share of custodian {self._token.name} cannot be read.")
        return share

    def partitions(self) -> dict[str, Partition]:
        """Tell what each partition is that a share is held of, by opaque id."""
        paths = self._folder.iterdir() if self._folder.exists() else ()
        return {
            path.name: parse_partition(str(self.open(path.name)["text"]))
            for path in paths
            if not path.name.startswith(".")
        }

    def _write(self, partition: str, share: dict[str, Json]) -> None:
        """Store one share under the epoch key, bound to its partition."""
        # A key of its own for each share, drawn anew at each write, sits in front.
        key = FileKey.draw()
        content = encode_canonical(share)
        locked = b"".join(seal_stream([content], key=key, object_id=partition))
        wrapped = seal_key(key.raw, to=self._epoch.public, info=partition.encode())
        write_durably(self._path(partition), len(wrapped).to_bytes(2, "big") + wrapped + locked)

    def _path(self, partition: str) -> Path:
        return self._folder / parse_object_id(partition)

    @cached_property
    def _epoch(self) -> PartitionKey:
        """The key under which every share lies; made once, sealed to the token."""
        if not self._epoch_path.exists():
            seed = random_bytes(32)
            locked = seal_key(seed, to=self._token.seal_public, info=_EPOCH_CONTEXT)
            write_durably(self._epoch_path, locked)
        seed = self._token.open_key(self._epoch_path.read_bytes(), info=_EPOCH_CONTEXT)
        return PartitionKey.from_seed(seed)


def _parse_bundle(bundle: Json) -> dict[str, dict[str, Json]]:
    """Read a ceremony's shares strictly: by opaque id, each with its three texts."""
    shares: dict[str, dict[str, Json]] = {}
    for item in bundle if isinstance(bundle, list) else [None]:
        if not isinstance(item, dict) or sorted(item) != ["id", *_FIELDS]:
            raise InvalidInput("A ceremony's shares are not a list of shares.")
        partition = parse_object_id(str(item["id"]))
        parse_partition(str(item["text"]))
        if partition in shares:
            raise InvalidInput("A ceremony has two shares of one partition.")
        shares[partition] = {name: item[name] for name in _FIELDS}
    return shares

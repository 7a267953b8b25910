"""The epochs of a custodian's store: one folder each, under a key that can be destroyed for itself.

An epoch's folder holds its locked seed, the shares under it, and the history of
the turns that led to it. A folder is written beside its place and gets its name
last, so a store is always in exactly one epoch: the one of the greatest number.
Whatever lies below is left over from a turn that was cut short, and is destroyed
before anything else is done.

On the disk an epoch's seed is only what `ports.tokens.EpochKeys` locked: a copy of
the whole folder says nothing once the key outside it is destroyed.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from havre.adapters.custody.files import (
    make_durably,
    remove_folder_durably,
    rename_durably,
    write_all_durably,
    write_durably,
)
from havre.crypto.random import random_bytes
from havre.crypto.sealing import PartitionKey
from havre.errors import InvalidInput, NotFound, NotGenuine
from havre.formats.canonical import encode_canonical, parse_canonical
from havre.ports.tokens import EpochKeys

_KEY, _HISTORY = "key", "history"
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class EpochTurn:
    """One epoch that ended: what a certificate of erasure names.

    ended, begun: the epochs' numbers, from 1.
    ended_key: SHA-256 of the ended epoch's public key.
    erased: opaque ids of the partitions whose shares were not carried over, sorted.
    """

    ended: int
    begun: int
    ended_key: str
    erased: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Epoch:
    """The epoch that a store is in.

    folder: where its shares lie. key: opens them; in memory only.
    """

    number: int
    folder: Path
    key: PartitionKey

    @property
    def key_sha256(self) -> str:
        """The SHA-256 of its public key: its name in certificates and records."""
        return hashlib.sha256(self.key.public).hexdigest()


class Epochs:
    """One store's epochs, in a folder. Its caller keeps other processes out."""

    def __init__(self, folder: Path, *, keys: EpochKeys) -> None:
        self._folder = folder
        self._keys = keys
        self._opened: Epoch | None = None

    def current(self) -> Epoch | None:
        """Open the current epoch, after finishing a turn that was cut short.

        Returns null when nothing was ever kept.

        Raises:
            Unavailable: what holds the key is not there.
            Refused, NotGenuine: it does not open what lies here.
        """
        numbers = self._numbers()
        for ended in numbers[:-1]:
            self._destroy(ended)
        if not numbers:
            return None
        if self._opened is None or self._opened.number != numbers[-1]:
            self._opened = self._open(numbers[-1])
        return self._opened

    def begin(self) -> Epoch:
        """Open the current epoch, or begin the first one."""
        return self.current() or self._write(1, lambda _key: {}, history=[])

    def turn(
        self, carry_over: Callable[[PartitionKey], Mapping[str, bytes]], *, erased: Sequence[str]
    ) -> EpochTurn:
        """Go on in a new epoch with some of the shares, then destroy the old one and its key.

        carry_over: the shares' files under the new epoch's key, by name.
        erased: what is not carried over, for the history.

        When this returns, nothing opens the old epoch any more. If it is cut short,
        either the old epoch stands, or the new one does and the next call of
        anything destroys the old one first.
        """
        ending = self.begin()
        turn = EpochTurn(
            ended=ending.number,
            begun=ending.number + 1,
            ended_key=ending.key_sha256,
            erased=tuple(sorted(erased)),
        )
        self._write(turn.begun, carry_over, history=[*self.history(), turn])
        self._destroy(turn.ended)
        return turn

    def history(self) -> list[EpochTurn]:
        """List the turns so far, oldest first: also of one whose process died after it."""
        epoch = self.current()
        if epoch is None:
            return []
        try:
            body = parse_canonical((epoch.folder / _HISTORY).read_bytes())
            if not isinstance(body, list):
                raise InvalidInput("A history is a list.")
            return [_parse_turn(each) for each in body]
        except (OSError, InvalidInput, KeyError, TypeError, ValueError):
            raise NotGenuine("A custodian's history of epochs was altered or removed.") from None

    def _write(
        self,
        number: int,
        carry_over: Callable[[PartitionKey], Mapping[str, bytes]],
        *,
        history: Sequence[EpochTurn],
    ) -> Epoch:
        """Write an epoch's folder; its name, given last, makes it the current one."""
        draft = self._folder / f".{number:0{_DIGITS}}.new"
        # A draft that a process before left behind holds nothing that is not elsewhere.
        # Only beside a draft is a key destroyed here: when the store's disk is not
        # mounted, the key that is found is that of living shares.
        if draft.exists():
            self._keys.destroy_epoch(number)
            shutil.rmtree(draft)
        make_durably(draft)
        seed = random_bytes(32)
        key = PartitionKey.from_seed(seed)
        write_durably(draft / _KEY, self._keys.lock_epoch(number, seed))
        body = [{**asdict(turn), "erased": [*turn.erased]} for turn in history]
        write_all_durably(draft, {**carry_over(key), _HISTORY: encode_canonical([*body])})
        rename_durably(draft, self._path(number))
        self._opened = Epoch(number, self._path(number), key)
        return self._opened

    def _open(self, number: int) -> Epoch:
        folder = self._path(number)
        try:
            locked = (folder / _KEY).read_bytes()
        except FileNotFoundError:
            raise NotGenuine("An epoch of a custodian's store has lost its key file.") from None
        seed = self._keys.open_epoch(number, locked)
        return Epoch(number, folder, PartitionKey.from_seed(seed))

    def _destroy(self, number: int) -> None:
        """Destroy an epoch's key, then what lay under it."""
        self._keys.destroy_epoch(number)
        remove_folder_durably(self._path(number))

    def _numbers(self) -> list[int]:
        names = (path.name for path in self._folder.iterdir()) if self._folder.exists() else ()
        return sorted(int(name) for name in names if name.isdecimal())

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:0{_DIGITS}}"


def open_epoch_copy(folder: Path, *, keys: EpochKeys) -> PartitionKey:
    """Open the key of one epoch's folder, wherever a copy of it lies.

    Raises:
        NotFound: it is no epoch's folder.
        Refused, NotGenuine, Unavailable: whoever holds the epochs' keys does not open it.
    """
    try:
        locked = (folder / _KEY).read_bytes()
    except OSError:
        raise NotFound("A folder holds no epoch.") from None
    if not folder.name.isdecimal():
        raise NotFound("A folder holds no epoch.")
    return PartitionKey.from_seed(keys.open_epoch(int(folder.name), locked))


def _parse_turn(body: object) -> EpochTurn:
    if not isinstance(body, dict):
        raise InvalidInput("A turn of epochs is an object.")
    erased = tuple(str(each) for each in body.pop("erased"))
    return EpochTurn(
        int(body.pop("ended")), int(body.pop("begun")), str(body.pop("ended_key")), erased
    )

"""A witness in a directory of its own: one line of state for each log it watches.

The line is durable before the answer is given. A witness restored from a
backup would cosign a past it does not remember, so it says nothing until its
operator has entered a head that others saw. It notices by itself when its
directory is missing its line or is a copy; after any other restore its
operator says so (`mark_restored`).
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from havre.crypto.merkle import check_consistency, check_inclusion, leaf_hash
from havre.domain.events import Handover, parse_event
from havre.domain.handover import check_handover, first_size_of
from havre.domain.transparency import Head, LogKeys, check_log_signature, log_keys
from havre.domain.trust import TrustRoots
from havre.errors import NotGenuine, Refused, Unavailable
from havre.formats.notes import (
    COSIGNATURE_V1,
    Checkpoint,
    NoteSignature,
    cosigned_message,
    encode_cosignature,
    parse_note,
    short_key_id,
)
from havre.ports.clock import Clock
from havre.ports.tokens import Token
from havre.ports.witness import HandoverProof


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last head, and who signs heads from which size on."""

    size: int
    root: bytes
    keys: LogKeys


class WitnessWithoutMemory(Refused):
    """A witness does not know what it saw last: its operator must say."""


class LocalWitness:
    """A witness whose state is a directory; its own process later, the same code."""

    def __init__(self, folder: Path, *, token: Token, roots: TrustRoots, clock: Clock) -> None:
        self._folder = folder
        self._token = token
        self._roots = roots
        self._clock = clock

    @property
    def name(self) -> str:
        """Its short name, as in the trust roots."""
        return self._token.name

    def begin(self) -> None:
        """Start to watch a log that has no entry yet: once in a witness's life.

        Raises:
            Refused: it watches this log already.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._path.exists():
            raise Refused(f"Witness {self.name} watches this log already.")
        self._remember(_Seen(0, hashlib.sha256().digest(), log_keys(self._roots, ())))

    def mark_restored(self) -> None:
        """Forget what was seen: the operator's act after a restore from a backup."""
        with suppress(WitnessWithoutMemory):
            self._remember(self._seen(), folder=0)

    def enter_head(self, head: Head, *, keys: LogKeys) -> None:
        """Take over a head that enough other witnesses saw: the operator's act after a restore."""
        self._remember(_Seen(head.size, head.root, keys))

    def size_seen(self, origin: str) -> int:
        """The size of the last head of this log that it cosigned."""
        if origin != self._roots.origin:
            raise NotGenuine(f"Witness {self.name} watches another log.")
        return self._seen().size

    def cosign(
        self,
        note: bytes,
        *,
        old_size: int,
        proof: Sequence[bytes],
        handovers: Sequence[HandoverProof] = (),
    ) -> NoteSignature:
        """Cosign a head that continues the one it saw."""
        parsed = parse_note(note)
        with self._alone():
            seen = self._seen()
            if old_size != seen.size:
                raise Refused(f"Witness {self.name} last saw a head of {seen.size} entries.")
            keys = self._keys_after(seen, handovers)
            checkpoint = check_log_signature(parsed, roots=self._roots, keys=keys)
            check_consistency(
                old_size=seen.size,
                old_root=seen.root,
                size=checkpoint.size,
                root=checkpoint.root,
                proof=proof,
            )
            for handover in handovers:
                _check_included(handover, checkpoint)
            now = _Seen(checkpoint.size, checkpoint.root, keys)
            if now != seen:
                self._remember(now)
        unix_time = int(self._clock.now().timestamp())
        signature = self._token.sign(cosigned_message(parsed.text, unix_time=unix_time))
        return NoteSignature(
            self.name,
            short_key_id(self.name, self._token.public, kind=COSIGNATURE_V1),
            encode_cosignature(unix_time, signature),
        )

    def _keys_after(self, seen: _Seen, handovers: Sequence[HandoverProof]) -> LogKeys:
        """Who signs heads when the controller's handovers that are offered count too.

        Only what comes after the newest one known counts: an old handover,
        shown again, must not bring an old key back.
        """
        changes = list(seen.keys.changes)
        for handover in handovers:
            first_size = first_size_of(handover.index)
            if first_size <= changes[-1][0]:
                continue
            if handover.index < seen.size - 1:
                raise NotGenuine("A handover is older than the last entry this witness saw.")
            event = parse_event(handover.entry)
            if not isinstance(event, Handover):
                raise NotGenuine("An entry that is offered as a handover is none.")
            log_key = check_handover(event, index=handover.index, roots=self._roots)
            changes.append((first_size, log_key))
        return LogKeys(tuple(changes))

    @property
    def _path(self) -> Path:
        origin = hashlib.sha256(self._roots.origin.encode()).hexdigest()
        return self._folder / f"seen-{origin[:16]}.json"

    def _seen(self) -> _Seen:
        """Read the line; a missing one is not a new log, it is a lost memory."""
        try:
            line = json.loads(self._path.read_bytes())
            if line["folder"] == self._folder.stat().st_ino:
                return _Seen(
                    int(line["size"]),
                    base64.b64decode(line["root"], validate=True),
                    LogKeys(tuple((int(at), bytes.fromhex(key)) for at, key in line["keys"])),
                )
        except FileNotFoundError:
            pass
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise NotGenuine(f"The state of witness {self.name} cannot be read.") from None
        raise WitnessWithoutMemory(
            f"Witness {self.name} was restored and has not been told a head.",
            hint="Its operator enters a head that enough other witnesses saw.",
        )

    def _remember(self, seen: _Seen, *, folder: int | None = None) -> None:
        line = {
            # A copied directory has another number: a copy must not cosign.
            "folder": self._folder.stat().st_ino if folder is None else folder,
            "keys": [[at, key.hex()] for at, key in seen.keys.changes],
            "root": base64.b64encode(seen.root).decode(),
            "size": seen.size,
        }
        beside = self._path.with_suffix(".new")
        with beside.open("w", encoding="ascii") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.rename(self._path)
        _sync_folder(self._folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep two requests apart: between reading the line and writing it nobody else may."""
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
        try:
            descriptor = os.open(self._folder / "lock", flags, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)
        except OSError as error:
            # Without its line on disk it does not answer: that is the promise.
            raise Unavailable(
                f"Witness {self.name} cannot keep its state: {os.strerror(error.errno or 0)}."
            ) from error


def _check_included(handover: HandoverProof, checkpoint: Checkpoint) -> None:
    check_inclusion(
        leaf_hash(handover.entry),
        index=handover.index,
        size=checkpoint.size,
        proof=handover.proof,
        root=checkpoint.root,
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

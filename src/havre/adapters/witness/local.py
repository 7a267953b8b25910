"""A witness in a directory of its own: one line of state for each log it watches.

The line is durable before the answer is given. A witness restored from a
backup would cosign a past it does not remember, so it says nothing until its
operator has entered a head that a quorum of others saw. It notices by itself
when its directory is missing its line or is a copy; after any other restore its
operator says so (`mark_restored`). It cosigns nothing by a clock that went back.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from havre.crypto.merkle import check_consistency, check_inclusion, leaf_hash
from havre.domain.clocks import check_clock
from havre.domain.events import Handover, Recovery, parse_event
from havre.domain.following import Followed, follow
from havre.domain.handover import check_handover, first_size_of
from havre.domain.transparency import (
    Head,
    LogKeys,
    NotWitnessed,
    check_head,
    check_log_signature,
    log_keys,
)
from havre.domain.trust import TrustRoots
from havre.domain.withdrawal import open_withdrawal
from havre.errors import NotGenuine, Refused, Unavailable
from havre.formats.notes import (
    COSIGNATURE_V1,
    Checkpoint,
    NoteSignature,
    cosigned_message,
    encode_cosignature,
    parse_checkpoint,
    parse_note,
    short_key_id,
)
from havre.ports.clock import Clock
from havre.ports.log import LogReader
from havre.ports.tokens import Token
from havre.ports.witness import HandoverProof

# Whoever has the log's key can show as many heads as he likes; a few are proof enough.
_MOST_REFUSED = 64
# FS_IOC_GETVERSION of linux/fs.h, for 64-bit machines.
_GET_GENERATION = 0x80087601


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last head, who signs heads from which size on, and the greatest time it cosigned at.

    unix_time: whole seconds since 1970; 0 before the first cosignature.
    """

    size: int
    root: bytes
    keys: LogKeys
    unix_time: int


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
        with self._kept():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._alone():
            if self._path.exists():
                raise Refused(f"Witness {self.name} watches this log already.")
            self._remember(_Seen(0, hashlib.sha256().digest(), log_keys(self._roots, ()), 0))

    def mark_restored(self) -> None:
        """Say nothing from now on: the operator's act after a restore from a backup."""
        with self._alone(), suppress(WitnessWithoutMemory):
            self._remember(self._seen(), folder=0)

    def enter_head(self, log: LogReader) -> Head:
        """Take over the head of a log that enough others saw: the operator's act after a restore.

        log: from wherever the operator believes the newest head to be; it is read
            whole, once. How old its head is, is for the operator to judge.

        Returns the head.

        Raises:
            NotWitnessed: fewer than q of the *other* witnesses have cosigned it.
            NotGenuine: not signed by the log's key, or older than what this
                witness still remembers, or another head of the same size.
            NotFound: a file of the log is not there.
            Unavailable: the state cannot be kept.
        """
        note = log.checkpoint()
        size = parse_checkpoint(parse_note(note).text).size
        followed, _ = follow(Followed(), log.entries(0, size), note=note, roots=self._roots)
        keys = followed.keys(self._roots)
        head, behind = check_head(note, roots=self._roots, keys=keys)
        # Its own cosignature is what it does not remember: it proves nothing to it.
        others = [each for each in behind if each.witness.name != self.name]
        if len(others) < self._roots.quorum:
            raise NotWitnessed(
                f"{len(others)} other witnesses stand behind this head;"
                f" {self._roots.quorum} are needed.",
                hint="Enter the newest checkpoint that all the others have cosigned.",
            )
        with self._alone():
            _check_not_behind(head, self._remembered())
            # The clock begins anew here: an operator who is at it has looked at it.
            self._remember(_Seen(head.size, head.root, keys, 0))
        return head

    def keep_decision(self, envelope: bytes) -> str:
        """Keep an authority's decision that withdraws a permit; it is told to whoever asks.

        A witness reads no entry, so it cannot know whether the log has the decision:
        whoever holds both against each other does.
        """
        fresh = open_withdrawal(envelope, roots=self._roots)
        with self._alone():
            self._decisions.mkdir(exist_ok=True, mode=0o700)
            _write_durably(self._decisions / f"{fresh.sha256}.json", envelope)
        return fresh.permit

    def withdrawals(self) -> list[bytes]:
        """Give the decisions that it keeps."""
        with self._kept():
            return [path.read_bytes() for path in sorted(self._decisions.glob("*.json"))]

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
            try:
                check_consistency(
                    old_size=seen.size,
                    old_root=seen.root,
                    size=checkpoint.size,
                    root=checkpoint.root,
                    proof=proof,
                )
            except NotGenuine:
                self._keep_refused(note)
                raise
            for handover in handovers:
                _check_included(handover, checkpoint)
            unix_time = self._time(seen)
            self._remember(
                _Seen(checkpoint.size, checkpoint.root, keys, max(unix_time, seen.unix_time))
            )
        signature = self._token.sign(cosigned_message(parsed.text, unix_time=unix_time))
        return NoteSignature(
            self.name,
            short_key_id(self.name, self._token.public, kind=COSIGNATURE_V1),
            encode_cosignature(unix_time, signature),
        )

    def _keep_refused(self, note: bytes) -> None:
        """Keep a head that the log signed and that does not continue the one seen: it is evidence."""
        folder = self._folder / "refused"
        folder.mkdir(exist_ok=True, mode=0o700)
        path = folder / f"{hashlib.sha256(note).hexdigest()}.note"
        if not path.exists() and len(list(folder.glob("*.note"))) < _MOST_REFUSED:
            _write_durably(path, note)

    def _time(self, seen: _Seen) -> int:
        """Tell the time of a cosignature, by a clock that has not gone back."""
        now = self._clock.now()
        check_clock(now, latest=datetime.fromtimestamp(seen.unix_time, UTC), party=self.name)
        return int(now.timestamp())

    def _keys_after(self, seen: _Seen, handovers: Sequence[HandoverProof]) -> LogKeys:
        """Who signs heads when the controller's handovers that are offered count too.

        Only what comes after the newest one known counts: an old handover,
        shown again, must not bring an old key back. A host that was lost before
        it wrote anything is recovered at the very size at which it was to begin.
        """
        changes = list(seen.keys.changes)
        for handover in handovers:
            event = parse_event(handover.entry)
            if not isinstance(event, Handover):
                raise NotGenuine("An entry that is offered as a handover is none.")
            first_size, newest = first_size_of(event, index=handover.index), changes[-1][0]
            unseen = isinstance(event, Recovery) and handover.index >= seen.size
            if first_size < newest or (first_size == newest and not unseen):
                continue
            if handover.index < seen.size - 1:
                raise NotGenuine("A handover is older than the last entry this witness saw.")
            log_key = check_handover(event, index=handover.index, roots=self._roots)
            changes.append((first_size, log_key))
        return LogKeys(tuple(changes))

    @property
    def _decisions(self) -> Path:
        return self._folder / "decisions"

    @property
    def _path(self) -> Path:
        origin = hashlib.sha256(self._roots.origin.encode()).hexdigest()
        return self._folder / f"seen-{origin[:16]}.json"

    def _seen(self) -> _Seen:
        """Read the line; a missing one is not a new log, it is a lost memory."""
        with self._kept():
            try:
                seen, folder = self._line()
                if folder == _number_of(self._folder):
                    return seen
            except FileNotFoundError:
                pass
        raise WitnessWithoutMemory(
            f"Witness {self.name} was restored and has not been told a head.",
            hint="Its operator enters a head that enough other witnesses saw:"
            " `havre witness restore`.",
        )

    def _remembered(self) -> _Seen | None:
        """Read the line wherever it comes from, a backup too; null when there is none."""
        with suppress(FileNotFoundError, NotGenuine):
            return self._line()[0]
        return None

    def _line(self) -> tuple[_Seen, int]:
        """Read the line, and the number of the directory in which it was written."""
        try:
            line = json.loads(self._path.read_bytes())
            keys = LogKeys(tuple((int(at), bytes.fromhex(key)) for at, key in line["keys"]))
            root = base64.b64decode(line["root"], validate=True)
            return _Seen(int(line["size"]), root, keys, int(line["unix_time"])), line["folder"]
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise NotGenuine(f"The state of witness {self.name} cannot be read.") from None

    def _remember(self, seen: _Seen, *, folder: int | None = None) -> None:
        line = {
            # A copied directory has another number: a copy must not cosign.
            "folder": _number_of(self._folder) if folder is None else folder,
            "keys": [[at, key.hex()] for at, key in seen.keys.changes],
            "root": base64.b64encode(seen.root).decode(),
            "size": seen.size,
            "unix_time": seen.unix_time,
        }
        _write_durably(self._path, (json.dumps(line) + "\n").encode("ascii"))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep two requests apart: between reading the line and writing it nobody else may."""
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
        with self._kept():
            descriptor = os.open(self._folder / "lock", flags, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Name a state that cannot be read or written; without its line it does not answer."""
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"Witness {self.name} cannot keep its state: {os.strerror(error.errno or 0)}."
            ) from error


def _check_not_behind(head: Head, known: _Seen | None) -> None:
    """Refuse a head that is older than what a restored witness still remembers."""
    if known is None or head.size > known.size:
        return
    if (head.size, head.root) != (known.size, known.root):
        raise NotGenuine(
            f"This head has {head.size} entries; the witness remembers another one of"
            f" {known.size}.",
            hint="Find the newest checkpoint; if there is none, tell the auditor: the log went back.",
        )


def _check_included(handover: HandoverProof, checkpoint: Checkpoint) -> None:
    check_inclusion(
        leaf_hash(handover.entry),
        index=handover.index,
        size=checkpoint.size,
        proof=handover.proof,
        root=checkpoint.root,
    )


def _number_of(folder: Path) -> int:
    """A number that no other directory of this file system has had or will have.

    A directory's inode goes to the next one as soon as it is removed, so the number has
    the inode's generation too. File systems that keep none (tmpfs) count inodes up.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        inode = os.fstat(descriptor).st_ino
        try:
            said = fcntl.ioctl(descriptor, _GET_GENERATION, bytes(8))
        except OSError:
            return inode
        return inode << 32 | int.from_bytes(said[:4], sys.byteorder)
    finally:
        os.close(descriptor)


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it is the old one or the new one."""
    beside = path.with_suffix(".new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

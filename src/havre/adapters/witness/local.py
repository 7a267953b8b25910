"""A witness in a directory of its own: one line of state for each log it watches.

The line is durable before the answer is given. A witness restored from a
backup would cosign a past it does not remember, so it says nothing until its
operator has entered a head that others saw.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from havre.crypto.merkle import check_consistency, check_inclusion, leaf_hash
from havre.domain.events import Handover, parse_event
from havre.domain.transparency import Head, LogKeys, check_log_signature
from havre.domain.trust import Role, TrustRoots
from havre.errors import NotGenuine, Refused
from havre.formats.notes import (
    COSIGNATURE_V1,
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
    size: int
    root: bytes
    log_key: bytes


class LocalWitness:
    """A witness whose state is a directory; its own process later, the same code.

    check_handover: raises unless the controller signed the handover.
    """

    def __init__(
        self,
        folder: Path,
        *,
        token: Token,
        roots: TrustRoots,
        clock: Clock,
        check_handover: Callable[[Handover], None],
    ) -> None:
        self._folder = folder
        self._token = token
        self._roots = roots
        self._clock = clock
        self._check_handover = check_handover

    @property
    def name(self) -> str:
        """Its short name, as in the trust roots."""
        return self._token.name

    def size_seen(self, origin: str) -> int:
        """The size of the last head of this log that it cosigned."""
        return self._seen(origin).size

    def cosign(
        self,
        note: bytes,
        *,
        old_size: int,
        proof: Sequence[bytes],
        handover: HandoverProof | None = None,
    ) -> NoteSignature:
        """Cosign a head that continues the one it saw."""
        if (self._folder / "restored").exists():
            raise Refused(
                f"Witness {self.name} was restored and has not been told a head.",
                hint="Its operator enters a head that enough other witnesses saw.",
            )
        seen = self._seen(self._roots.origin)
        log_key = self._key_after(seen, handover)
        parsed = parse_note(note)
        checkpoint = check_log_signature(parsed, roots=self._roots, keys=LogKeys(((0, log_key),)))
        if old_size != seen.size:
            raise Refused(f"Witness {self.name} last saw a head of {seen.size} entries.")
        check_consistency(
            old_size=seen.size,
            old_root=seen.root,
            size=checkpoint.size,
            root=checkpoint.root,
            proof=proof,
        )
        self._remember(_Seen(checkpoint.size, checkpoint.root, log_key))
        unix_time = int(self._clock.now().timestamp())
        signature = self._token.sign(cosigned_message(parsed.text, unix_time=unix_time))
        return NoteSignature(
            self.name,
            short_key_id(self.name, self._token.public, kind=COSIGNATURE_V1),
            encode_cosignature(unix_time, signature),
        )

    def enter_head(self, head: Head, *, log_key: bytes) -> None:
        """Take over a head from outside: the operator's act after a restore."""
        self._remember(_Seen(head.size, head.root, log_key))
        (self._folder / "restored").unlink(missing_ok=True)

    def _key_after(self, seen: _Seen, handover: HandoverProof | None) -> bytes:
        """The key that must have signed the head that is offered."""
        if handover is None:
            return seen.log_key
        event = parse_event(handover.entry)
        if not isinstance(event, Handover) or handover.index + 1 != seen.size:
            raise NotGenuine("A handover is not the last entry that this witness saw.")
        check_inclusion(
            leaf_hash(handover.entry),
            index=handover.index,
            size=seen.size,
            proof=handover.proof,
            root=seen.root,
        )
        self._check_handover(event)
        return bytes.fromhex(event.log_key)

    def _path(self, origin: str) -> Path:
        return self._folder / f"seen-{hashlib.sha256(origin.encode()).hexdigest()[:16]}.json"

    def _seen(self, origin: str) -> _Seen:
        try:
            line = json.loads(self._path(origin).read_bytes())
        except FileNotFoundError:
            key = self._roots.with_role(Role.HUB)[0].key
            return _Seen(0, hashlib.sha256().digest(), key)
        try:
            return _Seen(
                int(line["size"]),
                base64.b64decode(line["root"], validate=True),
                bytes.fromhex(line["log_key"]),
            )
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise NotGenuine(f"The state of witness {self.name} cannot be read.") from None

    def _remember(self, seen: _Seen) -> None:
        line = {
            "size": seen.size,
            "root": base64.b64encode(seen.root).decode(),
            "log_key": seen.log_key.hex(),
        }
        path = self._path(self._roots.origin)
        beside = path.with_suffix(".new")
        with beside.open("w", encoding="ascii") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
